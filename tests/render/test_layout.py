"""What a terminal, a narrow one and a pipe get: asked of the program itself, through a pseudo terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.table import Table

from diagnose import audio, example
from diagnose.render.layout import Labelled, broken, print_parts

PROGRAM = str(Path(sys.executable).with_name("diagnose"))
WORDS = {
    "compare": ["compare", "reference.wav", "generated.wav"],
    "check": ["check", "suite.toml"],
    "mel": ["mel", "mel.npy", "--for", "bigvgan_base_22khz_80band"],
}
OF_A_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES", "NO_COLOR", "TERM")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a pair that fails, its suite with a golden that does not hold, and a mel in decibels."""
    folder = tmp_path_factory.mktemp("pair")
    string = example.bowed_string(seconds=0.5, rate=22050)
    audio.write(folder / "reference.wav", string)
    audio.write(folder / "generated.wav", string)
    (folder / "suite.toml").write_text(
        '[suite]\nname = "strings"\n[[case]]\nid = "note"\nreference = "reference.wav"\ngenerated = "generated.wav"\n'
    )
    subprocess.run([PROGRAM, "record", "suite.toml"], cwd=folder, check=True, capture_output=True)
    audio.write(folder / "generated.wav", example.misfed_vocoder(string))
    magnitudes = np.abs(np.random.default_rng(3).normal(size=(80, 60)))
    np.save(folder / "mel.npy", np.maximum(20 * np.log10(magnitudes), -80).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def terminal(files):
    """terminal("compare", 60) -> what a terminal of 60 columns gets; each run once."""
    found = {}

    def run(name, columns, **extra):
        key = (name, columns, *extra.items())
        if key not in found:
            found[key] = in_a_terminal(files, WORDS[name], columns, extra)
        return found[key]

    return run


@pytest.fixture(scope="module")
def piped(files):
    """piped("compare", COLUMNS="60") -> what a pipe gets; each run once."""
    found = {}

    def run(name, **extra):
        key = (name, *extra.items())
        if key not in found:
            done = subprocess.run(
                [PROGRAM, *WORDS[name]], cwd=files, env=environment(extra), capture_output=True, text=True, timeout=600
            )
            assert done.stderr == ""
            found[key] = done.stdout
        return found[key]

    return run


def environment(extra):
    kept = {name: value for name, value in os.environ.items() if name not in OF_A_TERMINAL}
    return {**kept, "TERM": "xterm", **extra}


def in_a_terminal(folder, words, columns, extra):
    """Through a pseudo terminal with that window and no $COLUMNS."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    program = subprocess.Popen(
        [PROGRAM, *words], cwd=folder, stdin=follower, stdout=follower, stderr=follower, env=environment(extra)
    )
    os.close(follower)
    parts = []
    with contextlib.suppress(OSError):  # Linux ends a pseudo terminal with EIO
        while part := os.read(leader, 65536):
            parts.append(part)
    os.close(leader)
    assert program.wait(600) == 1
    return b"".join(parts).decode().replace("\r\n", "\n")


def bare(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize(
    "name", ["compare", *(pytest.param(name, marks=pytest.mark.slow) for name in ("check", "mel"))]
)
@pytest.mark.parametrize("columns", [60, pytest.param(120, marks=pytest.mark.slow)])
def test_nothing_is_cut_and_no_line_is_wider_than_the_terminal(terminal, piped, name, columns):
    text = bare(terminal(name, columns))
    assert max(cell_len(line) for line in text.splitlines()) <= columns
    assert "…" not in text
    # 60 columns leave values out and never cut one: every word that is shown is one of the whole form's.
    assert set(text.split()) <= set(piped(name).split())
    assert not re.search(r"\d\n +(%|dB|Hz|ms|s|nats|cents)\b", text)


@pytest.mark.parametrize("name", WORDS)
def test_a_pipe_gets_no_colour_and_whole_lines(terminal, piped, name):
    assert "\x1b" not in piped(name)
    labels = re.findall(r"^(?:cause|differs|  cause|  fix) .*$", piped(name), re.MULTILINE)
    assert max(map(len, labels)) > 100


@pytest.mark.parametrize(
    "columns", ["60", *(pytest.param(columns, marks=pytest.mark.slow) for columns in ("nonsense", "0", "-5", ""))]
)
def test_a_pipe_has_no_width_whatever_the_shell_exports(piped, columns):
    assert piped("mel", COLUMNS=columns) == piped("mel")


@pytest.mark.parametrize("columns", [60, pytest.param(120, marks=pytest.mark.slow)])
def test_the_order_is_the_page_s_at_any_width(terminal, columns):
    text = bare(terminal("compare", columns))
    marks = ["FAIL", "\ncause ", "evidence:", "fix:", "\nreference ", "\ngenerated ", "\naligned "]
    marks += ["\nFAIL ", "more over a limit", "metrics passed", "\nwhere ", "\nnote: "]
    at = -1
    for mark in marks:
        at = text.index(mark, at + 1)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 120])
def test_what_speaks_against_colour_is_heard(terminal, columns):
    coloured = terminal("compare", columns)
    assert "\x1b[1;31mFAIL" in coloured
    without = terminal("compare", columns, NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3\dm", without)
    dumb = terminal("compare", columns, TERM="dumb")
    assert "\x1b" not in dumb
    assert bare(without) == dumb == bare(coloured)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("one two", 10, ["one two"]),
        ("one two three", 7, ["one two", "three"]),
        ("at 86.13 Hz it hums", 10, ["at", "86.13 Hz", "it hums"]),
        ("(0 % in it)", 4, ["(0 %", "in", "it)"]),
        ("3 sounds", 4, ["3", "sounds"]),
        ("a  b", 10, ["a  b"]),
        ("unbreakable it is", 5, ["unbreakable", "it is"]),
        ("音音 音音", 5, ["音音", "音音"]),
    ],
)
def test_lines_are_broken_at_spaces_but_not_within_a_figure(text, width, lines):
    assert broken(text, width) == lines


def test_a_table_that_does_not_fit_is_shown_row_by_row(capsys, monkeypatch):
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("words")
    table.add_row("a" * 15, "12.5 dB", "some words that go on")
    table.add_row("b", "", "x")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "30")
    print_parts([table])
    assert capsys.readouterr().out.splitlines()[0].split() == ["name", "figure", "words"]
    monkeypatch.setenv("COLUMNS", "29")
    print_parts([table, Labelled("note: ", "more words than a line of it holds")])
    assert capsys.readouterr().out.splitlines() == [
        "a" * 15,
        "  figure: 12.5 dB",
        "  words: some words that go",
        "         on",
        "b",
        "  words: x",
        "note: more words than a line",
        "      of it holds",
    ]
