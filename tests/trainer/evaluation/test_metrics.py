"""Metrics against their authors' own: sacreBLEU, MLQA's script (values computed by it), a table made by hand."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from corpora.errors import InputError
from corpora.extensions import extend
from trainer.evaluation import Item, MetricOptions, get_metric, load_benchmarks, load_metrics, measure
from trainer.evaluation.answer_normalization import contained, exact, overlap, words
from trainer.evaluation.benchmarks import get_benchmark
from trainer.evaluation.measurement import check_metric, open_scorer
from trainer.evaluation.metrics import OWN_CODE, load_code
from trainer.evaluation.spm import load_pieces
from trainer.evaluation.tasks import TASKS

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


def test_chrf_equals_sacrebleus() -> None:
    from sacrebleu.metrics import CHRF

    expected = CHRF(word_order=2).corpus_score(HYPOTHESES, [REFERENCES])
    result = measure(get_metric("chrf++"), PLAIN, "el", MetricOptions())
    assert result.value == pytest.approx(expected.score, abs=1e-12)
    assert result.value == pytest.approx(47.0132, abs=1e-4)  # golden: sacreBLEU 2.6.0
    assert result.interval is not None
    assert result.interval[0] < result.value < result.interval[1]


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small SentencePiece model made here, as NAME=FILE."""
    import sentencepiece

    folder = tmp_path_factory.mktemp("spm")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(REFERENCES * 5), model_prefix=str(folder / "small"), vocab_size=60, minloglevel=2
    )
    return f"small={folder / 'small.model'}"


def test_spbleu_equals_sacrebleus_on_the_same_pieces(pieces: str) -> None:
    from sacrebleu.metrics import BLEU

    found = load_pieces(pieces)
    split = [[found.split(text) for text in side] for side in (HYPOTHESES, REFERENCES)]
    expected = BLEU(tokenize="none").corpus_score(split[0], [split[1]]).score
    result = measure(get_metric("spbleu"), PLAIN, "el", MetricOptions({"spm": pieces}))
    assert 0 < result.value == pytest.approx(expected, abs=1e-12)
    assert "tok:small-" in result.signature


def test_spbleu_with_no_or_the_wrong_pieces_is_an_error(pieces: str) -> None:
    with pytest.raises(InputError, match="--metric-option spm=VALUE"):
        measure(get_metric("spbleu"), PLAIN, "el", MetricOptions())
    with pytest.raises(InputError, match="is not the model of flores200"):
        load_pieces(pieces.replace("small=", "flores200="))
    with pytest.raises(InputError, match="There is no file"):
        load_pieces("flores101=nowhere.model")


