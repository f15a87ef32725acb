"""The table of characters: what DuckDB says, kept in a file."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_a_table_is_kept_and_a_damaged_one_is_made_again(tmp_path: Path):
    import numpy as np

    from builders.pipeline.measuring.characters import character_table

    first = character_table(("Greek",), "", "", tmp_path)
    (path,) = tmp_path.iterdir()
    assert np.array_equal(character_table(("Greek",), "", "", tmp_path), first)
    for damage in (b"", b"\x93NUMPY", path.read_bytes()[:5000]):
        path.write_bytes(damage)
        assert np.array_equal(character_table(("Greek",), "", "", tmp_path), first)
        assert list(tmp_path.iterdir()) == [path]


def test_a_table_is_made_where_it_cannot_be_kept(tmp_path: Path):
    from builders.pipeline.measuring.characters import CODE_POINTS, character_table

    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file"):
        assert character_table(("Greek",), "", "", folder).shape == (CODE_POINTS,)


def test_letters_are_in_lower_case_and_final_sigma_is_sigma():
    from builders.pipeline.measuring.characters import IS_DIGIT, IS_OWN, character_table

    table = character_table(("Greek",), "", "", None)
    lower, classes = table & 0x1FFFFF, table >> 21 & 0xFF
    assert [chr(lower[ord(c)]) for c in "ΣςσΆİⅧ"] == list("σσσάiⅷ")
    assert [bool(classes[ord(c)] & IS_OWN) for c in "αZ1漢."] == [True, False, False, False, False]
    assert [bool(classes[ord(c)] & IS_DIGIT) for c in "α1٣½."] == [False, True, True, True, False]
