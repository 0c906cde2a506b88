from __future__ import annotations

import json
import math

import msgspec
import pytest

from diagnose.render.json import to_json


@pytest.mark.parametrize("kind", ["broken", "same", "silent"])
def test_the_text_is_the_dict_and_one_newline(request, kind):
    report = request.getfixturevalue(kind)
    text = to_json(report)
    assert json.loads(text, parse_constant=pytest.fail) == json.loads(json.dumps(report.as_dict()))
    assert text.endswith("}\n")
    assert list(json.loads(text)) == list(report.as_dict())


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_never_written(broken, number):
    (first, *rest) = broken.metrics
    wrong = msgspec.structs.replace(first, reference=number)
    with pytest.raises(ValueError, match="JSON"):
        to_json(msgspec.structs.replace(broken, metrics=(wrong, *rest)))


def test_any_name_survives_and_is_ascii_on_the_way(named, hostile):
    text = to_json(named(hostile))
    assert text.isascii()
    assert json.loads(text)["reference"]["path"] == hostile
    assert "\x1b" not in text
