"""A look at a run: its row, its picture, its sound, its page; and that it changes nothing but the best."""

from __future__ import annotations

import csv
import io
import math
import os
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca.config import parse
from tnca.figures import FIGURES
from tnca.target import levels_db
from tnca.training.look import grow, look, png
from tnca.training.loop import start, train
from tnca.vocoders.griffinlim import GriffinLim
from tnca.vocoders.vocoder import Mel

CPU = torch.device("cpu")
CONTRACT = {
    "about": "a tiny mel",
    "source": "the tests",
    "grid": {"rate": 16000, "n_fft": 512, "hop": 256, "bands": 20, "fmax": 8000.0},
    "levels": {"name": "ln-magnitude", "clip": 1e-5},
    "bin_epsilon": 1e-9,
}
HOSTILE = "<img src=x onerror=alert(1)>"
LOSSES = {"loss": torch.tensor(2.5), "l2": torch.tensor(1.25)}


def settings(**tables):
    table = {
        "epochs": 6,
        "target": {"contract": CONTRACT},
        "cell": {"channels": 4, "hidden": [8], "fire_rate": 0.5, "output": "linear", "centre": -7.5, "spread": 3.5},
        "growth": {"steps": [2, 4]},
        "optimiser": {"learning_rate": 5e-3, "normalise_gradients": True},
        "loss": {"terms": [{"term": "l2"}]},
        "watch": {"every": 2},
    }
    return parse({**table, **tables}, "the test")


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(392.0, seconds=0.3, rate=16000)


@pytest.fixture(scope="module")
def seen(note, tmp_path_factory):
    """A run of six epochs, looked at three times."""
    folder = tmp_path_factory.mktemp("runs") / "seen"
    return train(start(note, settings(), str(folder), CPU))


@pytest.fixture
def run(note):
    """A run that has a folder nowhere and an epoch behind it."""
    run = start(note, settings(), None, CPU)
    run.epoch = 1
    return run


def files(run):
    return sorted(os.listdir(run.folder))


def text(run, name):
    with open(os.path.join(run.folder, name), encoding="utf-8") as file:
        return file.read()


# The row


def test_a_row_holds_the_losses_the_errors_the_figures_and_the_verdict(run):
    found = look(run, LOSSES)
    assert run.rows == [found.row]
    assert list(found.row) == [
        *("epoch", "seconds", "loss", "l2", "mel_error_db", "mel_error_high_db", "mel_error_end_db"),
        "mel_flicker_db",
        *(name for name, *_ in FIGURES),
        *("verdict", "causes"),
    ]
    assert (found.row["epoch"], found.row["loss"], found.row["l2"]) == (1, 2.5, 1.25)
    assert {name: found.row[name] for name, *_ in FIGURES} == found.judged.figures
    assert found.row["verdict"] == found.judged.verdict
    errors = run.target.errors_db(found.mel.values)
    assert {name: found.row[name] for name in errors} == errors


def test_it_sees_what_the_rule_grows_in_the_most_steps_and_hears_griffin_lim(run):
    found = look(run, LOSSES)
    mel = grow(run.rule, run.target, 4)
    assert np.array_equal(found.mel.values, mel.values)
    assert np.array_equal(found.sound.samples, GriffinLim(run.target.contract)(mel).samples)


def test_it_draws_nothing_from_the_runs_generators_and_leaves_the_rule(run):
    torch.manual_seed(5)

    def drawn():
        return [
            run.rng.get_state(),
            run.chance.get_state(),
            torch.random.get_rng_state(),
            *run.rule.state_dict().values(),
        ]

    before = [state.clone() for state in drawn()]
    global_state = np.random.get_state()[1].copy()
    look(run, LOSSES)
    assert all(map(torch.equal, drawn(), before))
    assert np.array_equal(np.random.get_state()[1], global_state)
    assert all(parameter.grad is None for parameter in run.rule.parameters())


def test_a_look_at_an_epoch_again_replaces_its_row_and_those_after_it(run):
    for epoch in (1, 2, 3, 2):
        run.epoch = epoch
        look(run, LOSSES)
    assert [row["epoch"] for row in run.rows] == [1, 2]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_is_not_finite_is_said(run, name, bad):
    with pytest.raises(InputError, match=r"^the training diverged by epoch 1: .* lower optimiser.learning_rate$"):
        look(run, {**LOSSES, name: torch.tensor(bad)})
    assert run.rows == []


