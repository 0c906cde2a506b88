import msgspec
import numpy as np
import pytest
import timeline_edits as make

from diagnose.stft_cache import StftCache
from diagnose.timeline import Timeline, laid, lay
from diagnose.timeline.content import MOVED
from diagnose.timeline.edits import LEAST_S
from diagnose.timeline.silence import SILENT

RATE = 8000
LEAST = round(LEAST_S * RATE)
NEAR = 6  # samples: a border moves where a sample happens to fit on both sides


def centred(sound):
    """The sound without its mean: silence beside it is silence then, too."""
    return sound - sound.mean(dtype=float).astype(np.float32)


def edits(found):
    return [(one.kind, one.content) for one in found.edits]


def lies_whole(found, sound):
    """Whether the timeline is one match, of all of the sound."""
    assert [(one.kind, one.reference, one.generated) for one in found.segments] == [
        ("matched", (0, sound.size), (0, sound.size))
    ]
    assert (found.edits, found.delay, found.period, found.drift, found.resampled) == ((), 0, None, 0, False)
    return True


def is_in_order(found, lengths, least=LEAST):
    """Whether both sounds are covered in order; what is shorter than an edit is a delay that moved."""
    for side, name in enumerate(("reference", "generated")):
        edges = [0, *(edge for one in found.segments for edge in getattr(one, name)), lengths[side]]
        assert all(start <= end for start, end in zip(edges[1:-1:2], edges[2::2], strict=True))
        assert all(0 <= b - a < least for a, b in zip(edges[::2], edges[1::2], strict=True))
    for one in found.segments:
        if one.kind == "matched":
            assert one.reference[1] - one.reference[0] == one.generated[1] - one.generated[0]
    return True


# The same sound


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("seconds", [0.02, 0.1, 1.5])
@pytest.mark.parametrize("gain", [1.0, -1.0, 0.01, -20.0])
def test_white_noise_against_itself_has_no_edit(white, timeline, rate, seconds, gain):
    sound = white(round(seconds * rate), 4)
    found = timeline(sound, np.float32(gain) * sound, rate)
    assert lies_whole(found, sound)
    assert (found.method, found.polarity) == ("waveform", np.sign(gain))
    assert found.gain == pytest.approx(abs(gain), rel=1e-3)
    assert found.correlation == pytest.approx(np.sign(gain), abs=1e-4)


@pytest.mark.parametrize("hz", [50, 100, 440, 3999])
@pytest.mark.parametrize("seconds", [0.02, 0.5])
@pytest.mark.parametrize("gain", [1.0, -0.3])
def test_a_pure_tone_against_itself_has_no_edit_and_no_slip_by_a_period(tone, timeline, hz, seconds, gain):
    sound = tone(hz, RATE, seconds, 0.5)
    found = timeline(sound, np.float32(gain) * sound)
    assert lies_whole(found, sound)
    assert (found.method, found.polarity) == ("waveform", np.sign(gain))


@pytest.mark.parametrize("biases", [(0.5, 0.0), (0.0, -0.5), (0.9, 0.9)])
def test_a_constant_changes_nothing(white, timeline, biases):
    sound = white(2 * RATE)
    found = timeline(sound + np.float32(biases[0]), np.float32(-0.5) * sound + np.float32(biases[1]))
    assert lies_whole(found, sound)
    assert (found.method, found.polarity) == ("waveform", -1)
    assert found.gain == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("levels", [(0.0, 0.0), (0.5, 0.0), (0.0, -0.5), (0.5, 0.5)])
def test_silence_and_constants_lie_start_on_start(timeline, levels):
    found = timeline(*(np.full(RATE, level) for level in levels))
    assert lies_whole(found, np.zeros(RATE))
    assert (found.method, found.gain, found.polarity, found.correlation) == ("none", 1.0, None, 0.0)


