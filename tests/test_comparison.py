"""compare() end to end: the figures of the first diagnosis, identity, invariances, and what cannot be compared."""

from __future__ import annotations

import json
import math
import tracemalloc

import msgspec
import numpy as np
import pytest
import soundfile

import diagnose
from diagnose import audio, example
from diagnose.analysis import Signal
from diagnose.audio import Audio
from diagnose.comparison import alignment_facts, reattach
from diagnose.errors import InputError, NotComparable
from diagnose.metrics import METRICS
from diagnose.profile import DEFAULT_PROFILE, default_profile, load_profile
from diagnose.timeline import Timeline, single_delay

RATE = 22050
OF_A_PAIR = [name for name, metric in METRICS.items() if metric.of == "pair"]


def string(seconds=1.0, rate=RATE):
    return example.bowed_string(seconds=seconds, rate=rate)


@pytest.fixture(scope="module")
def note():
    """One second of the example note, 22,050 Hz, mono."""
    return string()


@pytest.fixture(scope="module")
def violin(request):
    data = request.getfixturevalue("data")
    return diagnose.compare(data / "violin.wav", data / "generated_bigvgan-2.wav")


def changes(report):
    return {row.name: row.change for row in report.metrics}


def no_nan(value):
    """The dict again, read back from strict JSON: raises where a number is none."""
    return json.loads(json.dumps(value, allow_nan=False))


# Broken samples


def with_nan(sound, *places, value=np.nan):
    samples = sound.samples.copy()
    for place in places:
        samples[..., place] = value
    return samples


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sound_that_is_not_finite_fails_with_the_share_and_the_place(note, value):
    report = diagnose.compare(note, with_nan(note, slice(4410, 4420), 11025, value=value), rate=RATE)
    row = report["nonfinite_share"]
    assert report.verdict == row.verdict == "FAIL"
    assert report.worst_first[0] == row
    assert (row.reference, row.generated, row.change) == (0.0, 11 / note.length, 11 / note.length)
    assert (row.detail["count"], row.detail["first_s"]) == (11, 0.2)
    assert (row.detail["start_s"], row.detail["end_s"]) == (0.2, 4420 / RATE)
    assert any(said.startswith("11 samples of the generated sound are NaN or infinite") for said in report.notes)
    assert no_nan(report.as_dict())["metrics"][1]["severity"] is None


def test_all_else_is_measured_as_if_it_were_whole(note):
    report, whole = (diagnose.compare(note, sound, rate=RATE) for sound in (with_nan(note, 4410), note.samples))
    assert [row.name for row in report.metrics if row.verdict == "FAIL"] == ["nonfinite_share"]
    for row in report.metrics:
        assert (row.change is None) == (whole[row.name].change is None), row.name
        assert row.name == "nonfinite_share" or row.severity < 0.1, row.name  # of the way to its limit


def test_the_first_and_the_last_sample_may_be_broken(note):
    report = diagnose.compare(note, with_nan(note, 0, -1, value=np.inf), rate=RATE)
    assert [row.name for row in report.metrics if row.verdict == "FAIL"] == ["nonfinite_share"]
    assert report["nonfinite_share"].detail["count"] == 2


