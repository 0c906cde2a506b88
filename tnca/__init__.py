"""The neural cellular automaton that grows a mel spectrogram, and the vocoders behind it.

run = tnca.train("violin.wav", tnca.config.preset("best"))    # or tnca.config.read("my.toml", "best")
sound = tnca.generate(run)                                    # a diagnose.Audio

Names are loaded when they are first used: a kernel needs torch and numpy alone, and `import tnca` neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.audio import Audio, Source
    from tnca import config
    from tnca.config import Config
    from tnca.training.run import Run
    from tnca.vocoders.vocoder import Vocoder

__all__ = ["Config", "Run", "config", "generate", "train"]


def train(
    audio: Source, config: Config, *, rate: int | None = None, folder: str | None = None, device: str = "auto"
) -> Run:
    """A run trained on a sound (a path, Audio, or an array with its rate) to its last epoch; kept in folder, if any.

    Raises InputError for a sound without a level or a frame, and for a training that diverges.
    """
    from diagnose import audio as sounds
    from tnca.training.loop import start
    from tnca.training.loop import train as go
    from tnca.training.run import device_of

    return go(start(sounds.load(audio, rate), config, folder, device_of(device)))


def generate(run: Run, vocoder: Vocoder | None = None) -> Audio:
    """What the best rule of a run grows, as sound; tnca.generation.generate() judges it too."""
    from tnca.generation import generate as go

    return go(run, vocoder).sound


if not TYPE_CHECKING:  # a type checker would take every name for one that is there

    def __getattr__(name: str) -> object:
        """The settings, and the types above that other modules hold."""
        from importlib import import_module

        if name == "config":
            return import_module("tnca.config")
        home = {"Config": "tnca.config", "Run": "tnca.training.run"}.get(name)
        if home is None:
            raise AttributeError(f"module 'tnca' has no attribute {name!r}")
        return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
