"""Every read error of the readers of sentence pairs is a filter that nobody can disable."""

import pytest

from builders.pipeline import all_filters
from corpora.reading import READ_ERRORS


@pytest.mark.parametrize("name", READ_ERRORS)
def test_every_read_error_is_a_filter(name: str) -> None:
    found = all_filters()[name]
    assert found.reject == f"read_error = '{name}'"
    assert not found.can_disable
