"""Known faults to inject: to test the causes, and to find what a gate does not detect.

FAULTS["white_noise"].inject(audio, severity=0.5, rng=np.random.default_rng(0)) -> Audio
"""

from __future__ import annotations

from diagnose.faults import added, level, mel, spectrum, time
from diagnose.faults.fault import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault for family in (level, time, spectrum, added, mel) for fault in family.FAULTS
}

__all__ = ["FAULTS", "Fault", "fault", "mel"]
