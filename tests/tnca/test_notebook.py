"""examples/timbre_generator_bigvgan.ipynb, run from top to bottom on a tiny budget."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from diagnose import audio, example

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "timbre_generator_bigvgan.ipynb"


def parameters(book):
    (cell,) = (each for each in book.cells if "parameters" in each.metadata.get("tags", []))
    return cell


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The notebook after a run on a fifth of a second, three epochs."""
    folder = tmp_path_factory.mktemp("notebook")
    audio.write(folder / "note.wav", example.bowed_string(392.0, seconds=0.2))
    book = nbformat.read(NOTEBOOK, as_version=4)
    cell = parameters(book)
    cell.source += "\nAUDIO, EPOCHS, OUT = 'note.wav', 3, 'run'\nimport torch\n\ntorch.set_num_threads(1)"
    NotebookClient(book, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return folder, book


def test_it_is_kept_without_outputs_and_is_whole():
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in book.cells)
    assert len(NOTEBOOK.read_text(encoding="utf-8")) < 10_000


@pytest.mark.slow
def test_it_draws_plays_and_judges(ran):
    folder, book = ran
    outputs = [out for cell in book.cells if cell.cell_type == "code" for out in cell.outputs]
    kinds = [kind for out in outputs for kind in out.get("data", {})]
    assert kinds.count("image/png") == 2
    assert sum("<audio" in out.get("data", {}).get("text/html", "") for out in outputs) == 2
    text = "".join(out.get("text", "") for out in outputs)
    for name in ("rms_ratio", "centroid_ratio", "round trip", "causes"):
        assert name in text
    assert (folder / "run" / "index.html").is_file()


def test_it_says_where_the_measurements_are():
    words = json.dumps(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    assert "tnca fixes" in words
    assert "reports/fixes.html" in words
