"""From a run to a sound, with the metrics of the grown sound beside those of the round trip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose.errors import InputError
from diagnose.resynthesis import stft
from tnca.judge import Judged, ceiling, judge
from tnca.training.look import grow
from tnca.vocoders.griffinlim import GriffinLim

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.audio import Audio
    from diagnose.mel.contract import MelContract
    from tnca.target import Target
    from tnca.training.run import Run
    from tnca.vocoders.vocoder import Mel, Vocoder

Phase = Literal["none", "target", "frequency"]
MOST_STEPS = 10_000


class Generated(msgspec.Struct, frozen=True, eq=False):
    """A grown sound.  errors_db: of its mel.  ceiling: the figures of the round trip.  without_phase: the figures of

    the same mel where no phase was carried, if one was.
    """

    mel: Mel
    sound: Audio
    errors_db: dict[str, float]
    judged: Judged
    ceiling: Judged
    without_phase: Judged | None = None


def generate(
    run: Run, vocoder: Vocoder | None = None, *, steps: int | None = None, phase: Phase = "none", seed: int = 0
) -> Generated:
    """What the best rule of a run grows, as sound, and judged.

    vocoder: Griffin-Lim in the run's contract by default.  steps: the highest of training's by default.
    phase: what is carried beside the grid to start Griffin-Lim from; see carried().
    """
    target = run.target
    voice = vocoder or GriffinLim(target.contract)
    if steps is not None and not 1 <= steps <= MOST_STEPS:
        raise InputError(f"--steps {steps}: must be 1 to {MOST_STEPS}")
    mel = grow(run.best_rule, target, steps or run.config.growth.steps[1], seed)
    top = ceiling(target, voice)[1]
    plain = voice(mel)
    if phase == "none":
        return Generated(mel, plain, target.errors_db(mel.values), judge(target, plain), top)
    if not isinstance(voice, GriffinLim):
        raise InputError(f"--phase {phase}: {voice.name} makes its own phases; use --vocoder griffinlim")
    sound = voice(mel, carried(target, phase), hold=phase == "target")
    return Generated(mel, sound, target.errors_db(mel.values), judge(target, sound), top, judge(target, plain))


def carried(target: Target, phase: Phase) -> Floats:
    """Phases to start a synthesis from [shape=(frames, n_fft/2 + 1)], radians: what a mel drops.

    "target": the target's own, which are held.  "frequency": only how each bin's phase moves from frame to frame,
    phase[t] - phase[0]: Griffin-Lim starts there.  Each bin then has its frequencies, and lacks one constant.
    """
    grid = target.contract.grid
    frames = target.values.shape[1]
    own = np.angle(stft(target.sound.mono, grid.framing))
    own = np.pad(own[:frames], ((0, max(0, frames - len(own))), (0, 0)))
    return own if phase == "target" else own - own[:1]


def vocoder_of(name: str, contract: MelContract, device: str = "cpu") -> Vocoder:
    """`griffinlim`, or `bigvgan:FOLDER` and `bigvgan:HUB/ID`; InputError for any other."""
    kind, _, source = name.partition(":")
    if kind == "griffinlim" and not source:
        return GriffinLim(contract)
    if kind == "bigvgan" and source:
        from tnca.vocoders.bigvgan import BigVGAN

        return BigVGAN(source, device)
    raise InputError(f"--vocoder {name}: must be griffinlim, bigvgan:DIR or bigvgan:HUB/ID")
