"""METRICS: a name, what it counts of each item, the value of all items, and a signature that says how."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from corpora.catalog import language
from corpora.errors import InputError
from trainer.evaluation.answer_normalization import contained, exact, overlap, rules
from trainer.evaluation.bootstrap import Floats, Value, interval
from trainer.evaluation.spm import SentencePieces

if TYPE_CHECKING:
    from trainer.evaluation.comet import Comet

Outputs = pl.DataFrame  # a row an item: `text`, `references`, and what a metric needs beside them


@dataclass(frozen=True)
class How:
    """What a user may choose of how metrics are computed: the rule for Arabic answers, spBLEU's pieces, the COMET."""

    arabic: str = "official"
    pieces: SentencePieces | None = None
    comet: "Comet | None" = None


@dataclass(frozen=True)
class Metric:
    """A metric: `statistics(outputs, lang, how)` has shape (items, numbers), `value` is that of their sum.

    So a value, its interval and its difference from another are all made from the same counts. `needs` names what
    a model has to do for it: `generate` an answer, or `force` the reference and say what it would have guessed; with
    `comet` another model then scores the answer, and with `exam` lm-evaluation-harness asks and marks.
    """

    name: str
    statistics: Callable[[Outputs, str, How], Floats]
    value: Value
    signature: Callable[[str, How], str]
    needs: str = "generate"
    tasks: tuple[str, ...] = field(default=("translation", "question", "instruction"))
    min: float = 0.0
    max: float = 100.0


@dataclass(frozen=True)
class Result:
    """A value with its 95 % interval, the number of items, and how it was computed."""

    value: float
    interval: tuple[float, float] | None
    n: int
    signature: str


def measure(metric: Metric, outputs: Outputs, lang: str, how: How) -> Result:
    """The value of a metric over items in a language."""
    statistics = metric.statistics(outputs, lang, how)
    around = interval(statistics, metric.value)
    value = metric.value(statistics.sum(axis=0))
    return Result(value, around, len(statistics), metric.signature(lang, how))


def mean_percent(sums: Floats) -> float:
    """The mean of the first statistic in per cent; the second counts."""
    return float(100 * sums[0] / sums[1]) if sums[1] else 0.0


def of_pairs(score: Callable[[str, Sequence[str], str, How], float]) -> Callable[[Outputs, str, How], Floats]:
    """The statistics of a metric that is the mean of a score of each item, for `mean_percent`."""

    def statistics(outputs: Outputs, lang: str, how: How) -> Floats:
        rows = outputs.select("text", "references").iter_rows()
        return np.array([[score(text, references, lang, how), 1.0] for text, references in rows])

    return statistics


def _exact(text: str, references: Sequence[str], lang: str, how: How) -> float:
    return max(exact(text, reference, lang, how.arabic) for reference in references)


def _overlap(text: str, references: Sequence[str], lang: str, how: How) -> float:
    return max(overlap(text, reference, lang, how.arabic) for reference in references)


def _contained(text: str, references: Sequence[str], lang: str, how: How) -> float:
    return contained(text, references[0])


def _answer_signature(lang: str, how: How) -> str:
    return f"refs:max|norm:{rules(how.arabic)}|v:1"


def _answer_language(outputs: Outputs, lang: str, how: How) -> Floats:
    """Whether fastText hears the language in each answer; an answer without a letter is in none."""
    from corpora.language_id import identify_languages

    texts = outputs["text"].to_list()
    heard, _ = identify_languages(texts)
    right = [
        any(map(str.isalpha, text)) and label in language(lang).labels for text, label in zip(texts, heard, strict=True)
    ]
    return np.array([[float(each), 1.0] for each in right])


def _lid_signature(lang: str, how: How) -> str:
    from corpora.language_id import MODEL_NAME

    return f"lid:{MODEL_NAME.replace(' ', '-')}|v:1"


def _token_accuracy(outputs: Outputs, lang: str, how: How) -> Floats:
    return np.asarray(outputs.select("correct", "num_tokens").to_numpy(), dtype=np.float64)


