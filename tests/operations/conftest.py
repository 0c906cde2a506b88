"""A sound, what stands beside a fault, the faults of others, and sounds that are hardly any."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from scipy import signal

from diagnose.operations.operation import Predicted
from diagnose.operations.scene import Scene

RATE = 16_000
NOISE_DB = -50.0


def start(ours, theirs, rate=RATE):
    """The scene, and the reference as the prediction that a chain without steps makes."""
    scene = Scene(np.float32(ours), np.float32(theirs), rate)
    spectra = scene.spectra_of(scene.reference)
    return scene, Predicted(scene.reference, spectra, scene.error_of(spectra))


@pytest.fixture(scope="session")
def begun():
    """begun(reference, generated): (Scene, Predicted)."""
    return start


@pytest.fixture(scope="session")
def asked():
    """asked(operation, reference, generated): what the operation fits to them, or None."""
    return lambda operation, ours, theirs, rate=RATE: operation(*start(ours, theirs, rate))


@pytest.fixture(scope="session")
def over_db():
    """over_db(reference, generated, fitted): by how much ordinary loss and what a step leaves are louder than that."""

    def judged(ours, theirs, fitted, rate=RATE):
        scene, _ = start(ours, theirs, rate)
        return scene.judge(scene.error_of(scene.spectra_of(fitted.apply(scene.reference)))).over_db

    return judged


@pytest.fixture(scope="session")
def off_db():
    """off_db(made, wanted): power of the difference over that of what is wanted, in dB."""
    return lambda made, wanted: 10 * np.log10(np.square(made - wanted).sum() / np.square(wanted).sum() + 1e-30)


@pytest.fixture(scope="session")
def white():
    """Two seconds of white noise."""
    return 0.1 * np.random.default_rng(8).standard_normal(2 * RATE)


@pytest.fixture(scope="session")
def chords():
    """Four bars of chords of decaying partials over a little noise, peak 0.5, 31,968 samples: a multiple of 2 to 9."""
    time = np.arange(31_968) / RATE
    made = 1e-3 * np.random.default_rng(1).standard_normal(time.size)
    for bar in range(4):
        since = np.maximum(time - 0.5 * bar, 0.0)
        envelope = np.exp(-4 * since) * (time >= 0.5 * bar) * np.minimum(since / 0.01, 1.0)
        for hz in (110.0, 165.0, 220.0 + 20 * bar):
            made += 0.05 * envelope * sum(np.sin(2 * np.pi * hz * k * time + k) / k for k in range(1, 25))
    return 0.5 * made / np.abs(made).max()


def _noisy(sound):
    noise = np.random.default_rng(3).standard_normal(sound.size)
    return sound + 10 ** (NOISE_DB / 20) * sound.std() * noise


BESIDE = {
    "alone": lambda sound: sound,
    "a gain": lambda sound: 0.5 * sound,
    "16 bits": lambda sound: np.rint(32768 * sound) / 32768,
    "noise": _noisy,
}


@pytest.fixture(params=BESIDE)
def beside(request):
    """What is done to a broken sound besides, with its name as .name."""

    class Beside:
        name = request.param
        gain_db = -6.0206 * (request.param == "a gain")

        def __call__(self, sound):
            return BESIDE[self.name](sound)

    return Beside()


def coded(sound, container, subtype):
    """The sound as libsndfile writes and reads it."""
    file = io.BytesIO()
    soundfile.write(file, np.float32(sound), RATE, format=container, subtype=subtype)
    file.seek(0)
    return soundfile.read(file)[0][: sound.size]


OTHERS = {
    "gain": lambda x: 0.4 * x,
    "clipping": lambda x: np.clip(x, -0.15, 0.15),
    "noise": lambda x: x + 0.03 * x.std() * np.random.default_rng(2).standard_normal(x.size),
    "low-pass": lambda x: signal.sosfiltfilt(signal.butter(6, 3000, fs=RATE, output="sos"), x),
    "dropout": lambda x: np.where((np.arange(x.size) > 8400) & (np.arange(x.size) < 9400), 0.0, x),
    "mu-law": lambda x: coded(x, "WAV", "ULAW"),
    "delay": lambda x: np.roll(x, 5),
    "Vorbis": lambda x: coded(x, "OGG", "VORBIS"),
    "MP3": lambda x: coded(x, "MP3", "MPEG_LAYER_III"),
}


@pytest.fixture(scope="session")
def others(chords):
    """{name: the chords with another fault, or as a codec gives them back}."""
    return {name: broken(chords) for name, broken in OTHERS.items()}


HARDLY = {
    "silence": lambda rng: np.zeros(4000),
    "100 samples": lambda rng: 0.1 * rng.standard_normal(100),
    "a constant": lambda rng: np.full(4000, 0.3),
    "white noise": lambda rng: 0.1 * rng.standard_normal(4000),
    "a tone": lambda rng: 0.3 * np.sin(np.arange(4000) / 9),
    "one sample": lambda rng: np.eye(1, 4000, 2000)[0],
}


@pytest.fixture(params=[(one, other) for one in HARDLY for other in HARDLY], ids=" and ".join)
def hardly(request, rng):
    """Two of them, as long as the shorter one."""
    ours, theirs = (HARDLY[name](rng) for name in request.param)
    length = min(ours.size, theirs.size)
    return ours[:length], theirs[:length]
