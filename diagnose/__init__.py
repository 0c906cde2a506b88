"""timbre-diagnose: the debugger for neural-audio pipelines.

    report = diagnose.compare("violin.wav", "generated.wav")
    report.verdict, report["rms_ratio"].change
    diagnose.measure(samples, rate=44100)["loudness_lufs"].value
    diagnose.check_contract(mel, "bigvgan_base_22khz_80band")      # one line before a vocoder's call
    diagnose.infer_contract(mel, "violin.wav").best.fields()

Names are loaded when they are first used: `diagnose --help` needs no numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.version import VERSION as __version__

if TYPE_CHECKING:
    from diagnose.comparison import compare, measure
    from diagnose.errors import DiagnoseError, InputError, NotComparable
    from diagnose.mel.check import ContractMismatch, check_contract
    from diagnose.mel.inference import infer_contract

_HOME = {
    "compare": "diagnose.comparison",
    "measure": "diagnose.comparison",
    "check_contract": "diagnose.mel.check",
    "infer_contract": "diagnose.mel.inference",
    "ContractMismatch": "diagnose.mel.check",
    "DiagnoseError": "diagnose.errors",
    "InputError": "diagnose.errors",
    "NotComparable": "diagnose.errors",
}

__all__ = [
    "ContractMismatch",
    "DiagnoseError",
    "InputError",
    "NotComparable",
    "__version__",
    "check_contract",
    "compare",
    "infer_contract",
    "measure",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'diagnose' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
