"""Metrics against their authors' own: sacreBLEU, MLQA's script (values computed by it), a table made by hand."""

import numpy as np
import polars as pl
import pytest
import sentencepiece
from sacrebleu.metrics import BLEU, CHRF

from corpora.errors import InputError
from trainer.evaluation.answer_normalization import contained, exact, overlap, words
from trainer.evaluation.metrics import METRICS, How, measure
from trainer.evaluation.spm import load_pieces

HYPOTHESES = [
    "Der Hund läuft schnell.",
    "η γάτα κοιμάται στο χαλί",
    "猫睡在垫子上。",
    "",
    "kedi halının üzerinde uyuyor",
    "x",
]
REFERENCES = [
    "Der Hund rannte schnell.",
    "Η γάτα κοιμάται πάνω στο χαλί.",
    "这只猫在垫子上睡觉。",
    "con mèo",
    "Kedi halının üstünde uyuyor.",
    "something else",
]


def outputs(texts: list[str], references: list[list[str]]) -> pl.DataFrame:
    return pl.DataFrame({"text": texts, "references": references})


PLAIN = outputs(HYPOTHESES, [[reference] for reference in REFERENCES])


def test_chrf_is_sacrebleus_own() -> None:
    expected = CHRF(word_order=2).corpus_score(HYPOTHESES, [REFERENCES])
    result = measure(METRICS["chrf++"], PLAIN, "el", How())
    assert result.value == pytest.approx(expected.score, abs=1e-12)
    assert result.value == pytest.approx(47.0132, abs=1e-4)  # golden: sacreBLEU 2.6.0
    assert result.interval is not None
    assert result.interval[0] < result.value < result.interval[1]


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small SentencePiece model made here, as NAME=FILE."""
    folder = tmp_path_factory.mktemp("spm")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(REFERENCES * 5), model_prefix=str(folder / "small"), vocab_size=60, minloglevel=2
    )
    return f"small={folder / 'small.model'}"


def test_spbleu_is_sacrebleus_own_on_the_same_pieces(pieces: str) -> None:
    found = load_pieces(pieces)
    split = [[found.split(text) for text in side] for side in (HYPOTHESES, REFERENCES)]
    expected = BLEU(tokenize="none").corpus_score(split[0], [split[1]]).score
    result = measure(METRICS["spbleu"], PLAIN, "el", How(pieces=found))
    assert 0 < result.value == pytest.approx(expected, abs=1e-12)
    assert "tok:small-" in result.signature


def test_spbleu_without_or_with_the_wrong_pieces_is_a_sentence(pieces: str) -> None:
    with pytest.raises(InputError, match="--spm flores200=FILE"):
        measure(METRICS["spbleu"], PLAIN, "el", How())
    with pytest.raises(InputError, match="is not the model of flores200"):
        load_pieces(pieces.replace("small=", "flores200="))
    with pytest.raises(InputError, match="There is no file"):
        load_pieces("flores101=nowhere.model")


MLQA = [  # language, answer, reference, and what mlqa_evaluation_v1.py says: its words, exact match, F1
    ("en", "The  Broncos, of an A.B.", "Broncos of Ab", ["broncos", "of", "ab"], 1.0, 1.0),
    ("en", "in the year 1990", "1990", ["in", "year", "1990"], 0.0, 0.5),
    ("es", "La casa de los niños", "casa de niños", ["casa", "de", "niños"], 1.0, 1.0),
    ("vi", "những cái nhà của tôi", "nhà tôi", ["nhà", "tôi"], 1.0, 1.0),
    ("de", "Die Hälfte der Stadt", "halb der Stadt", ["hälfte", "stadt"], 0.0, 0.5),
    ("hi", "दिल्ली, भारत।", "भारत", ["दिल्ली", "भारत"], 0.0, 2 / 3),
    ("zh", "在1990年，北京。", "1990年北京", ["在", "1990", "年", "北", "京"], 0.0, 8 / 9),
    ("ar", "العالم العربي", "عالم عربي", ["ع", "م", "عربي"], 1.0, 1.0),
    ("ar", "في القاهرة", "القاهرة", ["في", "قاهرة"], 0.0, 2 / 3),
]


@pytest.mark.parametrize(("lang", "answer", "reference", "said", "em", "f1"), MLQA)
def test_answers_are_compared_as_mlqas_own_script_does(
    lang: str, answer: str, reference: str, said: list[str], em: float, f1: float
) -> None:
    assert words(answer, lang) == said
    assert exact(answer, reference, lang) == em
    assert overlap(answer, reference, lang) == pytest.approx(f1)


def test_the_fixed_rule_takes_only_the_article_from_arabic() -> None:
    text = "العالم العربي في القاهرة والقرآن الكريم"
    assert " ".join(words(text, "ar", "fixed")) == "عالم عربي في قاهرة والقرآن كريم"
    assert " ".join(words(text, "ar")) == "ع م عربي في قاهرة و قرآن كريم"
    signatures = {METRICS["f1"].signature("ar", How(arabic)) for arabic in ("official", "fixed")}
    assert len(signatures) == 2


def test_languages_that_mlqa_has_no_rule_for_keep_every_word() -> None:
    assert words("Η γάτα, στο χαλί!", "el") == ["η", "γάτα", "στο", "χαλί"]
    assert words("bir kedi", "tr") == ["bir", "kedi"]


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("New England Patriots", "new england", 1.0),  # letter case aside
        ("the answer is 1990.", "1990", 1.0),
        ("199", "1990", 0.0),
        ("Broncos", "The Broncos", 0.0),  # articles count, unlike in SQuAD
        ("", "x", 0.0),
        ("野马队打败了新英格兰爱国者队", "新英格兰爱国者队", 1.0),
    ],
)
def test_contains_is_the_papers_exact_matching(answer: str, reference: str, expected: float) -> None:
    assert contained(answer, reference) == expected


def test_contains_takes_the_first_reference_and_the_others_the_best() -> None:
    table = outputs(["blue"], [["red", "blue"]])
    found = {name: measure(METRICS[name], table, "en", How()).value for name in ("em", "f1", "contains")}
    assert found == {"em": 100.0, "f1": 100.0, "contains": 0.0}


def test_items_that_are_all_alike_get_no_made_up_interval() -> None:
    nothing = measure(METRICS["em"], outputs(["x"] * 5, [["y"]] * 5), "en", How())
    assert (nothing.value, nothing.interval, nothing.n) == (0.0, None, 5)


def test_the_interval_of_a_share_is_as_wide_as_theory_says() -> None:
    table = outputs(["y"] * 300 + ["x"] * 700, [["y"]] * 1000)
    result = measure(METRICS["em"], table, "en", How())
    assert result.interval is not None
    low, high = result.interval
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 1000) * 100, rel=0.08)


def test_the_language_of_answers_is_heard_and_silence_is_none() -> None:
    texts = ["Η γάτα κοιμάται πάνω στο χαλί όλη την ημέρα.", "The cat sleeps on the mat all day long.", "", "1990"]
    assert measure(METRICS["answer_language"], outputs(texts, [[]] * 4), "el", How()).value == 25.0
