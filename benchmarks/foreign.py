"""Known faults that other people's tools make: ffmpeg, SoX, libsndfile and audiomentations.

    for injector in available():
        for severity in range(len(injector.severities)):
            broken = injector.inject(audio, severity, seed=0)

A diagnosis that is tuned on faults of our own is tried on these: other curves of filters and of soft clippers, delays
of filters, holes with hard edges, steps that are no powers of two.  Gains and offsets are those of faults/: a filter
leaves 1 kHz or its pass band as it was, a soft clipper leaves small samples as they were.  A tool that is not
installed is left out, and missing() says so.  Nothing here asks diagnose what it thinks.

Left out: SoX's overdrive (it has a DC blocker in it, so it is not memoryless), ffmpeg's alimiter and SoX's compand
(memory), audiomentations' TanhDistortion (it restores the RMS, so it is a gain too), ffmpeg's velvet noise (half of
its samples are impulses), ffmpeg's tiltshelf, SoX's bass and treble and the RIAA curves (plateaus, not a slope).
SoX's and libsndfile's 8 bits are made of a sound at full level and of one 12 dB down, which has 6 bits left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import foreign_faults as faults
import foreign_tools as tools
import msgspec
import numpy as np
from foreign_faults import by_effect, by_filter, by_transform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from foreign_faults import Break

    from diagnose.audio import Audio


class Injector(msgspec.Struct, frozen=True):
    """A fault that a foreign tool makes.

    cause: the id a diagnosis should name.  severities: the settings, middle first and then high, in unit; polarity has
    one.  also: further causes that the tool brings with it, which are no mistake to name.
    """

    tool: str
    name: str
    cause: str
    severities: tuple[float, ...]
    unit: str
    break_by: Break
    also: tuple[str, ...] = ()

    def inject(self, audio: Audio, severity: int, seed: int) -> Audio:
        """The sound with the fault, of the same rate and length; severity is an index into severities."""
        return self.break_by(audio, self.severities[severity], np.random.default_rng(seed))


GAIN, SHARE, OFFSET, BITS, HZ, DB, OCTAVES = "dB", "of the samples", "of the RMS", "bits", "Hz", "dB", "octaves"
SLOPE, TIME, RATE = "dB per octave", "of the time", "1/s"
FIXED = (-1.0,)  # the one setting of polarity: a factor
CUTOFF = ("min_cutoff_freq", "max_cutoff_freq")
ZERO_PHASE = {"min_rolloff": 24, "max_rolloff": 24, "zero_phase": True}
CAUSAL = {"min_rolloff": 48, "max_rolloff": 48, "zero_phase": False}
AM = "audiomentations"

INJECTORS: tuple[Injector, ...] = (
    Injector("ffmpeg", "ffmpeg_volume", "gain", (7.0, 12.0), GAIN, by_filter("volume={0}dB:precision=float")),
    Injector("sox", "sox_gain", "gain", (-11.0, -20.0), GAIN, by_effect("gain {0}")),
    Injector(
        AM, "audiomentations_gain", "gain", (-6.0, 9.0), GAIN, by_transform("Gain", ("min_gain_db", "max_gain_db"))
    ),
    Injector("ffmpeg", "ffmpeg_dcshift", "dc-offset", (0.5, 1.5), OFFSET, faults.ffmpeg_offset),
    Injector("sox", "sox_dcshift", "dc-offset", (-0.5, -1.5), OFFSET, faults.sox_offset),
    Injector("ffmpeg", "ffmpeg_negated", "polarity", FIXED, "times", by_filter("aeval={0}*val(ch):c=same")),
    Injector("sox", "sox_vol", "polarity", FIXED, "times", by_effect("vol {0}")),
    Injector(AM, "audiomentations_polarity", "polarity", FIXED, "times", by_transform("PolarityInversion", ())),
    Injector("ffmpeg", "ffmpeg_hard", "clipping", (0.02, 0.2), SHARE, faults.ffmpeg_hard),
    Injector("sox", "sox_hard", "clipping", (0.02, 0.2), SHARE, faults.sox_hard),
    Injector("libsndfile", "libsndfile_hard", "clipping", (0.02, 0.2), SHARE, faults.sndfile_hard),
    Injector(AM, "audiomentations_clipping", "clipping", (4.0, 20.0), "% of the samples", faults.clipped_percent),
    Injector("ffmpeg", "ffmpeg_tanh", "clipping", (1.7, 5.0), "times", faults.ffmpeg_soft("tanh")),
    Injector("ffmpeg", "ffmpeg_alg", "clipping", (1.7, 5.0), "times", faults.ffmpeg_soft("alg")),
    Injector("sox", "sox_contrast", "clipping", (2.0, 4.0), "sines in a row", faults.sox_contrast),
    Injector(
        *("ffmpeg", "ffmpeg_acrusher", "quantisation", (7.0, 5.0), BITS),
        by_filter("acrusher=bits={0}:mix=0:aa=0:mode=lin:samples=1"),
    ),
    Injector("sox", "sox_8_bits", "quantisation", (0.0, 12.0), "dB below full scale", faults.sox_eight_bits),
    Injector(
        *("libsndfile", "libsndfile_8_bits", "quantisation", (0.0, 12.0), "dB below full scale"),
        faults.sndfile_eight_bits,
        also=("dc-offset",),
    ),
    Injector(AM, "audiomentations_bit_crush", "quantisation", (8.0, 6.0), BITS, faults.crushed),
    Injector(
        *("ffmpeg", "ffmpeg_lowpass", "high-frequency-loss", (3000.0, 1000.0), HZ),
        by_filter("lowpass=f={0}"),
        also=("delay", "tilt"),
    ),
    Injector(
        "ffmpeg",
        "ffmpeg_lowpass_steep",
        "high-frequency-loss",
        (3000.0, 1000.0),
        HZ,
        faults.lowpass_steep,
        also=("delay",),
    ),
    Injector(
        *("ffmpeg", "ffmpeg_firequalizer_loss", "high-frequency-loss", (3000.0, 1000.0), HZ),
        faults.firequalizer("if(lt(f,{0}),0,-90)"),
    ),
    Injector("sox", "sox_sinc", "high-frequency-loss", (3000.0, 1000.0), HZ, by_effect("sinc -{0}")),
    Injector(
        "sox",
        "sox_sinc_minimum",
        "high-frequency-loss",
        (3000.0, 1000.0),
        HZ,
        by_effect("sinc -M -{0}"),
        also=("delay",),
    ),
    Injector(
        *(AM, "audiomentations_lowpass_zero", "high-frequency-loss", (3000.0, 1000.0), HZ),
        by_transform("LowPassFilter", CUTOFF, ZERO_PHASE),
    ),
    Injector(
        *(AM, "audiomentations_lowpass", "high-frequency-loss", (3000.0, 1000.0), HZ),
        by_transform("LowPassFilter", CUTOFF, CAUSAL),
        also=("delay",),
    ),
    Injector("ffmpeg", "ffmpeg_atilt", "tilt", (-3.5, -6.0), SLOPE, faults.atilt),
    Injector(
        *("ffmpeg", "ffmpeg_firequalizer_tilt", "tilt", (3.5, 6.0), SLOPE),
        faults.firequalizer("{0}*log(max(f,30)/1000)/log(2)"),
    ),
    Injector("sox", "sox_firfit", "tilt", (-3.5, 6.0), SLOPE, faults.firfit),
    Injector("ffmpeg", "ffmpeg_bandreject", "band-gap", (1.0, 2.0), OCTAVES, faults.ffmpeg_gap),
    Injector("sox", "sox_bandreject", "band-gap", (1.0, 2.0), OCTAVES, faults.sox_notch),
    Injector("sox", "sox_sinc_gap", "band-gap", (0.6, 1.6), OCTAVES, faults.sox_gap),
    Injector(AM, "audiomentations_band_stop", "band-gap", (0.6, 1.6), OCTAVES, faults.band_stop),
    Injector("ffmpeg", "ffmpeg_volume_0", "dropout", (0.07, 0.25), TIME, faults.ffmpeg_holes),
    Injector("sox", "sox_trim_pad", "dropout", (0.07, 0.25), TIME, faults.sox_holes),
    Injector(AM, "audiomentations_time_mask", "dropout", (0.07, 0.25), TIME, faults.time_mask),
    Injector("ffmpeg", "ffmpeg_white", "noise", (-22.0, -6.0), DB, faults.ffmpeg_noise("white")),
    Injector("ffmpeg", "ffmpeg_pink", "noise", (-22.0, -6.0), DB, faults.ffmpeg_noise("pink")),
    Injector("sox", "sox_white", "noise", (-22.0, -6.0), DB, faults.sox_noise("whitenoise")),
    Injector("sox", "sox_pink", "noise", (-22.0, -6.0), DB, faults.sox_noise("pinknoise")),
    Injector(AM, "audiomentations_gaussian", "noise", (-22.0, -6.0), DB, faults.gaussian),
    Injector("ffmpeg", "ffmpeg_hum_60", "hum", (-15.0, 0.0), DB, faults.ffmpeg_hum),
    Injector("sox", "sox_hum_50", "hum", (-15.0, 0.0), DB, faults.sox_hum),
    Injector("ffmpeg", "ffmpeg_impulses", "clicks", (3.5, 12.0), RATE, faults.ffmpeg_clicks),
    Injector("sox", "sox_impulses", "clicks", (3.5, 12.0), RATE, faults.sox_clicks),
)


def available() -> tuple[Injector, ...]:
    """The injectors whose tool is installed."""
    here = {tool for tool in tools.TOOLS if tools.is_installed(tool)}
    return tuple(each for each in INJECTORS if each.tool in here)


def missing() -> tuple[str, ...]:
    """One line for each tool that is not installed: its name and the injectors that are skipped."""
    lines = []
    for tool in tools.TOOLS:
        if not tools.is_installed(tool):
            names = ", ".join(each.name for each in INJECTORS if each.tool == tool)
            lines.append(f"{tool} is not installed: skipped {names}")
    return tuple(lines)


def copies(audio: Audio, seed: int) -> Iterator[tuple[Injector, int, Audio]]:
    """The sound with every fault that can be made here, at every severity: (injector, severity, broken)."""
    for injector in available():
        for severity in range(len(injector.severities)):
            yield injector, severity, injector.inject(audio, severity, seed)