def test_a_sound_of_nan_alone_is_a_silent_one(note):
    report = diagnose.compare(note, np.full(note.length, np.nan), rate=RATE)
    assert report["nonfinite_share"].generated == 1.0
    assert report["rms_ratio"].generated == 0.0
    assert [cause.id for cause in report.causes] == ["non-finite"]


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_sound_at_another_rate_may_be_broken(note, rate):
    theirs = audio.resample(note, rate)
    samples = theirs.samples.copy()
    samples[0, rate // 2] = np.nan
    report = diagnose.compare(note, audio.from_array(samples, rate, mend=True))
    assert (report.verdict, report.causes[0].id) == ("FAIL", "non-finite")
    assert report["nonfinite_share"].detail["first_s"] == 0.5


def test_one_channel_may_be_broken(note):
    both = Audio(np.stack([note.mono, 0.5 * np.roll(note.mono, 9)]), RATE)
    samples = both.samples.copy()
    samples[1, 4410:5512] = np.nan
    row = diagnose.compare(both, samples, rate=RATE)["nonfinite_share"]
    assert (row.change, row.detail["channels"]) == (1102 / samples.size, "2")


def test_denormals_are_numbers(note):
    tiny = note.samples.copy()
    tiny[0, ::2] = 1e-42
    report = diagnose.compare(Audio(tiny, RATE), tiny, rate=RATE)
    assert (report.verdict, report["nonfinite_share"].change) == ("PASS", 0.0)


def test_a_reference_that_is_not_finite_is_refused_even_mended(note):
    mended = audio.from_array(with_nan(note, 4410), RATE, "ref", mend=True)
    with pytest.raises(InputError, match=r"^ref: non-finite samples \(NaN or infinite\), the first at 0\.200 s"):
        diagnose.compare(mended, note)
    with pytest.raises(InputError, match=r"^ref: non-finite samples"):
        diagnose.measure(mended)
    with pytest.raises(InputError, match=r"^generated: samples above 1e"):
        diagnose.compare(note, with_nan(note, 4410) * 1e8, rate=RATE)


RMS_ALONE = {"rms_ratio": default_profile()["rms_ratio"]}


def test_a_profile_without_a_limit_for_it_does_not_let_it_pass(note):
    report = diagnose.compare(note, with_nan(note, 4410), rate=RATE, profile=RMS_ALONE)
    assert {row.name: row.verdict for row in report.metrics if row.verdict} == {
        "nonfinite_share": "FAIL",
        "rms_ratio": "PASS",
    }
    assert [row.name for row in diagnose.compare(note, note, profile=RMS_ALONE).metrics if row.verdict] == ["rms_ratio"]
    own = msgspec.structs.replace(default_profile()["nonfinite_share"], fail=0.5)
    lenient = RMS_ALONE | {"nonfinite_share": own}
    assert diagnose.compare(note, with_nan(note, 4410), rate=RATE, profile=lenient).verdict == "PASS"


def test_a_kept_report_finds_its_broken_sound_again(note, tmp_path):
    audio.write(tmp_path / "a.wav", note, "FLOAT")
    soundfile.write(tmp_path / "b.wav", with_nan(note, 4410)[0], RATE, "FLOAT")
    report = diagnose.compare(tmp_path / "a.wav", tmp_path / "b.wav")
    again = reattach(msgspec.structs.replace(report, pair=None))
    assert again.pair.files[1].audio.broken == report.pair.files[1].audio.broken
    assert report.pair.files[1].audio.broken.count == 1


# The first diagnosis


def test_the_native_figures_are_the_known_ones(violin):
    ours, theirs = violin.reference.native, violin.generated.native
    assert ours["rms"] == pytest.approx(0.1018, abs=5e-5)
    assert theirs["rms"] == pytest.approx(0.4202, abs=5e-5)
    assert ours["spectral_centroid_hz"] == pytest.approx(1161.1, rel=0.005)
    assert theirs["spectral_centroid_hz"] == pytest.approx(2025.4, rel=0.005)
    assert (ours["peak_min"], ours["peak_max"]) == pytest.approx((-0.9999, 0.7132), abs=5e-5)
    assert (theirs["peak_min"], theirs["peak_max"]) == pytest.approx((-0.8897, 0.9536), abs=5e-5)
    assert theirs["dc"] == pytest.approx(0.36, abs=0.005)
    assert (violin.reference.rate_hz, violin.reference.channels) == (44100, 2)
    assert (violin.generated.rate_hz, violin.generated.channels) == (22050, 1)
    assert violin.reference.duration_s == pytest.approx(0.949, abs=5e-4)
    assert violin.generated.duration_s == pytest.approx(1.033, abs=5e-4)


def test_the_figures_at_the_common_rate_are_the_known_ones(violin):
    assert violin.verdict == "FAIL"
    assert violin.alignment.rate_hz == 22050
    assert violin["rms_ratio"].change == pytest.approx(4.13, abs=0.005)
    assert violin["dc_share"].generated == pytest.approx(0.74, abs=0.01)
    assert violin["dc_share"].reference < 1e-6
    assert violin["spectral_centroid_hz"].reference == pytest.approx(1055.0, rel=0.005)
    comb = violin["comb_share"]
    assert comb.generated > 0.9
    assert comb.detail["hop_samples"] == 256
    assert comb.detail["spacing_hz"] == pytest.approx(22050 / 256)
    assert comb.reference < 0.02
    assert 4.1 - 1 < violin["log_mel_spread_nats"].generated < 4.5
    assert violin["log_mel_spread_nats"].reference == pytest.approx(9.5, abs=0.5)
    assert violin["frame_energy_spread_db"].reference == pytest.approx(11.2, abs=0.5)
    assert violin["frame_energy_spread_db"].generated == pytest.approx(2.0, abs=0.5)


def test_the_named_faults_are_among_the_failures(violin):
    failed = {row.name for row in violin.metrics if row.verdict == "FAIL"}
    assert {"rms_ratio", "dc_share", "comb_share", "spectral_centroid_hz", "log_mel_spread_nats"} <= failed
    assert {"clipped_share", "cutoff_hz"}.isdisjoint(failed)


def test_the_notes_say_what_was_done_first(violin):
    notes = "\n".join(violin.notes)
    assert "DC was measured, then removed before every spectral metric" in notes
    assert "74 % of the generated's" in notes
    assert "44100 Hz and 22050 Hz: the higher rate was resampled to the lower" in notes


def test_dc_is_out_of_the_spectral_metrics(note):
    biased = Audio(note.samples + np.float32(0.3), RATE)
    moved = diagnose.compare(note, biased)
    for name in ("spectral_centroid_hz", "spectral_bandwidth_hz", "rolloff85_hz", "band_0_1024_db", "edge_left_db"):
        assert moved[name].change == pytest.approx(0, abs=1e-3 * abs(moved[name].reference)), name
    assert moved["dc_share"].generated == pytest.approx(
        0.09 / (0.09 + float(np.mean(np.square(note.samples, dtype=float)))), rel=1e-3
    )
    assert moved["log_spectral_distance_db"].change < 0.5


# Identity


@pytest.mark.parametrize("name", ["violin.wav", "generated_bigvgan-2.wav", "speech.ogg"])
def test_a_file_passes_against_itself_with_every_distance_0(data, name):
    assert_identical(diagnose.compare(data / name, data / name))


def test_a_note_passes_against_itself(note):
    assert_identical(diagnose.compare(note, note))


def assert_identical(report):
    assert report.verdict == "PASS"
    for row in report.metrics:
        if row.change is None:
            assert row.reason, row.name
            assert row.reference is None
            continue
        of_0 = ("spectral_convergence", "content_distance", "channel_correlation")
        ideal = 1.0 if row.unit in ("ratio", "r") and row.name not in of_0 else 0.0
        if METRICS[row.name].of == "pair":
            assert row.change == pytest.approx(ideal, abs=1e-6), row.name
        else:
            assert row.change == ideal, row.name
    assert report["log_spectral_distance_db"].change is not None
    assert report["spectral_convergence"].change is not None
    now = report.alignment
    assert (now.method, now.delay_s, now.polarity) == ("waveform", 0.0, 1)
    assert now.gain_db == pytest.approx(0, abs=1e-6)


# Paths, arrays and Audio


def test_paths_arrays_and_audio_give_the_same(tmp_path, note, rng):
    noisy = Audio(note.samples + np.float32(0.01) * rng.standard_normal(note.samples.shape, dtype=np.float32), RATE)
    paths = [tmp_path / name for name in ("reference.wav", "generated.wav")]
    for path, sound in zip(paths, (note, noisy), strict=True):
        audio.write(path, sound, "FLOAT")
    by_path = diagnose.compare(*paths)
    others = {
        "str": diagnose.compare(*map(str, paths)),
        "audio": diagnose.compare(note, noisy),
        "(n,)": diagnose.compare(note.mono, noisy.mono, rate=RATE),
        "(1, n)": diagnose.compare(note.samples, noisy.samples, rate=RATE),
        "float64": diagnose.compare(note.mono.astype(float), noisy.mono.astype(float), rate=RATE),
        "path and array": diagnose.compare(paths[0], noisy.mono, rate=RATE),
        "array and audio": diagnose.compare(note.mono, noisy, rate=RATE),
    }
    for kind, report in others.items():
        assert changes(report) == changes(by_path), kind
        assert report.verdict == by_path.verdict
        assert report.notes == by_path.notes
    assert by_path.reference.path == str(paths[0])
    assert (others["(n,)"].reference.path, others["(n,)"].generated.path) == ("reference", "generated")


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("gradient", [False, True])
def test_a_tensor_is_compared_and_measured_as_its_values_are(note, torch, dtype, gradient):
    tensor = torch.tensor(note.mono, requires_grad=gradient).to(getattr(torch, dtype))
    values = tensor.detach().float().numpy()
    assert diagnose.measure(tensor, rate=RATE) == diagnose.measure(values, rate=RATE)
    report = diagnose.compare(note, tensor[None], rate=RATE)
    assert changes(report) == changes(diagnose.compare(note, values, rate=RATE))
    assert report.generated.path == "generated"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_tensor_with_nan_is_compared_and_not_measured(note, torch, dtype):
    tensor = torch.tensor(note.mono).to(getattr(torch, dtype))
    tensor[4410] = torch.nan
    report = diagnose.compare(note, tensor, rate=RATE)
    assert (report.verdict, report.causes[0].id) == ("FAIL", "non-finite")
    with pytest.raises(InputError, match=r"^array: non-finite samples"):
        diagnose.measure(tensor, rate=RATE)
    with pytest.raises(InputError, match=r"^reference: non-finite samples .*the first at 0\.200 s; fix the file$"):
        diagnose.compare(tensor, note, rate=RATE)


TENSORS = {
    "meta": (lambda x: x.to("meta"), r"not an array of numbers \(.*meta.*\); expected \(n,\) or \(channels, n\)"),
    "sparse": (
        lambda x: x.to_sparse(),
        r"not an array of numbers \(.*[Ss]parse.*\); expected \(n,\) or \(channels, n\)",
    ),
    "int16": (lambda x: (x * 32767).short(), "dtype int16, not floating point; scale it to -1..1 first"),
    "bool": (lambda x: x > 0, "dtype bool, not floating point; scale it to -1..1 first"),
    "complex": (lambda x: x.cfloat(), "dtype complex64, not floating point"),
    "a batch": (lambda x: x[None, None], r"shape \(1, 1, 22050\); expected \(n,\) or \(channels, n\)"),
    "expanded": (lambda x: x[:1].expand(2**31), "2,147,483,648 values.* 1,073,741,824"),
}


@pytest.mark.parametrize("kind", TENSORS)
def test_a_tensor_without_samples_is_refused_in_one_line(note, torch, kind):
    make, said = TENSORS[kind]
    tensor = make(torch.tensor(note.mono))
    with pytest.raises(InputError, match=rf"^generated: {said}") as caught:
        diagnose.compare(note, tensor, rate=RATE)
    assert str(caught.value).isprintable()
    with pytest.raises(InputError, match=rf"^array: {said}"):
        diagnose.measure(tensor, rate=RATE)


def test_two_equal_channels_measure_as_one(note):
    stereo = Audio(np.repeat(note.samples, 2, axis=0), RATE)
    report = diagnose.compare(note, stereo)
    assert report.generated.channels == 2
    for name, change in changes(report).items():
        if METRICS[name].of == "signal" and change is not None:
            assert change == pytest.approx(METRICS[name].ideal or (1 if name == "rms_ratio" else 0), abs=1e-6), name


def test_an_array_needs_a_rate_and_two_files_take_none(tmp_path, note):
    path = tmp_path / "note.wav"
    audio.write(path, note)
    with pytest.raises(InputError, match="reference: an array has no sampling rate; pass rate="):
        diagnose.compare(note.mono, note.mono)
    with pytest.raises(InputError, match="generated: an array has no sampling rate"):
        diagnose.compare(path, note.mono)
    for pair in [(path, path), (note, note), (path, note)]:
        with pytest.raises(InputError, match="rate= is for arrays only"):
            diagnose.compare(*pair, rate=RATE)
    with pytest.raises(InputError, match="1999 Hz is out of range"):
        diagnose.compare(note.mono, note.mono, rate=1999)
    with pytest.raises(TypeError):
        diagnose.compare(note.mono, note.mono, RATE)


def test_measure_gives_every_metric_of_one_sound(note):
    measured = diagnose.measure(note.mono, rate=RATE)
    assert list(measured) == [name for name, metric in METRICS.items() if metric.of == "signal"]
    assert measured["f0_hz"].value == pytest.approx(196.0, rel=0.005)
    assert measured["peak_dbfs"].value == pytest.approx(20 * math.log10(0.5), abs=1e-4)
    assert measured["duration_s"].value == 1.0


@pytest.mark.parametrize(
    "names",
    [
        ["rms_dbfs"],
        ["peak_dbfs", "duration_s", "loudness_lufs"],
        ("f0_hz", "dc_share"),
        [name for name, metric in METRICS.items() if metric.of == "signal"][::-1],
        [],
    ],
)
def test_measure_gives_the_metrics_that_are_named_in_that_order(note, names):
    every = diagnose.measure(note)
    found = diagnose.measure(note, metrics=names)
    assert list(found) == list(names)
    assert dict(found) == {name: every[name] for name in names}
    assert diagnose.measure(note, metrics=iter(names)) == found


def test_measure_computes_nothing_that_the_named_metrics_do_not_need(note, monkeypatch):
    def dear(*_):
        raise AssertionError("a spectrum or a pitch was asked for")

    for name in ("stft", "frames", "native", "summed_energy", "pitch"):
        monkeypatch.setattr(Signal, name, property(dear))
    assert diagnose.measure(note, metrics=["rms_dbfs", "peak_dbfs", "dc_share"])["rms_dbfs"].value < 0
    with pytest.raises(AssertionError, match="a spectrum or a pitch"):
        diagnose.measure(note, metrics=["spectral_centroid_hz"])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["rms_dbfs", "loudnes_lufs"], "metrics: 'loudnes_lufs' is not a metric; did you mean 'loudness_lufs'?"),
        (["delay"], "metrics: 'delay' is not a metric"),  # delay_s is close, and no help: it is of a pair
        (["qq"], "metrics: 'qq' is not a metric"),
        ([None], "metrics: None is not a metric"),
        ([["qq"]], "metrics: ['qq'] is not a metric"),
        ("rms_dbfs", "metrics='rms_dbfs': give a list of names, like ['rms_dbfs']"),
        (
            ["rms_dbfs", "delay_s"],
            "metrics: delay_s needs a reference and a generated sound; diagnose.compare() measures it",
        ),
    ],
)
def test_measure_refuses_a_name_that_means_nothing_in_one_line(note, names, said):
    with pytest.raises(InputError) as caught:
        diagnose.measure(note, metrics=names)
    assert str(caught.value) == said