@pytest.mark.parametrize("seconds", [0.02, 0.1, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_another_sound_lies_start_on_start(white, timeline, seconds, seed):
    size = round(seconds * RATE)
    found = timeline(white(size, seed), 3 * white(size, seed + 100))
    assert lies_whole(found, np.zeros(size))
    assert (found.method, found.polarity) == ("none", None)


def test_noise_over_a_copy_is_no_edit(white, timeline):
    sound = white(2 * RATE)
    found = timeline(sound, sound + 0.1 * white(sound.size, 5))
    assert lies_whole(found, sound)


@pytest.mark.parametrize("what", ["silence", "burst", "another sound"])
def test_what_was_done_in_its_place_is_no_edit(white, timeline, what):
    sound = white(2 * RATE)
    generated = sound.copy()
    generated[9000:10000] = {"silence": 0.0, "burst": 0.9, "another sound": white(1000, 5)}[what]
    assert lies_whole(timeline(sound, generated), sound)


# One edit


@pytest.mark.parametrize(("rate", "gain"), [(8000, -0.4), (22050, 1.0)])
def test_five_milliseconds_lost(white, timeline, rate, gain):
    sound, size = white(2 * rate), round(0.005 * rate)
    made = make.cut_parts(sound, [(rate, rate + size)])
    found = timeline(sound, np.float32(gain) * made.generated, rate)
    assert edits(found) == [("lost", "sound")]
    assert found.edits[0].reference == pytest.approx((rate, rate + size), abs=NEAR)
    assert found.total("lost") == pytest.approx(size, abs=NEAR)
    assert (found.period, found.polarity) == (None, np.sign(gain))


@pytest.mark.parametrize(("rate", "gain"), [(8000, -0.4), (22050, 1.0)])
def test_five_milliseconds_of_silence_inserted(white, timeline, rate, gain):
    sound, size = centred(white(2 * rate)), round(0.005 * rate)
    made = make.insert_silence(sound, [rate], [size])
    found = timeline(sound, np.float32(gain) * made.generated, rate)
    assert edits(found) == [("inserted", "silence")]
    assert found.edits[0].generated == pytest.approx((rate, rate + size), abs=NEAR)
    assert (found.period, found.polarity) == (None, np.sign(gain))


@pytest.mark.parametrize(("rate", "gain"), [(8000, -0.4), (22050, 1.0)])
def test_twenty_milliseconds_repeated(white, timeline, rate, gain):
    sound, size = white(2 * rate), round(0.02 * rate)
    made = make.stutter(sound, [(rate, rate + size)])
    found = timeline(sound, np.float32(gain) * made.generated, rate)
    assert edits(found) == [("repeated", None)]
    assert found.edits[0].generated == pytest.approx((rate + size, rate + 2 * size), abs=NEAR)
    assert found.edits[0].source == pytest.approx((rate, rate + size), abs=NEAR)
    assert (found.moved, found.period) == (0.0, None)


@pytest.mark.parametrize(("edit", "size"), [("cut", 40), ("silence", 40), ("stutter", 160)])
def test_edits_at_one_distance_have_a_period(white, timeline, edit, size):
    sound, places = white(2 * RATE), list(range(1000, 15000, 2400))
    made = {
        "cut": lambda: make.cut_parts(sound, [(at, at + size) for at in places]),
        "silence": lambda: make.insert_silence(sound, places, [size] * len(places)),
        "stutter": lambda: make.stutter(sound, [(at, at + size) for at in places]),
    }[edit]()
    found = timeline(sound, made.generated)
    kind = {"cut": "lost", "silence": "inserted", "stutter": "repeated"}[edit]
    assert [one.kind for one in found.edits] == [kind] * len(places)
    assert found.period == pytest.approx(2400 + (-size if edit == "cut" else size), abs=1)
    assert found.total(kind) == pytest.approx(size * len(places), abs=NEAR * len(places))


@pytest.mark.parametrize(("kept", "edit"), [(LEAST - 2, False), (LEAST, True)])
@pytest.mark.parametrize("kind", ["lost", "inserted"])
def test_an_edit_is_four_milliseconds_or_a_delay_that_moves(white, timeline, kept, edit, kind):
    sound = white(2 * RATE)
    rest = sound[RATE + kept :] if kind == "lost" else np.concatenate([white(kept, 9), sound[RATE:]])
    found = timeline(sound, np.concatenate([sound[:RATE], rest]))
    assert [one.kind for one in found.edits] == ([kind] if edit else [])
    delays = [one.delay for one in found.segments if one.kind == "matched"]
    assert delays == [0, -kept if kind == "lost" else kept]


@pytest.mark.parametrize("at", ["first", "last"])
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("cut", [("lost", "sound")]),
        ("silence", []),  # silence at an end is no edit
        ("sound", [("inserted", "sound")]),
        ("again", [("repeated", None)]),
    ],
)
@pytest.mark.parametrize("size", [40, 400])
def test_an_edit_at_the_first_or_the_last_sample(white, timeline, at, edit, said, size):
    sound = centred(white(2 * RATE))
    first = at == "first"
    if edit == "cut":
        generated = sound[size:] if first else sound[:-size]
    else:
        again = sound[:160] if first else sound[-160:]
        part = {"silence": np.zeros(size), "sound": white(size, 9), "again": again}[edit]
        generated = np.concatenate([part, sound] if first else [sound, part])
    found = timeline(sound, generated)
    assert edits(found) == said
    step = found.segments[0 if first else -1]
    span, end = (step.reference, sound.size) if edit == "cut" else (step.generated, generated.size)
    size = 160 if edit == "again" else size
    assert span == ((0, size) if first else (end - size, end))


