"""The filter `misaligned`: pairs judged by their words, and never more rejected than are estimated to be wrong."""

from dataclasses import replace

import polars as pl
import pytest

from builders.run import run_build
from corpora.files import sha256_of
from tests.builders.alignment.toy_language import toy_pairs
from tests.builders.conftest import ledger_counts

pytestmark = pytest.mark.slow

ONLY = 'disable_filters = ["wrong_language_en", "wrong_language_xx", "length_ratio"]\n'
NUM_NOISY, NUM_CLEAN = 3_000, 2_400


@pytest.fixture(scope="module")
def corpora():
    """Return a corpus with wrong pairs, and one without; and which pairs of the first are wrong."""
    noisy, is_wrong = toy_pairs(NUM_NOISY, 0.3)
    clean, _ = toy_pairs(NUM_CLEAN, 0, seed=1)
    lines = {name: [(None, *pair) for pair in pairs] for name, pairs in (("noisy", noisy), ("clean", clean))}
    return {name: {"el": own} for name, own in lines.items()}, is_wrong


@pytest.fixture(scope="module")
def request_of(corpora, request_for, tmp_path_factory):
    return request_for(corpora[0], ONLY, tmp_path_factory.mktemp("alignments"))


@pytest.fixture(scope="module")
def built(request_of):
    return run_build(request_of)[0]


def test_wrong_pairs_are_rejected_and_clean_corpora_lose_next_to_nothing(built, corpora):
    lines = built.lines("el").collect().sort("corpus", "line_number")
    noisy = lines.filter(corpus="noisy").with_columns(is_wrong=pl.Series(corpora[1]))
    share = noisy.group_by("is_wrong").agg((pl.col("reject_reason") == "misaligned").fill_null(False).mean())
    by_kind = dict(share.iter_rows())
    assert by_kind[True] > 0.8
    assert by_kind[False] < 0.1
    clean = lines.filter(corpus="clean")
    assert (clean["reject_reason"] == "misaligned").sum() < 0.002 * NUM_CLEAN


def test_no_more_are_rejected_than_are_estimated_to_be_wrong(built):
    shares = pl.read_parquet(built.parts["el"][0].misaligned_shares[0])
    counts = ledger_counts(built.ledger.to_dicts())
    for row in shares.iter_rows(named=True):
        rejected = counts.get(("decisions", row["corpus"], "el", "misaligned"), 0)
        assert rejected <= row["share_high"] * row["num_judged"]
    noisy = shares.row(by_predicate=pl.col("corpus") == "noisy", named=True)
    assert noisy["share_low"] - 0.05 < 0.3 < noisy["share_high"] + 0.05


def test_tables_have_the_same_bytes_on_any_number_of_threads(built, request_of, tmp_path):
    again = run_build(replace(request_of, work=tmp_path / "work", threads=8))[0]
    for own, other in zip(built.parts["el"], again.parts["el"], strict=True):
        files = [(*tables.alignment_scores, *tables.misaligned_shares, tables.decisions) for tables in (own, other)]
        assert [path.name for path in files[0]] == [path.name for path in files[1]]
        assert [sha256_of(path) for path in files[0]] == [sha256_of(path) for path in files[1]]


def test_parts_of_any_size_give_the_same_alignments(built, request_of, tmp_path, monkeypatch):
    import builders.pipeline.parts

    monkeypatch.setattr(builders.pipeline.parts, "PART_ROWS", 1_000)
    divided = run_build(replace(request_of, work=tmp_path / "work"))[0]
    assert len(divided.parts["el"]) == 6
    order, columns = ["corpus", "line_number"], ["corpus", "line_number", "alignment", "chance", "reject_reason"]
    whole, parts = (build.lines("el").select(columns).collect().sort(order) for build in (built, divided))
    assert parts.equals(whole, null_equal=True)


def test_pairs_too_few_to_teach_are_not_judged_however_many_lines_there_are(request_for, tmp_path):
    pairs = [(None, *pair) for pair in toy_pairs(1_500, 0)[0]]
    built = run_build(request_for({"few": {"el": [*pairs, *[(None, "", "")] * 1_000]}}, ONLY, tmp_path))[0]
    lines = built.lines("el").collect()
    assert lines["chance"].null_count() == lines.height
    assert "misaligned" not in set(lines["reject_reason"])


def test_inspect_shows_the_words_that_nobody_explains(built, request_of):
    import builders
    from builders.lines_format import lines_text

    rows = builders.inspect(lang="el", reason="misaligned", work=request_of.work, limit=5)
    for row in rows.iter_rows(named=True):
        assert set(row["en_unexplained"]) <= set(row["en"].split())
        assert len(row["en_unexplained"]) > len(row["en"].split()) / 2
    kept = builders.inspect(lang="el", reason="kept", work=request_of.work, limit=5)
    shares = [len(row["xx_unexplained"]) / len(row["xx"].split()) for row in kept.iter_rows(named=True)]
    assert sum(shares) / len(shares) < 0.5
    assert " ".join(rows["xx_unexplained"][0]) in lines_text(rows, "el")


def test_too_few_pairs_are_not_judged(built, request_for):
    few, _ = toy_pairs(1_999, 0.3)
    lines = run_build(request_for({"few": {"el": [(None, *pair) for pair in few]}}, ONLY))[0].lines("el").collect()
    assert lines["alignment"].null_count() == lines.height
    assert "misaligned" not in set(lines["reject_reason"])
