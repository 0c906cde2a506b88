"""Reports and suites to render: measured ones, each once, and ones written by hand."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

import diagnose
from diagnose import example
from diagnose.audio import Audio
from diagnose.results.cause import Cause, Explained
from diagnose.results.report import AlignmentFacts, LimitLevels, MetricRow, Report, SoundFacts
from diagnose.results.suite import Case, Check, Suite

RATE = 22050
HOSTILE = [
    "<img src=x onerror=alert(1)>.wav",
    "<script>alert(1)</script>",
    "a | b",
    "`tick` ``two`` ```three```",
    "*bold* _em_ ~~gone~~ [link](http://x.example) ![i](http://x.example/i.png)",
    "# head",
    "| --- | --- |",
    "\\| \\` \\<b>",
    "&lt;b&gt; &amp; &#60;",
    "\"quoted\" 'single'",
    "line\nbreak\r\nand\ttab",
    "\x1b[31mred\x1b[2J \x07 \x00 \x7f \x9b31m",
    "\u202eright to left",
    "\udcff not UTF-8",
    "{{ 7 * 7 }} {% raw %}",
    "<!-- comment --> ]]> <![CDATA[",
    "- item\n1. one\n> quote",
]


@pytest.fixture(scope="session")
def note():
    return example.bowed_string(seconds=0.5, rate=RATE)


@pytest.fixture(scope="session")
def broken(note):
    """The note against its misfed copy: FAIL, no cause named; causes are those of CAUSES, which never change."""
    return msgspec.structs.replace(diagnose.compare(note, example.misfed_vocoder(note)), causes=())


@pytest.fixture(scope="session")
def same(note):
    """The note against itself: PASS."""
    return diagnose.compare(note, note)


@pytest.fixture(scope="session")
def silent(note):
    return diagnose.compare(note, Audio(np.zeros_like(note.samples), RATE))


@pytest.fixture(scope="session")
def named(broken):
    """named(reference, generated): the broken report, its files called so."""

    def make(reference, generated="generated.wav"):
        return msgspec.structs.replace(
            broken,
            reference=msgspec.structs.replace(broken.reference, path=reference),
            generated=msgspec.structs.replace(broken.generated, path=generated),
        )

    return make


@pytest.fixture(scope="session")
def row():
    """row("dc_share", "share", 0.0, 0.74, 0.74, "FAIL"): a row of a report."""

    def make(name, unit, reference, generated, change, verdict=None, fail=None, **more):
        severity = {"FAIL": 1.0, "WARN": 0.5}.get(verdict, 0.0)
        limit = LimitLevels(None, fail)
        return MetricRow(name, unit, reference, generated, change, verdict, severity, limit, **more)

    return make


@pytest.fixture(scope="session")
def report_of():
    """report_of(rows, verdict): a report without sounds."""

    def make(rows, verdict):
        sounds = [SoundFacts(f"{name}.wav", RATE, 1, 1.0, {}) for name in ("reference", "generated")]
        laid = AlignmentFacts(RATE, 1.0, 0.0, 0.0, 1, "waveform", 1.0, None, None)
        return Report("1", *sounds, laid, tuple(rows), verdict)

    return make


@pytest.fixture(scope="session")
def suite():
    """Two cases: one with a check of every verdict, one that could not be measured."""
    checks = tuple(
        Check(f"{verdict.lower()}_db", verdict, f"says {verdict}") for verdict in ("PASS", "WARN", "FAIL", "ERROR")
    )
    return Suite("strings", (Case("violin", "FAIL", checks), Case("cello", "ERROR", error="cello.wav: no such file")))


CAUSES = (
    Cause(
        "vocoder-input-scale",
        0.95,
        "the vocoder was fed linear mel values",
        ("98 % of the sound is a hum", "the log-mel spread is 4.2 nats"),
        "feed ln(clamp(mel, 1e-5))",
        (Explained("dc-offset", "74 % of the power is DC"), Explained("gain", "4.1 times too loud")),
    ),
    Cause("noise", 0.08, "broadband noise", ("flatness 0.02",), "look at the last layer"),
    Cause("mel-range", 0.03, "the mel filterbank ends elsewhere", (), "fmax = 8000"),
)


@pytest.fixture
def causes():
    """Three, the most likely first; two findings follow from the first."""
    return CAUSES


@pytest.fixture(scope="session")
def explained(broken):
    """The broken report with its causes named."""
    return msgspec.structs.replace(broken, causes=CAUSES)


@pytest.fixture
def hostile_causes(hostile):
    """The hostile text wherever a cause takes text: file names reach its evidence."""
    named = Cause(hostile, 0.9, hostile, (hostile, hostile), hostile, (Explained(hostile, hostile),))
    return (named, msgspec.structs.replace(named, confidence=0.1))


# In the ordinary run: a tag, a table's bar, an escape, what is no UTF-8, a template, the end of XML's own quotes.
OFTEN = {HOSTILE[at] for at in (0, 2, 11, 13, 14, 15)}


@pytest.fixture(
    params=[pytest.param(text, marks=() if text in OFTEN else pytest.mark.slow) for text in HOSTILE], ids=ascii
)
def hostile(request):
    return request.param


@pytest.fixture(params=["metric", "the rest"])
def hostile_suite(request, hostile):
    """The hostile text wherever a suite takes text from outside: metrics are named by goldens, which people write."""
    if request.param == "metric":
        return Suite("suite", (Case("case", "FAIL", (Check(hostile, "FAIL", "text"),), "error"),))
    return Suite(hostile, (Case(hostile, "FAIL", (Check("x_db", "FAIL", hostile),), hostile),))
