"""Text for a reader: cut to a length, and never a control character."""

from hypothesis import given
from hypothesis import strategies as st

from diagnose.text import printable, shortened


@given(st.text(), st.integers(10, 80))
def test_a_text_is_cut_in_its_middle_to_at_most_so_many_printable_characters(text, most):
    found = shortened(text, most)
    assert found.isprintable()
    assert len(found) <= most
    whole = printable(text)
    if len(whole) <= most:
        assert found == whole
    else:
        assert len(found) == most
        assert whole.startswith(found[:4])
        assert whole.endswith(found[-3:])


def test_beginning_and_end_are_of_one_length():
    assert shortened("a" * 50 + "b" * 50, 13) == "aaaaa...bbbbb"
    assert shortened("a" * 50 + "b" * 50, 14) == "aaaaaa...bbbbb"
    assert shortened("1234567890", 10) == "1234567890"
