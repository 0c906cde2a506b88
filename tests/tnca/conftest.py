from __future__ import annotations

import os

import pytest
import torch

from tnca import cli


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """On grids this small, a second thread of torch costs more to wait for than it does (up to a thousand times).

    TEST_THREADS: asks for more all the same (tests/portable.py).
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(int(os.environ.get("TEST_THREADS", "1")))
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tnca(typed):
    """tnca("train", ...) -> Done."""
    return lambda *arguments: typed(cli.main, "tnca", *arguments)
