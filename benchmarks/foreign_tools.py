"""Other people's tools, run on a sound: ffmpeg, SoX, libsndfile and audiomentations.

Sounds go in and come out as WAV files of 32 bit floats.  What comes out has the rate and the length of what went in:
a tool that gives more samples is cut at the end, one that gives fewer is filled up with zeros.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from diagnose import audio as files
from diagnose.audio import Audio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Setting = float | int | bool | str

TOOLS = ("ffmpeg", "sox", "libsndfile", "audiomentations")
QUIET = 2.0**-4  # of full scale: SoX and some filters of ffmpeg compute with 32 bit integers, which clip at 1
FLOATS = ("-e", "floating-point", "-b", "64")  # of 32 bits SoX would write 24 that count
TIMEOUT_S = 120

# audiomentations draws its noise from the generators of the whole process, so it gets a process of its own.
SEEDED = """
import random, sys
import audiomentations, numpy, soundfile
given, made, name, seed, *settings = sys.argv[1:]
random.seed(int(seed))
numpy.random.seed(int(seed))
transform = getattr(audiomentations, name)(p=1.0, **{key: float(value) for key, value in zip(*[iter(settings)] * 2)})
samples, rate = soundfile.read(given, dtype="float32", always_2d=True)
samples = numpy.ascontiguousarray(samples.T)
soundfile.write(made, transform(samples, rate).T, rate, format="WAV", subtype="FLOAT")
"""


def is_installed(tool: str) -> bool:
    """Whether a tool can be run here; libsndfile always can, for diagnose reads its files with it."""
    if tool == "audiomentations":
        return importlib.util.find_spec(tool) is not None
    return tool == "libsndfile" or shutil.which(tool) is not None


def run(command: Sequence[str], folder: str) -> str:
    """Run a command in a folder; what it said to stderr.  Raises RuntimeError, with that, where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr.strip()}")
    return done.stderr


def fitted(audio: Audio, samples: np.ndarray) -> Audio:
    """The sound with other samples, cut or filled up with zeros to its length."""
    missing = max(audio.length - samples.shape[1], 0)
    whole = np.pad(samples, ((0, 0), (0, missing)))[:, : audio.length]
    return Audio(np.ascontiguousarray(whole, np.float32), audio.rate, audio.name)


def scaled(audio: Audio, factor: float) -> Audio:
    """factor * x; without any loss where the factor is a power of two."""
    return Audio((audio.samples * np.float32(factor)).astype(np.float32), audio.rate, audio.name)


def rms(samples: np.ndarray) -> float:
    """sqrt(mean(x**2))."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def read_back(audio: Audio, path: str) -> Audio:
    """What a tool made of a sound.  Raises RuntimeError where the rate or the channels are others."""
    made = files.read(path)
    if (made.rate, made.channels) != (audio.rate, audio.channels):
        raise RuntimeError(f"{path}: {made.rate} Hz and {made.channels} channels, not those of {audio!r}")
    return fitted(audio, made.samples)


def ffmpeg(audio: Audio, filters: str, scale: float = 1.0) -> Audio:
    """The sound through a chain of ffmpeg's filters, which see it scaled."""
    with tempfile.TemporaryDirectory() as folder:
        files.write(os.path.join(folder, "in.wav"), scaled(audio, scale), "FLOAT")
        run(["ffmpeg", "-v", "error", "-i", "in.wav", "-af", filters, "-c:a", "pcm_f32le", "out.wav"], folder)
        return scaled(read_back(audio, os.path.join(folder, "out.wav")), 1 / scale)


def ffmpeg_makes(audio: Audio, graph: str) -> Audio:
    """What a graph of ffmpeg's sources gives, in as many channels and of the same length as the sound."""
    shape = ["-ac", str(audio.channels), "-ar", str(audio.rate)]
    with tempfile.TemporaryDirectory() as folder:
        run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", graph, *shape, "-c:a", "pcm_f32le", "out.wav"], folder)
        return read_back(audio, os.path.join(folder, "out.wav"))


def ffmpeg_mixes(audio: Audio, added: Audio, weight: float) -> Audio:
    """x + weight * added, by amix."""
    mix = f"amix=inputs=2:duration=first:normalize=0:weights='1 {weight:.9g}'"
    with tempfile.TemporaryDirectory() as folder:
        files.write(os.path.join(folder, "in.wav"), audio, "FLOAT")
        files.write(os.path.join(folder, "added.wav"), added, "FLOAT")
        inputs = ["-i", "in.wav", "-i", "added.wav", "-filter_complex", mix]
        run(["ffmpeg", "-v", "error", *inputs, "-c:a", "pcm_f32le", "out.wav"], folder)
        return read_back(audio, os.path.join(folder, "out.wav"))