# What cannot be compared


@pytest.mark.parametrize("side", ["reference", "generated"])
def test_less_than_20_ms_is_not_comparable(note, side):
    pair = {"reference": note.mono, "generated": note.mono}
    pair[side] = note.mono[5000:5440]  # 19.95 ms
    with pytest.raises(NotComparable, match=rf"^{side}: 440 samples \(20 ms\); a comparison needs at least 20 ms$"):
        diagnose.compare(**pair, rate=RATE)
    pair[side] = note.mono[5000:5001]
    with pytest.raises(NotComparable, match=rf"^{side}: 1 samples \(0.0454 ms\)"):
        diagnose.compare(**pair, rate=RATE)
    pair[side] = note.mono[5000:5441]
    no_nan(diagnose.compare(**pair, rate=RATE).as_dict())


@pytest.mark.parametrize("level", [0.0, 0.36, -1.0])
def test_a_reference_without_sound_is_not_comparable(note, level):
    with pytest.raises(NotComparable, match=r"^reference: ") as caught:
        diagnose.compare(np.full(RATE, level), note.mono, rate=RATE)
    assert "cancel" not in str(caught.value)  # one channel has nothing to cancel it


def test_a_reference_that_cancels_itself_is_compared(note):
    wide = np.stack([note.mono, -note.mono])
    report = diagnose.compare(wide, wide, rate=RATE)
    assert report.verdict == "PASS"
    assert "loudest channel" in report.notes[0]
    assert diagnose.compare(wide, 2 * wide, rate=RATE).causes[0].id == "gain"


