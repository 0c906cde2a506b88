"""The gate: record what a pair measures, check it later, accept a change with a reason, calibrate a tolerance.

The goldens of a suite (suite.py) are one TOML file a case, in `golden/` beside it.  A check never writes one, so no
update turns its own run green; what is missing on either side (a baseline, a metric, a case) fails.
"""

from diagnose.gate.against import check_against
from diagnose.gate.calibration import calibrate
from diagnose.gate.commands import accept, check, record

__all__ = [
    "accept",
    "calibrate",
    "check",
    "check_against",
    "checks",
    "commands",
    "golden",
    "history",
    "record",
    "sensitivity",
    "suite",
    "trends",
]