MLQA = [  # language, answer, reference, and by mlqa_evaluation_v1.py the words, exact match, F1
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


@pytest.mark.parametrize(("lang", "answer", "reference", "expected_words", "em", "f1"), MLQA)
def test_answers_are_compared_as_by_mlqas_script(
    lang: str, answer: str, reference: str, expected_words: list[str], em: float, f1: float
) -> None:
    assert words(answer, lang) == expected_words
    assert exact(answer, reference, lang) == em
    assert overlap(answer, reference, lang) == pytest.approx(f1)


def test_the_fixed_rule_removes_only_the_article_from_arabic() -> None:
    text = "العالم العربي في القاهرة والقرآن الكريم"
    assert " ".join(words(text, "ar", "fixed")) == "عالم عربي في قاهرة والقرآن كريم"
    assert " ".join(words(text, "ar")) == "ع م عربي في قاهرة و قرآن كريم"
    table = outputs([text], [[text]])
    options = (MetricOptions({"arabic": rule}) for rule in ("official", "fixed"))
    assert len({measure(get_metric("f1"), table, "ar", option).signature for option in options}) == 2


SQUAD = [  # language, answer, reference, and by SQuAD's evaluate-v1.1.py the words, exact match, F1
    ("en", "The Broncos – of an A.B.", "Broncos – of AB", ["broncos", "–", "of", "ab"], 1.0, 1.0),
    ("el", "«Πάτρα», στην a Ελλάδα;", "Πάτρα", ["«πάτρα»", "στην", "ελλάδα"], 0.0, 0.0),
    ("tr", "1990’da, the İzmir", "1990'da İzmir", ["1990’da", "i̇zmir"], 0.0, 0.5),
]


@pytest.mark.parametrize(("lang", "answer", "reference", "expected_words", "em", "f1"), SQUAD)
def test_answers_of_xquad_are_compared_as_by_squads_script(
    lang: str, answer: str, reference: str, expected_words: list[str], em: float, f1: float
) -> None:
    assert words(answer, lang, english="squad") == expected_words
    assert exact(answer, reference, lang, english="squad") == em
    assert overlap(answer, reference, lang, english="squad") == pytest.approx(f1)


def test_signature_names_the_script_of_each_language() -> None:
    table = outputs(["a"], [["a"]])
    signatures = {}
    for name in ("xquad", "mlqa"):
        options = MetricOptions().of(get_benchmark(name))
        signatures[name] = measure(get_metric("f1"), table, "en", options).signature
    assert "norm:mlqa:ar,de,es,hi,vi,zh|squad-1.1:others" in signatures["xquad"]
    assert "norm:mlqa:ar,de,en,es,hi,vi,zh|squad-1.1:others" in signatures["mlqa"]


def test_languages_without_a_rule_in_mlqa_keep_every_word() -> None:
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
def test_contains_equals_the_papers_exact_matching(answer: str, reference: str, expected: float) -> None:
    assert contained(answer, reference) == expected


def test_contains_uses_the_first_reference_and_em_and_f1_the_best() -> None:
    table = outputs(["blue"], [["red", "blue"]])
    found = {name: measure(get_metric(name), table, "en", MetricOptions()).value for name in ("em", "f1", "contains")}
    assert found == {"em": 100.0, "f1": 100.0, "contains": 0.0}


def test_items_that_are_all_alike_have_no_interval() -> None:
    nothing = measure(get_metric("em"), outputs(["x"] * 5, [["y"]] * 5), "en", MetricOptions())
    assert (nothing.value, nothing.interval, nothing.num_items) == (0.0, None, 5)


def test_the_interval_of_a_share_is_as_wide_as_in_theory() -> None:
    table = outputs(["y"] * 300 + ["x"] * 700, [["y"]] * 1000)
    result = measure(get_metric("em"), table, "en", MetricOptions())
    assert result.interval is not None
    low, high = result.interval
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 1000) * 100, rel=0.08)


RIGHT_ANSWERS = [
    "Η γάτα κοιμάται πάνω στο χαλί όλη την ημέρα.",
    "Η ΓΑΤΑ ΚΟΙΜΑΤΑΙ ΠΑΝΩ ΣΤΟ ΧΑΛΙ ΟΛΗ ΤΗΝ ΗΜΕΡΑ",
]
WRONG_ANSWERS = ["The cat sleeps on the mat all day long.", ""]
NOT_COUNTED = ["1990", "Barack Obama", "Ναι.", "3,5 %", "Yes.", "New York Times", "?"]


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        ([*RIGHT_ANSWERS, *WRONG_ANSWERS, *NOT_COUNTED], 50.0),
        ([*RIGHT_ANSWERS, *NOT_COUNTED], 100.0),
        ([*WRONG_ANSWERS, *NOT_COUNTED], 0.0),
    ],
)
def test_language_accuracy_counts_answers_that_are_long_enough_to_judge(texts: list[str], value: float) -> None:
    result = measure(get_metric("language_accuracy"), outputs(texts, [[]] * len(texts)), "el", MetricOptions())
    assert (result.value, result.is_empty) == (value, False)


def test_language_accuracy_of_short_answers_alone_is_none() -> None:
    table = outputs(NOT_COUNTED, [[]] * len(NOT_COUNTED))
    assert measure(get_metric("language_accuracy"), table, "el", MetricOptions()).is_empty


def test_every_metric_has_a_function_a_range_and_known_tasks() -> None:
    metrics = load_metrics()
    used = {name for benchmark in load_benchmarks().values() for name in benchmark.metrics}
    for metric in metrics.values():
        assert metric.min < metric.max
        assert set(metric.tasks) <= set(TASKS)
        if not metric.verb:
            assert (metric.function or metric.scorer).startswith(OWN_CODE)
            assert callable(load_code(metric.function or metric.scorer, metric.where)[0])
            assert metric.name in used


