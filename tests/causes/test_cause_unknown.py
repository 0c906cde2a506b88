"""What is said where nothing holds: what is over its limit, worst first."""

import numpy as np

import diagnose
from diagnose.causes.unknown import HALF, unknown_cause
from diagnose.results.verdict import RANK


def rows():
    rng = np.random.default_rng(0)
    one, other = (rng.standard_normal(16_000).astype(np.float32) * 0.1 for _ in range(2))
    return diagnose.compare(one, np.convolve(other, [1, -0.9], "same").astype(np.float32), rate=16_000).metrics


def test_it_lists_what_is_over_its_limit_worst_first():
    found = rows()
    over = sorted(
        (row for row in found if row.verdict in ("WARN", "FAIL")), key=lambda r: (-RANK[r.verdict], -r.severity)
    )
    said = unknown_cause(found)
    assert (said.id, said.confidence) == ("unknown", HALF)
    assert over[0].name in said.summary
    assert said.evidence[0].startswith(over[0].name)


def test_where_nothing_is_over_a_limit_there_is_no_cause():
    assert unknown_cause([row for row in rows() if row.verdict == "PASS"]) is None
