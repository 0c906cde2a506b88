"""Faults of the data: samples that are not the numbers that were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose import operations
from diagnose.faults.fault import Fault

if TYPE_CHECKING:
    from diagnose.faults.fault import Figures, Words

INTEGER_OVERFLOW = Fault(
    id="integer-overflow",
    family="data",
    title="samples beyond full scale wrap to the other sign",
    what=(
        "Float samples beyond 1 are converted to integers without a limit, so that they come out at the opposite end "
        "of the scale. Each such peak is a loud click."
    ),
    told_by=(
        "It is proven: the reference, amplified and wrapped at full scale, has to give the generated samples. Without "
        "a kept waveform only the clicks are seen."
    ),
    confused_with={
        "clipping": "there samples stay at the limit and keep their sign",
        "clicks": "wrapped samples lie on the loudest peaks, other clicks anywhere",
    },
    fix="clip before the conversion to integers, np.clip(x, -1, 1), or lower the level",
    metric="bad_places",
    fits=(operations.level.wrapped,),
    told=lambda p: (f"{p['samples']:.0f} samples past full scale wrap to the other sign", ""),
)

BYTES_MISREAD = Fault(
    id="bytes-misread",
    family="data",
    domain="interface",
    title="bytes are read in the wrong order, width or format",
    what=(
        "The bytes are right, and what they are taken for is not: the other byte order, an odd first byte, 24 bits "
        "or floats read as 16 bits, signed samples read as unsigned. It sounds like loud noise."
    ),
    told_by=(
        "Nothing can be aligned, so the samples are turned back into bytes and read in every other way. It is proven "
        "by the reading that gives the reference's waveform."
    ),
    confused_with={
        "companding": "there the bytes are logarithmic; only reading them so gives the reference",
        "noise": "under added noise the waveform still correlates with the reference",
        "different-content": "no reading of another sound gives the reference",
    },
    fix="state byte order and sample format where bytes become samples: np.frombuffer(data, '<i2'), not a default",
    metric="spectral_centroid_hz",
)


def _companding(p: Figures) -> Words:
    law, way = next(iter(p)).split()
    if way == "rounded":
        return f"samples went through 8 bits of {law} and back", ""
    if way == "misread":
        return f"bytes of {law} were read as those of the other law of G.711", ""
    kind = "encoding" if way == "encoded" else "decoding"
    return f"samples went through {law} {kind} and were taken for linear ones", ""


COMPANDING = Fault(
    id="companding",
    family="data",
    domain="interface",
    title="mu-law or A-law taken for linear samples, or left in",
    what=(
        "Telephone codecs and some vocoders store a logarithm of the sample. Bytes of such a file that are read as "
        "linear samples sound harsh and loud; a value that goes there and back is left with 8 bits."
    ),
    told_by=(
        "Read as mu-law or A-law, the bytes give the reference's waveform; or one of the laws, applied to the "
        "reference, gives the generated sound: that is the proof. A round trip through 8 bits is reported as "
        "quantisation, for the samples take few values."
    ),
    confused_with={
        "bytes-misread": "there another width or byte order gives the reference",
        "quantisation": "steps of one size are plain rounding; steps that grow with the level are companded",
        "clipping": "a curve that bends loud samples has no steps",
    },
    fix="decode the G.711 bytes first (ffmpeg -f mulaw or -f alaw, soundfile subtype ULAW or ALAW)",
    metric="quiet_excess_db",
    rivals=("quantisation",),
    fits=(operations.law.companded,),
    told=_companding,
)

NON_FINITE = Fault(
    id="non-finite",
    family="data",
    title="samples are NaN or infinite",
    what=(
        "Some samples are no numbers. They come from an overflow in half precision, the logarithm of 0, a division "
        "of 0 by 0, or a filter or normalisation that was fed with any of these."
    ),
    told_by=(
        "The samples themselves: their share, the first place, the longest stretch. In an integer file the tool looks "
        "for 5 ms or more at one value of full scale, which is what NaN becomes in a cast."
    ),
    confused_with={
        "silent": "NaN that a later stage replaced by 0 is silence",
        "clipping": "flat tops are short and as many as the peaks; a stuck stretch is long",
        "dropout": "the tool fills short stretches of NaN by a line and long ones by silence",
    },
    fix="find the first stage whose output fails np.isfinite(x).all(), and refuse to write a sound that fails it",
    metric="nonfinite_share",
)

FOREIGN_DATA = Fault(
    id="foreign-data",
    family="data",
    domain="interface",
    title="a header or metadata is played as sound",
    what=(
        "Bytes that are no samples are read as samples: the header of a WAV file opened as raw data, or a chunk of "
        "tags at the end. It is heard as a short burst or click at the border."
    ),
    told_by=(
        "The samples, written as 16-bit integers, spell a known header, a tag or text that the reference does not "
        "have. No sound does that by chance."
    ),
    confused_with={
        "clicks": "a header spells its name in the bytes of the samples",
        "edge-artifact": "a burst of the vocoder lasts for a frame, a header for some dozen samples",
        "bytes-misread": "there the sound itself is noise; here it is intact behind the header",
    },
    fix="read the file through a library that knows its format, soundfile.read(path), and not np.fromfile(path)",
    metric="edge_left_db",
)

FAULTS = (INTEGER_OVERFLOW, BYTES_MISREAD, COMPANDING, NON_FINITE, FOREIGN_DATA)