ROW = """
[length]
description = "Characters of an answer."
tasks = ["question"]
function = "my_metrics:length"
max = 1000
"""
ITEMS = [Item("1", "", "x", ("four",)), Item("2", "", "y", ("a",))]


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        (ROW.replace("max", "maximum"), "", "Unknown key 'maximum'. Did you mean max"),
        (ROW.replace("1000", '"1000"'), "", "'max' must be a number"),
        (ROW.replace("my_metrics:length", "my_metrics.length"), "", "must be module:function"),
        (ROW.replace("my_metrics:length", "other:length"), "", "no code folder holds other.py"),
        (ROW.replace("my_metrics:length", "my_metrics:len"), "", "has no function 'len'"),
        (ROW.replace("function", "verb"), "", "is computed by `trainer my_metrics:length`"),
        (ROW + 'scorer = "my_metrics:length"', "", "exactly one of the keys function, scorer and verb"),
        (ROW.replace("[length]", '["a/b"]'), "", "a metric's name holds letters"),
        (ROW.replace("1000", "2"), "", "the value 2.5 is outside the metric's range, 0 to 2"),
        (ROW + "min = 1000", "", "'min' .1000. must be less than 'max'"),
        (ROW, "def length(*_):\n    return 1 / 0\n", "my_metrics:length failed: ZeroDivisionError: division by zero"),
        (ROW, "def length(*_):\n    return [1]\n", "must return 2 numbers, one for each item"),
        (ROW, "def length(*_):\n    return 'no'\n", "must return 2 numbers"),
        (ROW, "import nothing_such\n", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_wrong_metric_is_an_error_before_any_answer(row: str, code: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.toml").write_text(row)
    (tmp_path / "my_metrics.py").write_text(code or "def length(table, lang, options):\n    return [4, 1]\n")
    with extend([tmp_path]), pytest.raises(InputError, match=rf"(?s){message}"):
        check_metric(get_metric("length"), ITEMS, "el", MetricOptions())


SCORER = """
[letters]
description = "Letters of an answer."
tasks = ["translation"]
scorer = "my_scorers:open_scorer"
"""
CODE = """
class Letters:
    signature = "letters|v:1"

    def scores(self, sources, hypotheses, references, batch_size):
        yield [(index, len(text)) for index, text in enumerate(hypotheses)]


def open_scorer(options):
    return Letters()
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("signature =", "name =", "must return an object with 'signature' and 'scores'"),
        ("return Letters()", "return 1 / 0", "my_scorers:open_scorer failed: ZeroDivisionError"),
        ("(index, len(text))", "len(text)", "my_scorers:open_scorer failed: TypeError"),
        ("(index, len(text))", "(0, len(text))", "must yield .index, score. once for each answer"),
    ],
)
def test_a_wrong_scorer_is_an_error(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.toml").write_text(SCORER)
    (tmp_path / "my_scorers.py").write_text(CODE)
    with extend([tmp_path]):
        scorer = open_scorer(get_metric("letters"), MetricOptions())
        assert list(scorer.scores(["x"] * 2, ["a", "bc"], ["y"] * 2, 32)) == [[(0, 1.0), (1, 2.0)]]
        assert scorer.signature.startswith("letters|v:1|sha256:")
        (tmp_path / "my_scorers.py").write_text(CODE.replace(old, new))
        with pytest.raises(InputError, match=message):
            list(open_scorer(get_metric("letters"), MetricOptions()).scores(["x"] * 2, ["a", "bc"], ["y"] * 2, 32))


@pytest.mark.parametrize(
    ("value", "is_said"),
    [(1.0, True), (0.6, True), (0.93, True), (100.0, False), (55.5, False), (0.0, False), (1.4, False)],
)
def test_own_metric_that_computes_fractions_is_said_before_a_model_answers(tmp_path, caplog, value, is_said):
    (tmp_path / "own_fraction.py").write_text(
        f"def compute(frame, lang, options):\n    return [{value}] * len(frame)\n"
    )
    (tmp_path / "metrics.toml").write_text(
        '[own]\ndescription = "Ours."\ntasks = ["question"]\nfunction = "own_fraction:compute"\n'
    )
    with extend((tmp_path,)):
        check_metric(get_metric("own"), [Item("1", "Which?", "", ("this",))], "el", MetricOptions())
    assert ("write max = 1 in its row" in caplog.text) == is_said
