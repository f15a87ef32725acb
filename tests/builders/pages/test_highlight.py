"""What a page marks in texts: differences, scripts, numbers, and characters that nobody would see."""

from builders.pages.highlight import mark_difference, mark_nothing, mark_pair


def test_invisible_characters_are_shown_by_their_number() -> None:
    assert mark_nothing("a\u202eb\u200cc\x00") == [
        ("a", ""),
        ("U+202E", "control"),
        ("b\u200cc", ""),
        ("U+0000", "control"),
    ]


def test_numbers_that_one_side_lacks_are_marked() -> None:
    en, xx = mark_pair("In 1969 and 15 more", "Το 1969 και 16 ακόμη", "el", "numbers")
    assert [text for text, mark in en if mark] == ["15"]
    assert [text for text, mark in xx if mark] == ["16"]
    assert [text for text, mark in mark_pair("In 1969", "في عام ١٩٦٩", "ar", "kept")[1] if mark] == []


def test_letters_of_another_script_are_marked() -> None:
    _, xx = mark_pair("Moscow", "Москва", "el", "wrong_script")
    assert {mark for _, mark in xx} == {"script"}
    assert {mark for _, mark in mark_pair("Beijing", "北京 Beijing", "zh", "wrong_script")[1]} == {""}


def test_words_that_differ_are_marked_and_all_text_is_kept() -> None:
    pieces = mark_difference("the river is long", "The river is very long")
    assert [text for text, mark in pieces if mark] == ["the"]
    assert "".join(text for text, _ in pieces) == "the river is long"
