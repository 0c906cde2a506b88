from __future__ import annotations

import pytest
from kernel_cases import CASES, rollout_of


@pytest.fixture(params=CASES, ids=str)
def rollout(request):
    """Each case as tensors, with what the plain cell makes of it in double precision."""
    return rollout_of(request.param)
