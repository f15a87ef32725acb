"""Each quality check rejects its kind of fault, and a good translation passes all of them."""

import pytest

from builders.translation import check_translations, quality_check_rows

ENGLISH = "The old library by the river opens its doors again in the spring."
GREEK = "Η παλιά βιβλιοθήκη δίπλα στο ποτάμι ανοίγει ξανά τις πόρτες της την άνοιξη."


@pytest.mark.parametrize(
    ("source", "translation", "flags", "failed_check"),
    [
        (ENGLISH, GREEK, [], ""),
        (ENGLISH, GREEK, ["truncated"], "truncated"),
        (ENGLISH, GREEK, ["unknown_token"], "unknown_token"),
        (ENGLISH, "", ["source_too_long"], "source_too_long"),
        (ENGLISH, " ", [], "empty"),
        (ENGLISH, GREEK, ["placeholder_lost"], "placeholder_lost"),
        (ENGLISH, "Η παλιά βιβλιοθήκη " + "στο ποτάμι " * 6, [], "repetition"),
        (ENGLISH, "Η παλιά ααααααααααααααααααααα βιβλιοθήκη δίπλα", [], "repetition"),
        (ENGLISH, "Η παλιά βιβλιοθήκη . . . . . . . . . . . .", [], "repetition"),
        ("Ha ha ha ha ha ha!", "Χα χα χα χα χα χα!", [], ""),
        (ENGLISH, "Ναι.", [], "length_ratio"),
        ("Yes.", GREEK, [], "length_ratio"),
        (ENGLISH, ENGLISH.upper(), [], "unchanged"),
        ("Barack Obama", "Barack Obama", [], ""),
        ("DID YOU KNOW?", "DID YOU KNOW?", [], "unchanged"),
        ("How are you?", "How are you ?", [], "unchanged"),
        ("Please wait.", "please wait", [], "unchanged"),
        ("See you tomorrow!", "See you tomorrow!", [], "unchanged"),
        ("WHAT IS THIS?", "WHAT IS THIS?", [], "unchanged"),
        ("iPhone 12", "iPhone 12", [], ""),
        ("The Beatles", "The Beatles", [], ""),
        ("The New York", "The New York", [], ""),
        ("OK", "OK", [], ""),
        (ENGLISH, "Die alte Bibliothek am Fluss öffnet im Frühling wieder ihre Türen.", [], "wrong_language"),
        ("Good day.", "Καλημέρα.", [], ""),
    ],
)
def test_first_failed_check_is_returned(source: str, translation: str, flags: list[str], failed_check: str) -> None:
    assert check_translations([source], [translation], [flags], "el") == [failed_check]


def test_length_ratio_is_that_of_the_language() -> None:
    assert check_translations([ENGLISH], ["河边的旧图书馆将在春天重新开放。"], [[]], "zh") == [""]
    assert check_translations([ENGLISH], [ENGLISH * 2 + "!"], [[]], "zh") == ["length_ratio"]


def test_every_check_has_a_description() -> None:
    assert all(row.description for row in quality_check_rows().values())