def test_the_first_look_is_the_best_so_far(run):
    found = look(run, LOSSES)
    assert found.best
    assert run.best["epoch"] == 1
    run.epoch = 2
    assert not look(run, LOSSES).best  # the same again is no better
    assert run.best["epoch"] == 1


def test_without_a_folder_nothing_is_written(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    look(run, LOSSES)
    assert os.listdir(tmp_path) == []


# Files


def test_the_files_of_a_run(seen):
    looks = [f"epoch_{epoch:04d}.{kind}" for epoch in (2, 4, 6) for kind in ("png", "wav")]
    rest = ["checkpoint.pt", "config.toml", "index.html", "metrics.csv", "reference.wav", "reference_in_band.wav"]
    rest += ["roundtrip.wav", "target.png"]
    assert files(seen) == sorted(looks + rest)


def test_metrics_csv_is_the_rows(seen):
    rows = list(csv.DictReader(io.StringIO(text(seen, "metrics.csv"))))
    assert [row["epoch"] for row in rows] == ["2", "4", "6"]
    for row, wanted in zip(rows, seen.rows, strict=True):
        assert list(row) == list(wanted)
        for name, value in wanted.items():
            if isinstance(value, str):
                assert row[name] == value
            else:
                assert row[name] == "" if value is None else float(row[name]) == value
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_the_pictures_are_four_pixels_a_cell(seen):
    for name in ("epoch_0002.png", "epoch_0006.png", "target.png"):
        with Image.open(os.path.join(seen.folder, name)) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert picture.size == (4 * seen.rule.frames, 4 * 20)


def test_a_picture_has_its_low_band_at_the_bottom_and_time_from_the_left(seen):
    values = np.full_like(seen.target.values, np.log(1e-5))
    values[0, -1] = seen.target.values.max()  # the lowest band, the last frame
    picture = np.asarray(
        Image.open(io.BytesIO(png(Mel(values, seen.target.contract), seen.target))).convert("RGB")
    ).astype(int)
    bright = picture.sum(axis=2)
    loud = np.argwhere(bright > bright.min())
    height, width = bright.shape
    assert loud.min(axis=0).tolist() == [height - 4, width - 4]
    assert loud.max(axis=0).tolist() == [height - 1, width - 1]


def test_a_picture_goes_from_the_targets_loudest_cell_to_80_db_under_it(seen):
    top = float(levels_db(seen.target.values, seen.target.contract).max())
    values = np.empty_like(seen.target.values)
    for band, under_db in enumerate(np.linspace(-20, 100, len(values))):
        values[band] = np.log(10 ** ((top - under_db) / 20))
    picture = np.asarray(Image.open(io.BytesIO(png(Mel(values, seen.target.contract), seen.target))).convert("RGB"))
    colours = picture[::-1][::4, 0].tolist()
    levels = np.linspace(-20, 100, len(values))
    assert {tuple(colour) for colour, under in zip(colours, levels, strict=True) if under <= 0} == {(0xFC, 0xFD, 0xBF)}
    assert {tuple(colour) for colour, under in zip(colours, levels, strict=True) if under >= 80} == {(0, 0, 4)}
    between = [tuple(colour) for colour, under in zip(colours, levels, strict=True) if 0 < under < 80]
    assert len(set(between)) == len(between)


def test_the_sounds_are_those_of_the_look_and_of_the_ceiling(seen):
    samples, rate = soundfile.read(os.path.join(seen.folder, "epoch_0006.wav"))
    wanted = GriffinLim(seen.target.contract)(grow(seen.rule, seen.target, 4)).mono
    assert rate == 16000
    np.testing.assert_allclose(samples, np.clip(wanted, -1, 1), atol=1e-4)
    samples, _ = soundfile.read(os.path.join(seen.folder, "roundtrip.wav"))
    np.testing.assert_allclose(samples, np.clip(seen.ceiling[0].mono, -1, 1), atol=1e-4)


# The page

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """A page taken apart; every element that is opened has to be closed."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text, self.links = [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.links += [value for name, value in attributes if name in ("src", "href", "action", "data", "poster")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    @property
    def refreshes(self):
        return any(tag == "meta" and one.get("http-equiv") == "refresh" for tag, one in self.tags)


def page_of(run):
    return Page(text(run, "index.html"))


def test_the_page_parses_and_shows_only_what_lies_beside_it(seen):
    page = page_of(seen)
    assert page.tags[0][0] == "html"
    assert page.links
    assert set(page.links) <= set(files(seen))
    assert "http:" not in text(seen, "index.html")
    assert "https:" not in text(seen, "index.html")
    assert not [tag for tag, _ in page.tags if tag in ("script", "iframe", "object", "link")]
    assert [one["src"] for tag, one in page.tags if tag == "img"] == [
        *("target.png", "epoch_0006.png", "epoch_0004.png", "epoch_0002.png")
    ]
    assert all(one.get("alt") for tag, one in page.tags if tag == "img")


def test_the_page_says_what_the_run_found(seen):
    said = " ".join(" ".join(page_of(seen).text).split())
    assert "seen: epoch 6 of 6" in said
    assert f"epoch {seen.best['epoch']}, by mel_error_db" in said
    assert "bowed string" in said
    for row in seen.rows:
        assert f"{row['mel_error_db']:.3f}" in said
        assert row["verdict"] in said
    assert "round trip" in said


def test_the_page_loads_itself_again_only_while_the_run_goes_on(note, tmp_path):
    run = start(note, settings(), str(tmp_path / "run"), CPU)
    refreshing = []

    class Heard:
        def epoch(self, run, parts): ...

        def looked(self, run, found):
            refreshing.append(page_of(run).refreshes)

    train(run, Heard())
    assert refreshing == [True, True, False]
    assert " left" not in "".join(page_of(run).text)


@pytest.mark.slow
def test_the_page_of_a_run_that_patience_ended_does_not_load_itself_again(note, tmp_path):
    optimiser = {"learning_rate": 1e-12}
    config = settings(epochs=100, optimiser=optimiser, watch={"every": 1, "patience": 2})
    run = train(start(note, config, str(tmp_path / "run"), CPU))
    assert run.epoch < 100
    page = page_of(run)
    assert not page.refreshes
    assert " left" not in "".join(page.text)


@pytest.mark.slow
def test_the_page_of_a_run_that_was_stopped_does_not_load_itself_again(note, tmp_path):
    run = start(note, settings(epochs=100), str(tmp_path / "run"), CPU)
    train(run, stop=lambda: run.epoch == 5)
    page = page_of(run)
    assert not page.refreshes
    assert " left" not in "".join(page.text)


def test_a_hostile_name_is_text(note, tmp_path):
    contract = {**CONTRACT, "about": f"about {HOSTILE}"}
    config = settings(epochs=1, target={"contract": contract})
    sound = Audio(note.samples, note.rate, f"{HOSTILE}.wav")
    run = train(start(sound, config, str(tmp_path / f"run {HOSTILE}"), CPU))
    page = page_of(run)
    assert f"{HOSTILE}.wav" in "".join(page.text)
    assert f"about {HOSTILE}" in "".join(page.text)
    assert f"run {HOSTILE}" in "".join(page.text)
    assert not any("onerror" in one or one.get("src") == "x" for _, one in page.tags)


@pytest.mark.parametrize("name", ["ton\udcff.wav", "\x1b[31m.wav", "‮.wav"])
def test_a_name_that_is_no_text_does_not_end_the_run(note, tmp_path, name):
    run = train(start(Audio(note.samples, note.rate, name), settings(epochs=1), str(tmp_path / "run"), CPU))
    assert page_of(run).text
    assert "\x1b" not in text(run, "index.html")


def test_a_folder_whose_name_is_no_text_does_not_end_the_run(note, tmp_path):
    run = train(start(note, settings(epochs=1), str(tmp_path / "run\udcff"), CPU))
    assert page_of(run).text


def test_a_figure_that_could_not_be_had_is_left_empty(note, tmp_path):
    contract = msgspec.to_builtins(load("bigvgan_base_22khz_80band"))
    contract["grid"] |= {"rate": 8000, "n_fft": 256, "hop": 128, "bands": 12, "fmax": 4000.0}
    config = settings(epochs=1, target={"contract": contract})
    run = train(start(note, config, str(tmp_path / "run"), CPU))
    assert run.rows[-1]["band_4096_8192_db"] is None
    row = next(csv.DictReader(io.StringIO(text(run, "metrics.csv"))))
    assert row["band_4096_8192_db"] == ""
    assert "None" not in "".join(page_of(run).text)
