"""Guards: each stops what it is for, and a good translation passes all."""

import pytest

from builders.translation.quality_checks import guards, judge

ENGLISH = "The old library by the river opens its doors again in the spring."
GREEK = "Η παλιά βιβλιοθήκη δίπλα στο ποτάμι ανοίγει ξανά τις πόρτες της την άνοιξη."


@pytest.mark.parametrize(
    ("source", "output", "facts", "guard"),
    [
        (ENGLISH, GREEK, [], ""),
        (ENGLISH, GREEK, ["cut"], "cut"),
        (ENGLISH, GREEK, ["unknown_token"], "unknown_token"),
        (ENGLISH, "", ["too_long"], "too_long"),
        (ENGLISH, " ", [], "empty"),
        (ENGLISH, GREEK, ["mask_lost"], "mask_lost"),
        (ENGLISH, "Η παλιά βιβλιοθήκη " + "στο ποτάμι " * 6, [], "repetition"),
        (ENGLISH, "Η παλιά ααααααααααααααααααααα βιβλιοθήκη δίπλα", [], "repetition"),
        (ENGLISH, "Η παλιά βιβλιοθήκη . . . . . . . . . . . .", [], "repetition"),
        ("Ha ha ha ha ha ha!", "Χα χα χα χα χα χα!", [], ""),
        (ENGLISH, "Ναι.", [], "length_ratio"),
        ("Yes.", GREEK, [], "length_ratio"),
        (ENGLISH, ENGLISH.upper(), [], "unchanged"),
        ("Barack Obama", "Barack Obama", [], ""),
        (ENGLISH, "Die alte Bibliothek am Fluss öffnet im Frühling wieder ihre Türen.", [], "wrong_language"),
        ("Good day.", "Καλημέρα.", [], ""),
    ],
)
def test_a_translation_is_stopped_by_the_first_guard_that_finds_fault(
    source: str, output: str, facts: list[str], guard: str
) -> None:
    assert judge([source], [output], [facts], "el") == [guard]


def test_the_length_of_chinese_is_measured_by_its_own_ratio() -> None:
    assert judge([ENGLISH], ["河边的旧图书馆将在春天重新开放。"], [[]], "zh") == [""]
    assert judge([ENGLISH], [ENGLISH * 2 + "!"], [[]], "zh") == ["length_ratio"]


def test_every_guard_says_why() -> None:
    assert all(row["why"] for row in guards().values())