def test_both_ends_cut(white, timeline):
    sound = white(2 * RATE)
    found = timeline(sound, make.cut_ends(sound, 900, 700).generated)
    assert [one.reference for one in found.edits] == [(0, 900), (sound.size - 700, sound.size)]
    assert (found.delay, found.total("lost")) == (-900, 1600)


@pytest.mark.parametrize("times", [2, 3])
def test_a_sound_that_is_replayed_whole(white, timeline, times):
    sound = white(RATE)
    found = timeline(sound, np.tile(sound, times))
    assert edits(found) == [("repeated", None)] * (times - 1)
    assert all(one.source == (0, sound.size) for one in found.edits)
    assert (found.moved, found.total("repeated")) == (0.0, (times - 1) * sound.size)


@pytest.mark.parametrize("part", [(0, 400), (7000, 9000), (15000, 16000)])
def test_a_reference_that_is_much_longer(white, timeline, part):
    sound = white(2 * RATE)
    found = timeline(sound, sound[slice(*part)])
    assert found.method == "waveform"
    (matched,) = (one for one in found.segments if one.kind == "matched")
    assert (matched.reference, matched.generated) == (part, (0, part[1] - part[0]))
    assert found.total("lost") == sound.size - (part[1] - part[0])


@pytest.mark.parametrize("before", [0, 4000, 9000])
def test_a_generated_sound_that_is_much_longer(white, timeline, before):
    sound = white(RATE // 2)
    found = timeline(sound, np.concatenate([white(before, 8), sound, white(12000 - before, 9)]))
    (matched,) = (one for one in found.segments if one.kind == "matched")
    assert (matched.reference, matched.generated) == ((0, sound.size), (before, before + sound.size))
    assert found.total("inserted") == 12000


@pytest.mark.parametrize("late", [True, False])
def test_one_sample_in_common_is_nothing_in_common(white, timeline, late):
    first, last = white(RATE)[: RATE // 2 + 1], white(RATE)[RATE // 2 :]
    found = timeline(*((first, last) if late else (last, first)))
    assert (found.method, found.edits[1:]) == ("none", ())
    assert is_in_order(found, (first.size, last.size) if late else (last.size, first.size))


def test_what_another_sound_of_another_length_replaces(white, timeline):
    sound = white(3 * RATE)
    found = timeline(sound, np.concatenate([sound[:10000], white(1500, 7), sound[11000:]]))
    assert edits(found) == [("replaced", "sound")]
    assert found.edits[0].reference == pytest.approx((10000, 11000), abs=2 * NEAR)
    assert found.edits[0].generated == pytest.approx((10000, 11500), abs=2 * NEAR)


@pytest.mark.parametrize(("factor", "content"), [(0.7, "silence"), (1.5, "sound")])
@pytest.mark.parametrize("kind", ["lost", "inserted"])
def test_silence_lies_40_db_under_the_loudest(white, timeline, factor, content, kind):
    sound = centred(white(3 * RATE))
    whole = np.concatenate([sound[:12000], np.float32(factor * SILENT**0.5) * white(800, 9), sound[12000:]])
    loudest = 1.3  # of a twentieth of frames of white noise, over its mean
    whole[12000:12800] *= np.float32(loudest**0.5)
    found = timeline(*((whole, sound) if kind == "lost" else (sound, whole)))
    assert edits(found) == [(kind, content)]


# Clocks


@pytest.mark.parametrize("gain", [1.0, -0.5])
@pytest.mark.parametrize("delay", [-0.5, -0.25, 0.25, 0.5, 3.25])
def test_the_fraction_of_a_delay(low, timeline, gain, delay):
    sound = low(3 * RATE)
    found = timeline(sound, np.float32(gain) * make.delay_by(sound, delay, RATE).generated)
    assert (found.method, found.resampled, edits(found)) == ("waveform", True, [])
    assert found.delay == pytest.approx(delay, abs=0.02)
    assert found.polarity == np.sign(gain)


@pytest.mark.parametrize(("ppm", "gain"), [(-200, 1.0), (20, -0.5), (200, 1.0)])
def test_a_drift(low, timeline, gain, ppm):
    sound = low(4 * RATE)
    generated = np.float32(gain) * make.drift_by(sound, ppm).generated
    found = timeline(sound, generated)
    assert (found.method, found.resampled, edits(found)) == ("waveform", True, [])
    assert found.drift_ppm == pytest.approx(ppm, abs=2)
    assert found.drift == pytest.approx(1e-6 * ppm, abs=2e-6)
    assert found.segments[-1].generated[1] == pytest.approx(generated.size, abs=2)
    joined = laid(found, sound, generated)
    inside = slice(400, -400)
    off = joined.generated[inside] / np.float32(gain) - joined.reference[inside]
    assert np.sqrt(np.square(off).mean()) < 0.01 * sound.std()


@pytest.mark.parametrize(("samples", "said"), [(2 * RATE - 1, False), (2 * RATE, True)])
def test_the_drift_of_less_than_two_seconds_is_not_told(white, timeline, samples, said):
    sound = white(samples)
    assert timeline(sound, sound).drift_ppm == (0 if said else None)


# What is no timeline


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_backwards_is_no_timeline_of_repeats(white, timeline, seed):
    sound = white(2 * RATE, seed)
    found = timeline(sound, sound[::-1])
    assert (found.method, found.edits, found.moved) == ("none", (), 0.0)


def test_a_glide_backwards_is_no_timeline_of_repeats(timeline):
    time = np.arange(RATE) / RATE
    sound = (0.5 * np.sin(2 * np.pi * (200 + 400 * time) * time)).astype(np.float32)
    found = timeline(sound, sound[::-1])
    assert all(one.kind != "repeated" for one in found.edits)


def test_a_sound_in_another_order_is_no_timeline_of_repeats(white, timeline):
    sound = white(2 * RATE)
    order = np.random.default_rng(2).permutation(20)
    found = timeline(sound, np.concatenate([sound[800 * i : 800 * i + 800] for i in order]))
    assert all(one.kind != "repeated" for one in found.edits)
    assert found.moved == 0.0


@pytest.mark.parametrize(("share", "told"), [(MOVED - 0.05, True), (MOVED + 0.05, False)])
def test_of_a_timeline_a_third_may_be_moved(white, timeline, share, told):
    sound = white(2 * RATE)
    cut = round((1 - share) * sound.size)
    found = timeline(sound, np.concatenate([sound[cut:], sound[:cut]]))
    assert (("repeated", None) in edits(found)) == told
    assert found.moved == pytest.approx(share if told else 0.0, abs=0.01)


# The smallest, and the same again


@pytest.mark.parametrize("lengths", [(1, 1), (1, 5000), (5000, 1), (3, 2), (63, 63), (64, 64), (100, 90), (0, 500)])
def test_a_few_samples_are_no_trouble(white, lengths):
    ours, theirs = (white(size, seed) for seed, size in enumerate(lengths))
    found = lay(StftCache(ours, 0.0), StftCache(theirs, 0.0), RATE)
    assert is_in_order(found, lengths)
    assert np.isfinite([found.gain, found.correlation, found.delay]).all()


def test_a_timeline_is_the_same_each_time_and_after_it_was_written_and_read(white, timeline):
    sound = white(2 * RATE)
    generated = make.stutter(sound, [(5000, 5160)]).generated
    found = timeline(sound, generated)
    assert timeline(sound, generated) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=Timeline) == found
