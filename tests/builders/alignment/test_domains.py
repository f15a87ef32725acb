"""A part of a corpus with a vocabulary of its own is judged by random pairs of its own, where these know better."""

import random

import polars as pl
import pytest

import builders
from tests.builders.alignment.toy_language import domain_pairs, toy_pairs

NUM_PAIRS, NUM_RARE = 6_500, 600
ONLY = 'disable_filters = ["wrong_language_en", "wrong_language_xx", "length_ratio"]\n'


@pytest.fixture(scope="module")
def pairs():
    """Return pairs of two domains, of which 30 % are wrong, in any order: English, other side, is rare, is wrong."""
    rows = [
        (*pair, is_rare, wrong)
        for own, is_rare in ((toy_pairs(NUM_PAIRS, 0.3), False), (domain_pairs(NUM_RARE, 0.3), True))
        for pair, wrong in zip(*own, strict=True)
    ]
    random.Random(2).shuffle(rows)
    return rows


def audit(pairs, folder):
    paths = folder / "toy.en", folder / "toy.el"
    for side, path in enumerate(paths):
        path.write_text("".join(f"{pair[side]}\n" for pair in pairs), encoding="utf-8")
    return builders.audit(*paths, lang="el", worst=0)


@pytest.mark.slow
def test_an_audit_names_a_rare_domain_by_its_words(pairs, tmp_path):
    result = audit(pairs, tmp_path)
    (domain,) = result.domains
    assert NUM_RARE * 0.8 < domain.num_pairs < NUM_RARE * 1.2
    assert domain.num_spared >= 5
    rare = {word for en, _, is_rare, _ in pairs if is_rare for word in en.split()}
    assert len(domain.words) == 8
    assert set(domain.words) <= rare
    assert f"pairs have a vocabulary of their own ({', '.join(domain.words)})" in repr(result)


@pytest.mark.slow
@pytest.mark.parametrize("share_wrong", [0, 0.3])
def test_neither_noise_nor_a_corpus_of_one_domain_is_named(share_wrong, tmp_path):
    assert audit(toy_pairs(4_000, share_wrong)[0], tmp_path).domains == []


@pytest.mark.slow
def test_a_build_keeps_more_of_a_rare_domain_and_warns_of_it(pairs, request_for, tmp_path, caplog):
    from builders.run import run_build

    request = request_for({"mixed": {"el": [(None, en, xx) for en, xx, _, _ in pairs]}}, ONLY, tmp_path)
    built = run_build(request)[0]
    (domain,) = built.domains.to_dicts()
    assert f"el: {domain['num_pairs']:,} pairs of mixed have a vocabulary of their own" in caplog.text
    scores = pl.read_parquet(built.parts["el"][0].alignment_scores[0]).sort("line_number")
    names = [pl.Series(name, [row[n] for row in pairs]) for n, name in ((2, "is_rare"), (3, "is_wrong"))]
    lines = built.lines("el").collect().sort("line_number").with_columns(first=scores["chance"]).with_columns(names)
    gained = lines.filter((pl.col("first") > 0.05) & (pl.col("chance") <= 0.05))
    assert gained.height >= domain["num_spared"]
    assert gained["is_rare"].mean() > 0.9
    assert gained["is_wrong"].mean() < 0.5
    is_lost = pl.col("reject_reason") == "misaligned"
    caught = lines.filter("is_wrong").group_by("is_rare").agg(is_lost.fill_null(False).mean())
    assert min(caught["reject_reason"]) > 0.8


def test_english_sides_are_divided_by_vocabulary_and_alike_in_any_batch(pairs):
    import numpy as np
    import pyarrow as pa

    from builders.alignment import learn_domains, side_of, tokenize

    def side(rows):
        return side_of(tokenize(pa.array([row[0] for row in rows]), "en"))

    domains = learn_domains(side(pairs))
    numbers, is_rare = domains.of(side(pairs)), np.array([row[2] for row in pairs])
    (most,) = {np.bincount(numbers[is_rare]).argmax()}
    assert np.mean(numbers[is_rare] == most) > 0.9
    assert np.mean(is_rare[numbers == most]) > 0.9
    parts = [domains.of(side(pairs[start : start + 1_000])) for start in range(0, len(pairs), 1_000)]
    assert np.array_equal(np.concatenate(parts), numbers)
    again = learn_domains(side(pairs))
    assert np.array_equal(again.log_shares, domains.log_shares)


def test_a_domain_is_judged_apart_if_it_is_rare_and_most_of_what_that_spares_is_right():
    from builders.alignment import DomainCounts

    noise = DomainCounts(num_pairs=500, num_spared=8, num_wrong=75, random_spared=40, random_wrong=200)
    assert not noise.is_apart(10_000)  # 15 wrong pairs would be spared
    right = DomainCounts(num_pairs=500, num_spared=32, num_wrong=75, random_spared=40, random_wrong=200)
    assert right.is_apart(10_000)
    assert not right.is_apart(4_000)
    assert not DomainCounts(500, 1, 0, 0, 200).is_apart(10_000)