def ffmpeg_codec(audio: Audio, name: str, encoder: Sequence[str]) -> Audio:
    """The sound encoded into a file of that name and decoded; the delay that is left is left."""
    shape = ["-ac", str(audio.channels), "-ar", str(audio.rate)]
    with tempfile.TemporaryDirectory() as folder:
        files.write(os.path.join(folder, "in.wav"), audio, "FLOAT")
        run(["ffmpeg", "-v", "error", "-i", "in.wav", *encoder, name], folder)
        run(["ffmpeg", "-v", "error", "-i", name, *shape, "-c:a", "pcm_f32le", "out.wav"], folder)
        return read_back(audio, os.path.join(folder, "out.wav"))


def sox(
    audio: Audio,
    effects: Sequence[str],
    scale: float = QUIET,
    encoding: Sequence[str] = FLOATS,
    extra: Mapping[str, str] | None = None,
    clips: bool = False,
) -> Audio:
    """The sound through a chain of SoX's effects, which see it scaled; never dithered.

    extra: text files that the effects read, by name.  Raises RuntimeError where SoX clips and clips is False.
    """
    with tempfile.TemporaryDirectory() as folder:
        files.write(os.path.join(folder, "in.wav"), scaled(audio, scale), "FLOAT")
        for name, text in (extra or {}).items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        said = run(["sox", "-R", "-D", "in.wav", *encoding, "out.wav", *effects], folder)
        if "clipped" in said and not clips:
            raise RuntimeError(f"sox {' '.join(effects)}: {said.strip()}")
        return scaled(read_back(audio, os.path.join(folder, "out.wav")), 1 / scale)


def sox_makes(audio: Audio, channels: int, effects: Sequence[str]) -> Audio:
    """What SoX's effects make of nothing: in as many channels and of the same length as the sound."""
    shape = ["-r", str(audio.rate), "-c", str(channels)]
    with tempfile.TemporaryDirectory() as folder:
        run(["sox", "-R", "-D", *shape, "-n", *FLOATS, "out.wav", *effects], folder)
        return read_back(audio, os.path.join(folder, "out.wav"))


def sox_mixes(audio: Audio, added: Audio, weight: float) -> Audio:
    """x + weight * added, by sox -m."""
    sides = ["-v", "1", "in.wav", "-v", f"{weight:.9g}", "added.wav"]
    with tempfile.TemporaryDirectory() as folder:
        files.write(os.path.join(folder, "in.wav"), scaled(audio, QUIET), "FLOAT")
        files.write(os.path.join(folder, "added.wav"), scaled(added, QUIET), "FLOAT")
        said = run(["sox", "-R", "-D", "-m", *sides, *FLOATS, "out.wav"], folder)
        if "clipped" in said:
            raise RuntimeError(f"sox -m: {said.strip()}")
        return scaled(read_back(audio, os.path.join(folder, "out.wav")), 1 / QUIET)


def sndfile(audio: Audio, subtype: str, scale: float) -> Audio:
    """The sound scaled, written into a WAV file of that subtype by libsndfile, read and scaled back."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.wav")
        files.write(path, scaled(audio, scale), subtype)
        return scaled(read_back(audio, path), 1 / scale)


def transformed(audio: Audio, name: str, settings: Mapping[str, Setting], frozen: Mapping[str, int]) -> Audio:
    """The sound through one of audiomentations' transforms; frozen: parameters that it would draw, where not empty."""
    transform = getattr(import_module("audiomentations"), name)(p=1.0, **settings)
    if frozen:
        transform.parameters = {"should_apply": True, **frozen}
        transform.freeze_parameters()
    samples = audio.samples[0] if audio.channels == 1 else audio.samples
    return fitted(audio, np.atleast_2d(transform(samples.copy(), audio.rate)))


def seeded_transform(audio: Audio, name: str, settings: Mapping[str, float], seed: int) -> Audio:
    """The sound through a transform of audiomentations that draws numbers, in a process of its own under a seed."""
    words = [word for key, value in settings.items() for word in (key, str(value))]
    with tempfile.TemporaryDirectory() as folder:
        files.write(os.path.join(folder, "in.wav"), audio, "FLOAT")
        run([sys.executable, "-c", SEEDED, "in.wav", "out.wav", name, str(seed), *words], folder)
        return read_back(audio, os.path.join(folder, "out.wav"))
