"""Translations are checked by the words of a bitext: another sentence's are found, and what leaves out a part."""

import random
from collections.abc import Iterator

import pytest

from builders.translation.bitext_words import BitextWords, MeaningCheck
from builders.translation.partition import Entry
from tests.builders.alignment.toy_language import toy_pairs

pytestmark = pytest.mark.slow

NUM_PAIRS, NUM_SEGMENTS = 3_000, 600


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> BitextWords:
    """Return what a bitext of the toy language teaches."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from builders.alignment import learn_links, side_of, tokenize

    en, xx = zip(*toy_pairs(NUM_PAIRS, 0)[0], strict=True)
    links = learn_links(side_of(tokenize(pa.array(en), "en")), side_of(tokenize(pa.array(xx), "el")))
    folder = tmp_path_factory.mktemp("words")
    pq.write_table(pa.table({"en": links.en, "xx": links.xx, "evidence": links.evidence}), folder / "links.parquet")
    columns = {
        "is_english": np.repeat([True, False], [len(links.en_tokens), len(links.xx_tokens)]),
        "token": np.concatenate([links.en_tokens, links.xx_tokens]),
        "count": np.concatenate([links.en_counts, links.xx_counts]),
    }
    pq.write_table(pa.table(columns), folder / "counts.parquet")
    return BitextWords(folder / "links.parquet", folder / "counts.parquet")


@pytest.fixture(scope="module")
def texts() -> dict[str, tuple[str, str]]:
    """Return segments with their translations by number."""
    return {f"{n:04}": pair for n, pair in enumerate(toy_pairs(NUM_SEGMENTS, 0, seed=5)[0])}


def failed(words: BitextWords, texts: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    check = MeaningCheck.of(words, "el")
    assert check
    sources, entries = {key: en for key, (en, _) in texts.items()}, {k: Entry(xx, "") for k, (_, xx) in texts.items()}
    check.read(sources, entries)
    for key, entry in check.apply(sources, entries).items():
        yield key, entry.failed_check


def test_translations_of_other_sentences_are_stopped_and_right_ones_are_not(
    words: BitextWords, texts: dict[str, tuple[str, str]]
) -> None:
    wrong = set(random.Random(1).sample(sorted(texts), 60))
    keys = list(texts)
    mixed = {k: (en, texts[keys[keys.index(k) - 9]][1] if k in wrong else xx) for k, (en, xx) in texts.items()}
    stopped = {key for key, name in failed(words, mixed) if name}
    assert len(stopped & wrong) > 0.7 * len(wrong)  # half of the words of the toy language are left out
    assert len(stopped - wrong) < 0.03 * len(texts)


def test_translations_that_leave_out_half_of_the_sentence_are_stopped(
    words: BitextWords, texts: dict[str, tuple[str, str]]
) -> None:
    rows, cut = list(texts.items()), set(list(texts)[::20])
    joined = {
        key: (f"{en} {more[0]}", xx if key in cut else f"{xx} {more[1]}")
        for (key, (en, xx)), (_, more) in zip(rows, rows[7:] + rows[:7], strict=True)
    }
    stopped = {key for key, name in failed(words, joined) if name}
    assert len(stopped & cut) > 0.25 * len(cut)  # the toy language leaves out half of the words anyway


def test_few_translations_are_not_judged(words: BitextWords, texts: dict[str, tuple[str, str]]) -> None:
    few = dict(list(texts.items())[:100])
    check = MeaningCheck.of(words, "el")
    assert check
    entries = {key: Entry(xx, "") for key, (_, xx) in few.items()}
    check.read({key: en for key, (en, _) in few.items()}, entries)
    assert check.apply({key: en for key, (en, _) in few.items()}, entries) == entries
    assert not check.judged


TRANSLATOR = """
from builders.translation import Translation, Translator
from tests.builders.alignment.toy_language import ENGLISH, GREEK

WORDS = dict(zip(ENGLISH, GREEK))


class Toy(Translator):
    name, fingerprint, licence, languages = "toy", "1", "cc0-1.0", ("el",)

    def __init__(self, model, options):
        pass

    def translate(self, texts, lang):
        return [Translation(self.say(text, texts[n - 1])) for n, text in enumerate(texts)]

    def say(self, text, other):
        return " ".join(WORDS.get(word, word) for word in (other if text.startswith(WRONG) else text).split())


WRONG = ("b", "d")
"""


def test_translations_outside_of_a_build_are_judged_by_the_bitext_that_is_named(request_for, tmp_path):
    import json

    import builders

    lines = [(1.2, *pair) for pair in toy_pairs(2_600, 0)[0]]
    request = request_for({"small": {"el": lines}}, folder=tmp_path)
    (tmp_path / "toy.py").write_text(TRANSLATOR)
    records = [{"instruction": en, "input": "", "output": en} for en, _ in toy_pairs(600, 0, seed=5)[0]]
    (tmp_path / "my.json").write_text(json.dumps(records))
    options = {"with_": request.with_, "work": request.work, "corpora_lock": request.corpora_lock, "langs": ["el"]}
    options |= {"translator": "toy:Toy", "offline": True}
    options |= {"disable_filters": ["wrong_language_en", "wrong_language_xx", "length_ratio"]}
    result = builders.translate(tmp_path / "my.json", bitext=["small"], output=tmp_path / "out", **options)
    counts = result.translator["meaning"]["el"]
    assert counts["num_checked"] > 300
    num_wrong = sum(record["instruction"].startswith(("b", "d")) for record in records)
    by_reason = {
        row["reason"]: row["num_rows"] for row in result.built.ledger.to_dicts() if row["stage"] == "translations"
    }
    assert by_reason["misaligned"] > 0.5 * num_wrong
    with pytest.raises(builders.InputError, match="Unknown bitext 'smal'"):
        builders.translate(tmp_path / "my.json", bitext=["smal"], output=tmp_path / "out", **options)
    with pytest.raises(builders.InputError, match="Leave --bitext out"):
        builders.translate(tmp_path / "my.json", bitext=["small"], compare=["none"], **options)
