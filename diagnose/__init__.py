"""timbre-diagnose: the debugger for neural-audio pipelines.

    report = diagnose.compare("violin.wav", "generated.wav")
    report.verdict, report["rms_ratio"].change, report.causes[0].fix
    diagnose.measure(samples, rate=44100)["loudness_lufs"].value
    diagnose.check_contract(mel, "bigvgan_base_22khz_80band")      # one line before a vocoder's call
    diagnose.infer_contract(mel, "violin.wav").best.fields()
    diagnose.read_report("report.json")                            # what `diagnose compare --json` wrote

__init__.pyi lists what is here; each name is loaded when it is first used, so `diagnose --help` needs no numpy.
"""

import lazy_loader

from diagnose.version import VERSION as __version__

__getattr__, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __dir__() -> list[str]:
    return __all__