def _marks(outputs: Outputs, lang: str, how: How) -> Floats:
    return np.array([[mark, 1.0] for mark in outputs["correct"]])


def _harness_signature(lang: str, how: How) -> str:
    from trainer.evaluation.lm_eval_harness import harness_version

    return f"lm-eval:{harness_version()}|mean:items|v:1"


def _chrf() -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF(word_order=2)


def _chrf_statistics(outputs: Outputs, lang: str, how: How) -> Floats:
    return _sacrebleu_statistics(_chrf(), outputs["text"].to_list(), outputs["references"].to_list())


def _chrf_value(sums: Floats) -> float:
    return float(_chrf()._compute_score_from_stats(sums.tolist()).score)


def _spbleu_statistics(outputs: Outputs, lang: str, how: How) -> Floats:
    pieces = _pieces(how)
    texts = [pieces.split(text) for text in outputs["text"]]
    references = [[pieces.split(reference) for reference in all_of] for all_of in outputs["references"].to_list()]
    return _sacrebleu_statistics(_bleu(), texts, references)


def _bleu() -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(tokenize="none")


def _spbleu_value(sums: Floats) -> float:
    """From sums in sacreBLEU's order: lengths of hypotheses and references, matches of 1..4 pieces, pieces of each."""
    return float(_bleu()._compute_score_from_stats([round(number) for number in sums]).score)


def _pieces(how: How) -> SentencePieces:
    if how.pieces is None:
        raise InputError("spBLEU splits text by a SentencePiece model: name it with --spm flores200=FILE.")
    return how.pieces


def _sacrebleu_statistics(metric: Any, texts: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
    """What sacreBLEU counts of each item."""
    num_references = max(map(len, references))
    padded = [
        [(all_of[place] if place < len(all_of) else None) for all_of in references] for place in range(num_references)
    ]
    return np.array(metric._extract_corpus_statistics(texts, padded), dtype=np.float64)


def _comet_statistics(outputs: Outputs, lang: str, how: How) -> Floats:
    return np.array([[score, 1.0] for score in outputs["comet"]])


def _comet_signature(lang: str, how: How) -> str:
    if how.comet is None:
        raise InputError("COMET is a model of its own: name it with --comet wmt22-comet-da, or a folder.")
    return how.comet.signature


def _chrf_signature(lang: str, how: How) -> str:
    return f"case:mixed|eff:yes|nc:6|nw:2|space:no|version:{_sacrebleu_version()}"


def _spbleu_signature(lang: str, how: How) -> str:
    return f"case:mixed|eff:no|tok:{_pieces(how).name}|smooth:exp|version:{_sacrebleu_version()}"


def _sacrebleu_version() -> str:
    from importlib.metadata import version

    return version("sacrebleu")


QUESTION, TRANSLATION = ("question",), ("translation",)
METRICS = {
    metric.name: metric
    for metric in (
        Metric("chrf++", _chrf_statistics, _chrf_value, _chrf_signature, tasks=TRANSLATION),
        Metric("spbleu", _spbleu_statistics, _spbleu_value, _spbleu_signature, tasks=TRANSLATION),
        Metric("comet", _comet_statistics, mean_percent, _comet_signature, needs="comet", tasks=TRANSLATION),
        Metric("em", of_pairs(_exact), mean_percent, _answer_signature, tasks=QUESTION),
        Metric("f1", of_pairs(_overlap), mean_percent, _answer_signature, tasks=QUESTION),
        Metric(
            "contains",
            of_pairs(_contained),
            mean_percent,
            lambda lang, how: "refs:first|case:lower|v:1",
            tasks=QUESTION,
        ),
        Metric("answer_language", _answer_language, mean_percent, _lid_signature),
        Metric("accuracy", _marks, mean_percent, _harness_signature, needs="exam", tasks=("exam",)),
        Metric(
            "token_accuracy",
            _token_accuracy,
            mean_percent,
            lambda lang, how: "teacher-forced|refs:first|end:yes|v:1",
            needs="force",
        ),
    )
}
