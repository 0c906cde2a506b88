"""The user's own command: where it runs, what it is told, and what of it is shown."""

from __future__ import annotations

import os
import sys

import pytest

from diagnose.errors import InputError
from diagnose.process import render


def python(code):
    return [sys.executable, "-c", code]


def test_it_runs_in_the_folder_with_the_variables(tmp_path):
    code = "import os; open('said', 'w').write(os.environ['WORD'] + os.environ['PATH'])"
    render(python(code), tmp_path, {"WORD": "a b $(c)"})
    assert (tmp_path / "said").read_text() == "a b $(c)" + os.environ["PATH"]


def test_what_it_prints_is_no_result_of_ours(tmp_path, capfd):
    render(python("import sys; print('out'); print('err', file=sys.stderr); input"), tmp_path, {})
    assert capfd.readouterr() == ("", "")


def test_it_is_given_no_terminal_to_wait_at(tmp_path):
    with pytest.raises(InputError, match="EOFError"):
        render(python("input()"), tmp_path, {})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('one'); print('two'); print(); raise SystemExit(3)", r"ended with 3 in .*: two$"),
        ("raise SystemExit(3)", r"ended with 3 in .*: it printed nothing$"),
        ("import os; os.write(1, bytes([255]) * 9000 + b'\\nlast'); raise SystemExit(1)", r": last$"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"ended with -9"),
    ],
)
def test_where_it_fails_its_last_line_is_shown(tmp_path, code, said):
    with pytest.raises(InputError, match=said):
        render(python(code), tmp_path, {})


def test_nothing_is_a_shell(tmp_path):
    render(["echo", "; touch made"], tmp_path, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["no-such-program"], [""], ["a\0b"]])
def test_what_cannot_be_run_is_named(tmp_path, words):
    with pytest.raises(InputError, match="cannot be run"):
        render(words, tmp_path, {})
