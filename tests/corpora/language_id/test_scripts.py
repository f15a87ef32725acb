"""Scripts of languages, and variants told apart by the characters that only one of them has."""

from corpora.language_id import find_variants, is_spaced, script_patterns, variant_characters


def test_variant_characters_belong_to_one_variant_only():
    simplified, traditional = map(set, variant_characters())
    assert not simplified & traditional
    assert set("学国们车") <= simplified
    assert set("學國們車") <= traditional
    assert not (simplified | traditional) & set("后里我的是")


def test_no_character_is_special_in_a_regular_expression():
    assert not set("".join(variant_characters())) & set(r"\^-[]")


def test_languages_in_two_scripts_and_chinese_have_variants():
    assert [variant.name for variant in find_variants("sr") or ()] == ["Cyrillic", "Latin"]
    assert [variant.name for variant in find_variants("zh-Hant") or ()] == ["simplified", "traditional"]
    assert find_variants("ja") is None
    assert find_variants("sr-Latn") is None
    assert script_patterns("zh")["has_variants"]
    assert not script_patterns("el")["has_variants"]


def test_english_words_that_a_language_has_do_not_show_english():
    assert "of" in str(script_patterns("el")["english_words"]).split("|")
    assert not {"of", "have"} & set(str(script_patterns("nl")["english_words"]).split("|"))


def test_only_chinese_and_japanese_have_no_space_between_sentences():
    assert [lang for lang in ("zh", "zh-Hant", "yue", "ja", "ko", "th", "km") if is_spaced(lang)] == ["ko", "th", "km"]
