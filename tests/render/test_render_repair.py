"""A repair in words, and the third sound of the page."""

from __future__ import annotations

import base64
import io
import re

import msgspec
import numpy as np
import pytest
import soundfile

import diagnose
from diagnose.audio import Audio
from diagnose.render.html import to_html
from diagnose.render.markdown import to_markdown
from diagnose.render.phrases import as_suite, repair_lines
from diagnose.render.terminal import print_report
from diagnose.results.repair import LeftUndone, Repair, Undone

STEPS = (Undone(("hum", "tonal"), "a hum", -2.0, -10.0), Undone(("gain",), "", -10.0, -40.0, 2))
REPAIR = Repair(STEPS, (LeftUndone("noise", "it is noise"), LeftUndone("clipping", "cut", 1)), -2.0, -40.0)


@pytest.fixture(scope="module")
def mended(note):
    return diagnose.compare(note, Audio(-note.samples, note.rate), repair=True)


def test_each_step_has_its_distances_and_what_stays_its_reason():
    assert repair_lines(REPAIR) == [
        ("repaired", "hum with tonal undone: -2 dB apart before, -10 dB after (a hum)"),
        ("repaired", "channel 2, gain undone: -10 dB apart before, -40 dB after"),
        ("repaired", "together: -2 dB apart before, -40 dB after"),
        ("not undone", "noise: it is noise"),
        ("not undone", "channel 1, clipping: cut"),
    ]


def test_where_nothing_was_undone_it_says_so():
    assert repair_lines(Repair()) == [("repaired", "nothing: no sound was written")]


def test_the_terminal_and_markdown_tell_it(broken, capsys):
    report = msgspec.structs.replace(broken, repair=REPAIR)
    print_report(report)
    shown = capsys.readouterr().out
    assert "repaired   hum with tonal undone" in shown
    assert "not undone noise: it is noise" in shown
    assert "not undone: noise: it is noise" in to_markdown(as_suite(report))
    print_report(broken)
    assert "repaired" not in capsys.readouterr().out


def test_the_page_plays_the_repaired_sound_beside_both(mended, note):
    page = to_html(mended)
    (uri,) = re.findall(r'<audio[^>]*src="data:audio/flac;base64,([^"]+)"[^>]*aria-label="As it would be', page)
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(uri)))
    assert rate == note.rate
    assert np.abs(samples - note.samples[0]).max() < 1e-4
    assert "What can be undone" in page
    assert "As it would be" not in to_html(msgspec.structs.replace(mended, repaired=None, repair=None))


def test_what_it_cannot_undo_stands_under_the_player_and_is_escaped(mended):
    hostile = "<script>alert(1)</script>"
    left = (LeftUndone(hostile, hostile), LeftUndone("noise", "it is noise"))
    repair = Repair((Undone((hostile,), hostile, -1.0, -2.0),), left, -1.0, -2.0)
    page = to_html(msgspec.structs.replace(mended, repair=repair))
    assert hostile not in page
    assert "not undone: &lt;script&gt;alert(1)&lt;/script&gt;, noise" in page
