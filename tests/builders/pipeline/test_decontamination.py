"""Pairs that contain benchmark texts: the index never misses one, and the table agrees with a plain computation."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.pipeline import ngram_index
from builders.pipeline.decontamination import (
    MIN_LENGTH,
    NGRAMS,
    contamination_task,
    decontamination_report,
    load_index,
    scale_length,
)
from builders.pipeline.filter_sql import reject_sql
from builders.pipeline.filters import choose_filters
from builders.pipeline.measuring import write_measured
from builders.pipeline.ngram_index import NgramIndex, find_candidates, find_matches, make_index
from builders.pipeline.parts import Part
from builders.workspace import Workspace
from corpora.errors import InputError
from corpora.language_id import without_accents
from corpora.reading import PAIRS

pytestmark = pytest.mark.slow

SIZE, STRIDE, SHORTEST = 8, 3, 5
N = {"en": 30, "el": 36}  # characters of an n-gram, as a build has them
ALPHABET = st.sampled_from("abαβ漢\U0001d7d8\u0301")
SENTENCE = st.text(ALPHABET, max_size=16) | st.text(max_size=30)
MEASURED = pa.schema(
    [("corpus", pa.string()), ("line_number", pa.int64())]
    + [(name, pa.string()) for name in ("en_norm", "xx_norm", "reject_reason")]
)
REPEATS = pa.schema([("corpus", pa.string()), ("line_number", pa.int64()), ("reject_reason", pa.string())])
SIDES_AND_REASONS = [("en", "contaminated"), ("en", None), ("xx", "contaminated")]
ANY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ngrams_table(sentences: Sequence[tuple[str, str]], n: int = SIZE, stride: int = STRIDE) -> pa.Table:
    sentences = [(benchmark, without_accents(sentence)) for benchmark, sentence in sentences]
    rows = [
        {
            "benchmark": benchmark,
            "item": item,
            "sentence": sentence,
            "num_ngrams": 1 if len(sentence) < n + stride else len(sentence) - n + 1,
            "is_whole_sentence": len(sentence) < n + stride,
        }
        for item, (benchmark, sentence) in enumerate(sentences, 1)
    ]
    return pa.Table.from_pylist(rows, NGRAMS)


def index_of(sentences: Sequence[str]) -> NgramIndex:
    return make_index(ngrams_table([("one", sentence) for sentence in sentences]), SIZE, STRIDE, SHORTEST)


def ngrams_of(text: str, n: int, stride: int = 1) -> set[str]:
    return {text[start : start + n] for start in range(0, len(text) - n + 1, stride)}


def shares(text: str, sentence: str, n: int, stride: int) -> bool:
    """Whether a tested n-gram of a text is one of a sentence, or the text has a short sentence, all without accents."""
    text, sentence = without_accents(text), without_accents(sentence)
    if len(sentence) < n + stride:
        return sentence in text
    return not ngrams_of(text, n, stride).isdisjoint(ngrams_of(sentence, n))


@ANY
@given(
    st.lists(SENTENCE.filter(lambda text: len(without_accents(text)) >= SHORTEST), max_size=8),
    st.lists(st.none() | SENTENCE),
    st.data(),
)
def test_texts_and_sentences_that_share_an_ngram_are_found_and_no_others(sentences, texts, data):
    if sentences:  # pieces of sentences, alone and inside other texts
        pieces = st.builds(lambda s, a, b: s[a:b], st.sampled_from(sentences), st.integers(0, 5), st.integers(5, 30))
        texts = texts + data.draw(st.lists(st.builds("{}{}{}".format, SENTENCE, pieces, SENTENCE) | pieces))
    index, norms = index_of(sentences), pa.array(texts, pa.string())
    expected = {
        (row, item)
        for row, text in enumerate(texts)
        for item, sentence in enumerate(sentences, 1)
        if text and shares(text, sentence, SIZE, STRIDE)
    }
    items = sorted({item for _, item in expected})
    is_candidate = [row in {row for row, _ in expected} for row in range(len(texts))]
    assert [found.tolist() for found in find_matches(norms, index)] == [is_candidate, items]
    assert find_candidates(norms, index, True).tolist() == is_candidate


def test_slice_of_a_column_is_searched_like_a_column():
    index = index_of(["abcdefghijklm", "short"])
    norms = pa.array(["x" * 20, "zzabcdefghijklmzz", None, "short", "shor"])
    for is_many in (False, True):
        assert find_candidates(norms, index, is_many).tolist() == [False, True, False, True, False]
        assert find_candidates(norms.slice(1, 3), index, is_many).tolist() == [True, False, True]
        assert find_candidates(norms.slice(5), index, is_many).tolist() == []


def test_index_without_sentences_finds_nothing():
    norms = pa.array(["", "a" * 100, None])
    for is_many in (False, True):
        assert not find_candidates(norms, index_of([]), is_many).any()


def test_texts_of_several_slices_are_searched(monkeypatch):
    sentences = [f"benchmarksentence{number}" for number in range(50)]
    norms = pa.array([None if number % 7 == 0 else f"{'x' * (number % 40)}{sentences[number]}" for number in range(50)])
    whole = find_matches(norms, index_of(sentences))
    monkeypatch.setattr(ngram_index, "SLICE_BYTES", 100)
    assert [found.tolist() for found in find_matches(norms, index_of(sentences))] == [part.tolist() for part in whole]
    assert whole[0].sum() == 50 - 8


def test_long_text_is_searched_to_its_end():
    index, long = index_of(["benchmarksentence"]), "漢a" * 500_000
    norms = pa.array([long + "benchmarksentence" + "x" * STRIDE, long])
    for is_many in (False, True):
        assert find_candidates(norms, index, is_many).tolist() == [True, False]


@pytest.fixture
def decontaminate(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """The rows of `contaminated` for rows of `measured` and the sentences of benchmarks by language."""
    work = Workspace(tmp_path / "work", threads=2)

    def run(measured: pa.Table, repeats: pa.Table, sentences: dict[str, pa.Table]) -> list[dict[str, Any]]:
        paths = {name: tmp_path / f"{name}.parquet" for name in ("pairs", "measured", "repeats", "contaminated")}
        for name, rows in (("pairs", measured), ("measured", measured), ("repeats", repeats)):
            pq.write_table(rows, paths[name])
        ngrams = {}
        for number, (lang, rows) in enumerate(sentences.items()):
            ngrams[lang] = tmp_path / f"{lang}-{abs(hash(str(rows.to_pylist())))}-{number}.parquet"
            pq.write_table(rows, ngrams[lang])
        filters = choose_filters({}, (), (), [])
        part = Part("any", "el", 0, paths["pairs"])
        task = contamination_task(part, paths["measured"], paths["repeats"], ngrams, filters)
        assert task.run
        task.run(work, paths["contaminated"])
        return pq.read_table(paths["contaminated"]).to_pylist()

    return run


def expected_overlap(text: str, sentence: str, n: int) -> float:
    text, sentence = without_accents(text), without_accents(sentence)
    if len(sentence) < n + 8:
        return 1.0
    shared = ngrams_of(text, n) & ngrams_of(sentence, n)
    return min(1.0, len(shared) / min(len(sentence) - n + 1, len(text) - n + 1))


def is_sentence(text: str) -> bool:
    return len(without_accents(text)) >= scale_length(MIN_LENGTH, "el")


LONG = st.text(st.sampled_from("abά"), min_size=30, max_size=60) | st.text(ALPHABET, min_size=30, max_size=50)


@settings(ANY, max_examples=12)
@given(
    st.lists(st.tuples(st.sampled_from(["one", "two"]), LONG.filter(is_sentence)), min_size=1, max_size=6, unique=True),
    st.data(),
)
def test_table_agrees_with_a_plain_computation(decontaminate, sentences, data):
    pieces = st.builds(
        lambda s, a, b, head, tail: head + s[1][a:b] + tail,
        *(st.sampled_from(sentences), st.integers(0, 9), st.integers(20, 70), SENTENCE, SENTENCE),
    )
    text = st.none() | LONG | pieces
    rows = data.draw(st.lists(st.tuples(text, text, st.sampled_from([None, None, "copy"])), max_size=12))
    measured = pa.Table.from_pylist(
        [
            {"corpus": "any", "line_number": number, "en_norm": en, "xx_norm": xx, "reject_reason": reason}
            for number, (en, xx, reason) in enumerate(rows, 1)
        ],
        MEASURED,
    )
    repeated = data.draw(st.sets(st.integers(1, 12), max_size=3))
    repeats = pa.Table.from_pylist(
        [{"corpus": "any", "line_number": number, "reject_reason": "duplicate_exact"} for number in repeated], REPEATS
    )
    tables = {lang: ngrams_table(sentences, n, 8) for lang, n in N.items()}
    expected = {}
    for number, (en, xx, reason) in enumerate(rows, 1):
        matches = [
            (expected_overlap(norm, sentence, N[lang]), benchmark, side)
            for norm, lang, side in ((en, "en", "en"), (xx, "el", "xx"))
            for benchmark, sentence in sentences
            if norm and shares(norm, sentence, N[lang], 8) and (len(sentence) < N[lang] + 8 or len(norm) >= N[lang])
        ]
        if matches and reason is None and number not in repeated:
            expected[number] = max(matches)
    found = {
        row["line_number"]: (row["overlap"], row["benchmark"], row["side"])
        for row in decontaminate(measured, repeats, tables)
    }
    assert found == expected


def test_compiled_measuring_keeps_the_texts_that_may_contain_a_sentence_and_no_others(tmp_path):
    work = Workspace(tmp_path / "work", threads=2)
    sentence = "the parliament met for the first time in the old theatre of the harbour town"
    pairs = [
        (f"Well: {sentence.upper()}!", "Το κοινοβούλιο συνεδρίασε για πρώτη φορά."),
        ("The cat sleeps on the roof.", "Η γάτα κοιμάται στη στέγη."),
        ("It was fine.", "Ήταν μια όμορφη ημέρα στο λιμάνι, όπως πάντα, και κανείς δεν εξεπλάγη τότε."),
    ]
    rows = [
        {"line_number": number, "en": en, "xx": xx, "margin": 1.1, "read_error": None}
        for number, (en, xx) in enumerate(pairs, 1)
    ]
    table = pa.Table.from_pylist(rows, PAIRS)
    names = [pa.repeat(value, len(rows)) for value in ("any", "el")]
    part, measured = tmp_path / "pairs.parquet", tmp_path / "measured.parquet"
    pq.write_table(pa.table([*names, *table.columns], ["corpus", "lang", *table.column_names]), part)
    sentences = {
        "en": sentence.replace(" ", ""),
        "el": "ήταν μια όμορφη ημέρα στο λιμάνι όπωσ πάντα και κανείσ δεν".replace(" ", ""),
    }
    ngrams = {lang: tmp_path / f"compiled-{lang}.parquet" for lang in sentences}
    for lang, path in ngrams.items():
        pq.write_table(ngrams_table([("one", sentences[lang])], N[lang], 8), path)
    filters = choose_filters({}, ("length_ratio",))
    early, thresholds = reject_sql(filters, "pairs", "el")
    reject, more = reject_sql(filters, "measured", "el")
    arguments = (part, "el", early, reject, thresholds | more, dict, True, "{}")
    write_measured(work, measured, *arguments, ngrams)
    found = [(row["en_norm"], row["xx_norm"]) for row in pq.read_table(measured).to_pylist()]
    assert [(en is not None, xx is not None) for en, xx in found] == [(True, False), (False, False), (False, True)]
    write_measured(work, measured, *arguments)
    assert all(row["en_norm"] and row["xx_norm"] for row in pq.read_table(measured).to_pylist())


def test_damaged_index_is_a_sentence(tmp_path):
    work = Workspace(tmp_path / "work", threads=1)
    path = work.folder / "ngrams" / "en.0123456789abcdef.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(ngrams_table([("one", "a" * 50)]), path)
    data = bytearray(path.read_bytes())
    data[: len(data) // 2] = bytes(len(data) // 2)
    path.write_bytes(data)
    with pytest.raises(InputError, match="was damaged and has been removed"):
        load_index(path, "en", work)


def test_report_counts_sentences_ngrams_and_rejected_pairs(tmp_path):
    sentences, contaminated = tmp_path / "en.parquet", tmp_path / "contaminated.parquet"
    pq.write_table(ngrams_table([("one", "a" * 50), ("one", "b" * 10), ("two", "c" * 40)], 30, 8), sentences)
    rows = [{"benchmark": "one", "side": side, "reject_reason": reason} for side, reason in SIDES_AND_REASONS]
    pq.write_table(pa.Table.from_pylist(rows), contaminated)
    report = decontamination_report({"en": sentences}, {"el": [contaminated]})
    assert [row["benchmark"] for row in report.to_dicts()] == ["one", "two"]
    assert report["num_sentences"].to_list() == [2, 1]
    assert report["num_ngrams"].to_list() == [21 + 1, 11]
    assert report["num_rows"].to_list() == [1, 0]
