"""Numbers are printed so that they stay on their side of a threshold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.lines_format import format_measure


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.04, "1.04"), (1.0396, "1.0396"), (1.0399999, "1.0399999"), (1.0400001, "1.0400001"), (1 / 3, "0.333333")],
)
def test_measure_is_not_rounded_to_a_rounder_number(value, text):
    assert format_measure(value) == text


@given(st.floats(0.5, 2.0), st.integers(500, 2000))
def test_printed_measure_is_on_the_same_side_of_a_threshold(value, threshold):
    limit = threshold / 1000
    printed = float(format_measure(value))
    assert (printed < limit, printed > limit) == (value < limit, value > limit)
