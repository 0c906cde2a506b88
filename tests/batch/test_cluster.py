"""A Dask scheduler and two workers as processes of this machine; one of them is killed in mid-run."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from diagnose import batch
from diagnose.batch import pool, work
from diagnose.batch.journal import JOURNAL
from diagnose.errors import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed.*", "ignore::ResourceWarning"),
    pytest.mark.skipif(find_spec("distributed") is None, reason="pip install 'timbre-diagnose[batch]'"),
]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parents[2], Path(__file__).parent)))}


@pytest.fixture
def cluster(started, tmp_path):
    """(address, [worker processes]): a scheduler and two workers of one thread, without a nanny that revives them."""

    def start(*words):
        return started("-m", *words, program=sys.executable, env=ENVIRONMENT)

    host = ["--host", "127.0.0.1", "--port", "0"]
    scheduler = start("distributed.cli.dask_scheduler", *host, "--no-dashboard")
    address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", tmp_path]
    workers = [start("distributed.cli.dask_worker", address, *options) for _ in range(2)]
    for worker in workers:
        assert any("Registered to" in line for line in worker.stderr)
    return address, workers


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [40, 500])
def test_a_killed_worker_changes_no_row(manifest, tmp_path, cluster, lines, pairs):
    address, workers = cluster
    source, out = batch.source_of([str(manifest(pairs))]), tmp_path / "out"

    def kill_one(done, *_):
        if done == pairs // 4:
            os.killpg(workers[0].pid, signal.SIGKILL)

    outcome = batch.run(source, str(out), batch.Options(dask=address, pages=300_000), progress=kill_one)
    assert workers[0].wait(10) == -signal.SIGKILL
    assert (outcome.overview.pairs, outcome.verdicts["ERROR"]) == (pairs, 0)
    assert outcome.overview.pages >= 1
    batch.run(source, str(tmp_path / "here"), batch.Options(jobs=2, pages=0))
    assert (out / "results.csv").read_bytes() == (tmp_path / "here" / "results.csv").read_bytes()


@pytest.mark.slow
def test_a_run_that_is_killed_on_a_cluster_goes_on_without_it(manifest, tmp_path, cluster, started, wait_until, lines):
    path, out = manifest(80), tmp_path / "out"
    process = started("batch", path, "--out", out, "--dask", cluster[0])
    wait_until(lambda: lines(out / JOURNAL) >= 10)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    done = lines(out / JOURNAL)
    assert 10 <= done < 80
    outcome = batch.run(batch.source_of([str(path)]), str(out), batch.Options(jobs=1, pages=0), resume=True)
    assert (outcome.resumed, outcome.overview.pairs, outcome.verdicts["ERROR"]) == (done, 80, 0)


def deadly_row(pair, profile, folder):
    if pair.id == "x0":
        os.kill(os.getpid(), signal.SIGKILL)
    return work.row_of(pair, profile, folder)


@pytest.mark.slow
def test_a_pair_that_kills_every_worker_is_a_row(manifest, sounds, tmp_path, cluster, started, monkeypatch):
    """joblib does not hear of a task that Dask gave up on: the batch asks Dask itself when answers fail to come."""
    address, _ = cluster
    options = ["--nthreads", "1", "--nworkers", "2", "--no-dashboard", "--local-directory", tmp_path]
    started("-m", "distributed.cli.dask_worker", address, *options, program=sys.executable, env=ENVIRONMENT)
    monkeypatch.setattr(pool, "row_of", deadly_row)
    began = pool.Cluster.__init__

    def impatient(self, *given):  # as to answers; a worker that is started anew may take its time
        began(self, *given)
        self.stall = 8.0

    monkeypatch.setattr(pool.Cluster, "__init__", impatient)
    ours = sounds / "ref" / "0.wav"
    source = batch.source_of([str(manifest(8, [(ours, ours)] * 2))])
    outcome = batch.run(source, str(tmp_path / "out"), batch.Options(dask=address, pages=0))
    assert (outcome.overview.pairs, outcome.verdicts["ERROR"]) == (10, 1)
    assert outcome.overview.errors[0].text == pool.KILLED
    assert outcome.overview.errors[0].examples == ("row 9, x0",)


def test_no_scheduler_is_one_line_within_seconds(manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "CONNECT_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    for wrong in (address, "no such host:1", "nonsense"):
        with pytest.raises(InputError, match="no Dask scheduler answers") as error:
            batch.run(batch.source_of([str(manifest(1))]), str(tmp_path / "o"), batch.Options(dask=wrong))
        assert "\n" not in str(error.value)


def test_a_cluster_without_workers_is_one_line(manifest, tmp_path, started, monkeypatch):
    monkeypatch.setattr(pool, "CONNECT_S", 1.0)
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    scheduler = started("-m", "distributed.cli.dask_scheduler", *words, program=sys.executable)
    address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
    said = "scheduler has no worker.*dask worker tcp|thread of Dask did not start"
    with pytest.raises(InputError, match=said):
        batch.run(batch.source_of([str(manifest(1))]), str(tmp_path / "out"), batch.Options(dask=address))
