"""Simplified and traditional Chinese, told apart by the characters that only one of them has."""

from corpora.language_id import variant_characters, variant_patterns


def test_the_two_sets_have_no_character_in_common_and_leave_out_what_both_write():
    simplified, traditional = map(set, variant_characters())
    assert not simplified & traditional
    assert set("学国们车") <= simplified
    assert set("學國們車") <= traditional
    assert not (simplified | traditional) & set("后里我的是")


def test_no_character_means_anything_in_a_regular_expression():
    assert not set("".join(variant_characters())) & set(r"\^-[]")


def test_only_chinese_has_has_script_variants():
    assert variant_patterns("zh")["has_variants"]
    assert not variant_patterns("el")["has_variants"]