def test_a_silent_output_fails_with_reasons_and_without_nan(note):
    report = diagnose.compare(note.mono, np.zeros(RATE), rate=RATE)
    assert report.verdict == "FAIL"
    assert report["rms_ratio"].change == 0
    assert report["rms_ratio"].verdict == "FAIL"
    for row in no_nan(report.as_dict())["metrics"]:
        assert (row["change"] is None) == bool(row["reason"]), row["name"]
    assert "silence" in report["spectral_centroid_hz"].reason
    assert report["spectral_centroid_hz"].generated is None
    assert report["spectral_centroid_hz"].reference > 0
    assert report.generated.native["spectral_centroid_hz"] is None
    assert report.alignment.delay_s is None


# Invariances and clean pairs


@pytest.mark.parametrize("delay", [-2205, -37, 1, 220, 4410])
def test_a_delay_is_found_and_removed_from_every_distance(note, rng, delay):
    noise = (1 + 0.05 * rng.standard_normal(note.length)).astype(np.float32)
    silence = np.zeros(4410, np.float32)
    reference = np.concatenate([silence, note.mono, silence])
    generated = np.concatenate([silence, note.mono * noise, silence])
    still = diagnose.compare(reference, generated, rate=RATE)
    moved = diagnose.compare(reference, np.roll(generated, delay), rate=RATE)
    assert moved.alignment.delay_s == delay / RATE
    assert moved.alignment.method == "waveform"
    for name, wide in {
        "rms_ratio": 1e-6,
        "spectral_centroid_hz": 10,
        "band_1024_4096_db": 0.05,
        "crest_db": 1e-6,
    }.items():
        assert moved[name].change == pytest.approx(still[name].change, abs=wide), name
    # What both sounds hold at that delay, laid start on start.
    kept = slice(max(-delay, 0), reference.size - max(delay, 0))
    cut = diagnose.compare(reference[kept], generated[kept], rate=RATE)
    tolerance = {"dB": 0.03, "ratio": 1e-4, "r": 1e-3, "cents": 1.0}
    assert moved["delay_s"].change == delay / RATE
    for name in set(OF_A_PAIR) - {"delay_s", "inserted_s", "lost_s", "clock_drift_ppm"}:
        expected = cut[name].change
        assert moved[name].change == pytest.approx(expected, abs=tolerance.get(METRICS[name].unit, 0.01)), name


