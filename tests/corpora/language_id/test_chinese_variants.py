"""Simplified and traditional Chinese, told apart by the characters that only one of them has."""

from corpora.language_id import variant_characters, variant_patterns


def test_variant_characters_belong_to_one_variant_only():
    simplified, traditional = map(set, variant_characters())
    assert not simplified & traditional
    assert set("学国们车") <= simplified
    assert set("學國們車") <= traditional
    assert not (simplified | traditional) & set("后里我的是")


def test_no_character_is_special_in_a_regular_expression():
    assert not set("".join(variant_characters())) & set(r"\^-[]")


def test_only_chinese_has_script_variants():
    assert variant_patterns("zh")["has_variants"]
    assert not variant_patterns("el")["has_variants"]
