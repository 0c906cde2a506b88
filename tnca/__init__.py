"""The neural cellular automaton that grows a mel spectrogram, and the vocoders behind it.

run = tnca.train(audio, config)                # tnca.config.preset("best"), or read("my.toml", "best")
sound = tnca.generate(run).sound               # a diagnose.audio.Audio
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.audio import Audio, Source
    from tnca.config import Config
    from tnca.training.run import Run
    from tnca.vocoders.vocoder import Vocoder

__all__ = ["generate", "train"]


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