@pytest.mark.parametrize("gain_db", [-30.0, -0.1, 6.0])
def test_a_gain_is_found_and_removed_from_every_distance(note, gain_db):
    gain = 10 ** (gain_db / 20)
    report = diagnose.compare(note.mono, note.mono * np.float32(gain), rate=RATE)
    assert report.alignment.gain_db == pytest.approx(gain_db, abs=1e-4)
    assert report["rms_ratio"].change == pytest.approx(gain, rel=1e-5)
    for name in ("log_spectral_distance_db", "spectral_convergence", "mel_cepstral_distortion_db", "band_deficit_db"):
        assert report[name].change == pytest.approx(0, abs=1e-3), name
    assert report.verdict == ("PASS" if gain_db == -0.1 else "FAIL")


def test_an_inverted_copy_fails_by_its_polarity_alone(note):
    report = diagnose.compare(note.mono, -note.mono, rate=RATE)
    assert report.alignment.polarity == -1
    assert report.verdict == "FAIL"
    assert report["waveform_correlation"].change == pytest.approx(-1, abs=1e-6)
    assert report["waveform_correlation"].verdict == "FAIL"
    assert report["spectral_convergence"].change == pytest.approx(0, abs=1e-6)
    assert [row.name for row in report.metrics if row.verdict == "FAIL"] == ["waveform_correlation"]


