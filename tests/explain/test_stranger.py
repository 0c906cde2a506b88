"""Another sound beside the reference is told; noise, lines, echoes, clicks and what follows the sound are none."""

import numpy as np
import pytest
from scipy import signal

from diagnose.explain.confidence import BELIEFS, Basis
from diagnose.explain.stranger import MOST_IMPULSIVE, TEXTURE, _bent, _impulsive, _texture, stranger
from diagnose.operations.operation import Predicted
from diagnose.operations.scene import Scene

RATE = 16_000


@pytest.fixture(scope="module")
def other():
    """Words, as it were: partials of a pitch that moves, in syllables that are not the reference's bars."""
    time = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(190 + 30 * np.sin(4.3 * time) + 15 * time) / RATE
    made = sum(np.sin(k * phase + k * k) / k for k in range(1, 25))
    made *= np.clip(np.sin(2 * np.pi * 3.1 * time + 1) + 0.5, 0, None) ** 1.5
    return made / made.std()


def begun(ours, theirs):
    scene = Scene(np.float32(ours), np.float32(theirs), RATE)
    spectra = scene.spectra_of(scene.reference)
    return scene, Predicted(scene.reference, spectra, scene.error_of(spectra))


def asked(ours, theirs):
    return stranger(*begun(ours, theirs))


@pytest.mark.parametrize("level_db", [-3.0, -10.0, -20.0])
@pytest.mark.parametrize("beside", ["alone", "16 bits", "noise"])
def test_another_sound_is_told_with_its_level(sound, other, rng, level_db, beside):
    if (beside, level_db) == ("noise", -20.0):
        return  # where the chords have nothing, the noise is as loud as the other sound
    mixed = sound + 10 ** (level_db / 20) * sound.std() * other
    made = {
        "alone": mixed,
        "16 bits": np.rint(32768 * mixed) / 32768,
        "noise": mixed + 10 ** (-50 / 20) * sound.std() * rng.standard_normal(sound.size),
    }
    found = asked(sound, made[beside])
    assert (found.id, found.confidence) == ("interference", BELIEFS[Basis.STRANGER].most)
    assert f"{level_db:+.0f} dB" in found.summary
    assert found.step is None


def closed(sound):
    return np.where(np.arange(sound.size) // 4000 % 3 == 0, 0.0, sound)


NONE = {
    "nothing": lambda x, rng: x,
    "noise": lambda x, rng: x + 0.1 * x.std() * rng.standard_normal(x.size),
    "noise that swells": lambda x, rng: x + 0.1 * x.std() * np.linspace(0, 2, x.size) * rng.standard_normal(x.size),
    "a hum": lambda x, rng: x + 0.2 * x.std() * np.sin(2 * np.pi * 50 * np.arange(x.size) / RATE),
    "a gain": lambda x, rng: 0.5 * x,
    "an echo": lambda x, rng: x + 0.5 * np.append(np.zeros(1600), x[:-1600]),
    "clipping": lambda x, rng: np.clip(x, -0.1, 0.1),
    "a tanh": lambda x, rng: np.tanh(8 * x) / 8,
    "a low-pass": lambda x, rng: signal.lfilter(*signal.butter(4, 2000, fs=RATE), x),
    "holes": lambda x, rng: closed(x),
    "clicks": lambda x, rng: x + 0.5 * (np.arange(x.size) % 1000 == 5),
    "8 bits": lambda x, rng: np.rint(128 * x) / 128,
    "a bias": lambda x, rng: x + 0.1,
    "noise with the sound": lambda x, rng: x * (1 + 0.3 * rng.standard_normal(x.size)),
}


@pytest.mark.parametrize("name", NONE)
def test_no_other_fault_is_another_sound(sound, rng, name):
    assert asked(sound, NONE[name](sound, rng)) is None


@pytest.mark.parametrize(("over_db", "is_told"), [(2.0, False), (4.5, True)])
def test_it_is_3_db_over_ordinary_loss(sound, other, over_db, is_told):
    """The level at which it is so loud, by halving."""
    low, high = -60.0, 0.0
    for _ in range(20):
        middle = (low + high) / 2
        mixed = sound + 10 ** (middle / 20) * sound.std() * other
        scene, predicted = begun(sound, mixed)
        low, high = (middle, high) if scene.judge(predicted.error).over_db < over_db else (low, middle)
    assert (asked(sound, mixed) is not None) is is_told


@pytest.mark.parametrize("hop", [186, 256])
def test_one_waveform_in_every_frame_is_no_other_sound(sound, rng, hop):
    assert asked(sound, sound + 0.1 * sound.std() * np.resize(rng.standard_normal(hop), sound.size)) is None


@pytest.mark.parametrize(("step_db", "is_bent"), [(1.2, False), (2.8, True)])
def test_the_reference_itself_comes_through_at_one_level(sound, other, step_db, is_bent):
    """The reference over 500 Hz is louder or softer by 2 dB; beside that, what is left over may be what did it."""
    for sign in (-1, 1):
        spectrum = np.fft.rfft(sound)
        spectrum[np.fft.rfftfreq(sound.size, 1 / RATE) > 500] *= 10 ** (sign * step_db / 20)
        bent = np.fft.irfft(spectrum, sound.size)
        both = bent + 0.03 * sound.std() * other
        assert _bent(*begun(sound, both)) is is_bent
        assert not (is_bent and asked(sound, both))


def test_noise_in_the_syllables_of_another_sound_has_no_partials(sound, other, rng):
    """Its level moves as the other sound's, and the cells about each are as those of noise."""
    time = np.arange(sound.size) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time + 1) + 0.5, 0, None) ** 1.5
    noise = syllables * rng.standard_normal(sound.size)
    assert asked(sound, sound + 0.3 * sound.std() * noise / noise.std()) is None
    textures = [_texture(begun(sound, sound + 0.3 * each / each.std())[1].error) for each in (noise, other)]
    assert textures[0] < TEXTURE < textures[1]


@pytest.mark.parametrize(("every", "is_impulsive"), [(4, False), (40, True)])
def test_a_sound_in_single_milliseconds_is_clicks(rng, every, is_impulsive):
    """Of noise in a fortieth of all of them a twentieth holds all; of noise in a quarter, a fifth and a little more."""
    part = np.arange(RATE) // (RATE // 1000) % every == 0
    assert (_impulsive(part * rng.standard_normal(RATE), RATE) > MOST_IMPULSIVE) is is_impulsive


@pytest.mark.parametrize(("seconds", "is_told"), [(0.25, False), (1.8, True)])
def test_it_is_heard_for_some_time(sound, other, seconds, is_told):
    part = np.arange(sound.size) < seconds * RATE
    assert (asked(sound, sound + 0.2 * sound.std() * np.where(part, other, 0)) is not None) is is_told


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.zeros(4000), np.zeros(4000)),
        (np.full(4000, 0.3), np.zeros(4000)),
        (np.zeros(4000), np.full(4000, 0.3)),
        (np.random.default_rng(1).standard_normal(100), np.zeros(100)),
        (np.random.default_rng(1).standard_normal(4000), np.random.default_rng(2).standard_normal(4000)),
    ],
)
def test_what_is_hardly_a_sound_crashes_nothing(ours, theirs):
    assert asked(ours, theirs) is None
