"""Benchmarks of a sentence in each line, as NTREX-128 has them."""

import pytest

from corpora.errors import InputError
from corpora.reading import InputFile, read_benchmark


def test_lines_are_items_in_order(tmp_path):
    path = tmp_path / "newstest.txt"
    path.write_text("One.\nTwo.\n", encoding="utf-8")
    assert read_benchmark(InputFile(path, "text-lines", "el", xx_code="ell")).to_pylist() == [
        {"item": "line:1", "field": "sentence", "text": "One."},
        {"item": "line:2", "field": "sentence", "text": "Two."},
    ]
    path.write_bytes(b"One.\n\xff\n")
    with pytest.raises(InputError, match="line 2: invalid_utf8"):
        read_benchmark(InputFile(path, "text-lines", "el", xx_code="ell"))