CLEAN = {
    "16 bit": lambda x: np.round(x * 32767) / 32767,
    "0.1 dB louder": lambda x: x * 10 ** (0.1 / 20),
    "10 ms late": lambda x: np.concatenate([np.zeros(RATE // 100), x]),
}


@pytest.mark.parametrize("change", CLEAN)
@pytest.mark.parametrize("sound", ["note", "violin.wav", "trumpet.ogg"])
def test_a_faultless_copy_passes(request, note, sound, change):
    reference = note if sound == "note" else audio.read(request.getfixturevalue("data") / sound)
    reference = audio.resample(Audio(reference.mono[None], reference.rate), RATE)
    report = diagnose.compare(reference.mono, CLEAN[change](reference.mono.astype(float)), rate=RATE)
    assert {row.name: row.verdict for row in report.worst_first if row.verdict != "PASS"} == {}
    assert report.verdict == "PASS"


@pytest.mark.parametrize(("from_rate", "to_rate"), [(44100, 22050), (22050, 44100), (48000, 44100), (44100, 16000)])
def test_a_copy_at_another_rate_passes(from_rate, to_rate):
    reference = string(rate=from_rate)
    report = diagnose.compare(reference, audio.resample(reference, to_rate))
    assert {row.name for row in report.worst_first if row.verdict == "FAIL"} == set()
    assert report.verdict == "PASS"
    assert report.alignment.rate_hz == min(from_rate, to_rate)
    assert abs(report.alignment.delay_s) <= 1 / report.alignment.rate_hz


def test_different_durations_are_compared_where_both_are(note):
    report = diagnose.compare(note.mono, note.mono[: RATE // 2], rate=RATE)
    assert (report.alignment.compared_s, report.alignment.delay_s) == (0.5, 0.0)
    assert report["duration_s"].change == -0.5
    assert report["duration_s"].verdict == "FAIL"
    assert report["spectral_convergence"].change == pytest.approx(0, abs=1e-3)


# Profiles


def test_a_profile_is_a_path_or_a_mapping(tmp_path, note):
    text = '[metric.rms_ratio]\nunit = "ratio"\ndirection = "both"\nfail = 1.05\nreason = "a test"\n'
    path = tmp_path / "strict.toml"
    path.write_text(text)
    louder = Audio(note.samples * np.float32(1.06), RATE)
    for profile in (path, str(path), load_profile(path)):
        report = diagnose.compare(note, louder, profile=profile)
        judged = [(row.name, row.verdict) for row in report.metrics if row.verdict]
        assert judged == [("rms_ratio", "FAIL")]
        assert report["rms_ratio"].limit.fail == 1.05
        assert report.verdict == "FAIL"
    assert diagnose.compare(note, louder).verdict == "PASS"
    for profile in (DEFAULT_PROFILE, default_profile()):
        assert diagnose.compare(note, louder, profile=profile).as_dict() == diagnose.compare(note, louder).as_dict()


def test_an_empty_profile_judges_nothing(note):
    assert diagnose.compare(note, note, profile={}).verdict == "ERROR"


# Memory


def peak_of(seconds, is_copy):
    rng = np.random.default_rng(3)
    pair = [rng.standard_normal(seconds * 44100, dtype=np.float32) * np.float32(0.1) for _ in range(2)]
    pair[1] = np.float32(0.9) * pair[0] if is_copy else pair[1]
    tracemalloc.start()
    try:
        diagnose.compare(*pair, rate=44100)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize(("is_copy", "most"), [(True, 1), (False, 6)])
def test_memory_grows_by_less_than_the_samples_of_so_many_sounds(monkeypatch, note, is_copy, most):
    # The search for a delay takes 160 MB, whatever the length, and would hide what grows.
    monkeypatch.setattr(single_delay, "EXCERPT", 1 << 15)
    monkeypatch.setattr(single_delay, "LONGEST_DELAY_S", 0.5)
    diagnose.compare(note, note)  # what is made once is made
    short, long = peak_of(5, is_copy), peak_of(25, is_copy)
    assert long - short < most * 20 * 44100 * 4


@pytest.mark.parametrize(
    ("alignment", "delay_s", "gain_db"),
    [
        (Timeline("waveform", (), 441.5, 10.0, -1, -0.99, 12.0), 441.5 / 22050, 20.0),
        (Timeline("spectrogram", (), -128, 0.5, None, 0.7), -128 / RATE, -6.0206),
        (Timeline("none", (), 0, 1.0, None, 0.2), None, 0.0),
    ],
)
def test_an_alignment_in_seconds_and_db(alignment, delay_s, gain_db):
    facts = alignment_facts(alignment, RATE, 11025)
    assert (facts.rate_hz, facts.compared_s) == (RATE, 0.5)
    assert facts.delay_s == delay_s
    assert facts.gain_db == pytest.approx(gain_db, abs=1e-4)
    assert (facts.polarity, facts.method) == (alignment.polarity, alignment.method)
    assert (facts.reason is None) == (delay_s is not None)


def test_every_step_is_counted_and_named(note):
    steps = []
    diagnose.compare(note, note, progress=lambda done, total, what: steps.append((done, total, what)))
    assert [done for done, _, _ in steps] == list(range(len(steps)))
    assert {total for _, total, _ in steps} == {len(steps)}
    assert {"reading", "rms_ratio", "spectral_convergence"} <= {what for _, _, what in steps}
