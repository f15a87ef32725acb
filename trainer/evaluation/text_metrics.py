"""The metrics' functions: of predictions, a language and options; see `measurement.py` for what they get and return."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from corpora.catalog import language
from trainer.evaluation.answer_normalization import contained, exact, overlap, rules
from trainer.evaluation.bootstrap import Floats
from trainer.evaluation.measurement import Statistics, mean_percent, package_version
from trainer.evaluation.metrics import ResolvedOptions
from trainer.evaluation.spm import load_pieces


def chrf(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute chrF++ (Popović 2017) as sacreBLEU does."""
    from sacrebleu.metrics import CHRF

    metric: Any = CHRF(word_order=2)
    counts = _sacrebleu_counts(metric, predictions["text"].to_list(), predictions["references"].to_list())
    signature = f"case:mixed|eff:yes|nc:6|nw:2|space:no|version:{package_version('sacrebleu')}"
    return Statistics(counts, lambda sums: float(metric._compute_score_from_stats(sums.tolist()).score), signature)


def spbleu(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute spBLEU (Goyal et al. 2022): sacreBLEU's BLEU over the pieces of a SentencePiece model."""
    from sacrebleu.metrics import BLEU

    metric: Any = BLEU(tokenize="none")
    pieces = load_pieces(options["spm"], options.source)
    texts = [pieces.split(text) for text in predictions["text"]]
    references = [[pieces.split(text) for text in row] for row in predictions["references"].to_list()]

    def value(sums: Floats) -> float:
        # Lengths of hypotheses and references, matches of 1..4 pieces, and how many there are of each.
        return float(metric._compute_score_from_stats([round(number) for number in sums]).score)

    signature = f"case:mixed|eff:no|tok:{pieces.name}|smooth:exp|version:{package_version('sacrebleu')}"
    return Statistics(_sacrebleu_counts(metric, texts, references), value, signature)


def _sacrebleu_counts(metric: Any, texts: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
    """Return what sacreBLEU counts of each item."""
    num_references = max(map(len, references))
    padded = [[(row[n] if n < len(row) else None) for row in references] for n in range(num_references)]
    return np.array(metric._extract_corpus_statistics(texts, padded), dtype=np.float64)


def exact_match(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute the share of answers that are the same words as a reference."""
    return _best_reference(exact, predictions, lang, options)


def f1(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute the mean F1 of the words that an answer shares with the reference that fits best."""
    return _best_reference(overlap, predictions, lang, options)


def _best_reference(
    score: Callable[[str, str, str, str, str], float], predictions: pl.DataFrame, lang: str, options: ResolvedOptions
) -> Statistics:
    arabic, english = options["arabic"], options["english"]
    rows = predictions.select("text", "references").iter_rows()
    scores = [max(score(text, one, lang, arabic, english) for one in references) for text, references in rows]
    return _shares(scores, f"refs:max|norm:{rules(arabic, english)}|v:2")


def contains(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute the share of answers that contain the first reference."""
    rows = predictions.select("text", "references").iter_rows()
    return _shares([contained(text, references[0]) for text, references in rows], "refs:first|case:lower|v:1")


def language_accuracy(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute the share of answers in a language, of those that are long enough to judge.

    An answer with fewer letters than language_checks.toml asks for, as names and numbers have, is not counted; one with
    fewer than it asks for a sentence counts as another language if that is identified with confidence. An empty answer
    is in no language.
    """
    from corpora.language_id import MODEL_NAME, find_wrong_language, identify_languages, language_checks

    texts = predictions["text"].to_list()
    thresholds = language_checks()["wrong_language"].thresholds_of(lang)
    labels, _ = identify_languages(texts)
    counts = np.zeros((len(texts), 2))
    for row, (text, label, is_wrong) in enumerate(zip(texts, labels, find_wrong_language(texts, lang), strict=True)):
        num_letters = sum(map(str.isalpha, text))
        is_right = label in language(lang).labels and num_letters >= thresholds["min_letters_short"]
        is_judged = is_right or is_wrong or num_letters >= thresholds["min_letters"] or not text.strip()
        counts[row] = is_right, is_judged
    signature = f"lid:{MODEL_NAME.replace(' ', '-')}|v:2"
    return Statistics(counts, mean_percent, signature, is_empty=not counts[:, 1].any())


def token_accuracy(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute the share of the references' tokens that the model predicts; an item counts by its tokens."""
    counts = predictions.select("num_top1_matches", "num_reference_tokens").to_numpy().astype(np.float64)
    return Statistics(counts, mean_percent, "teacher-forced|refs:first|end:yes|v:1")


def accuracy(predictions: pl.DataFrame, lang: str, options: ResolvedOptions) -> Statistics:
    """Compute the share of questions that lm-evaluation-harness counts as right."""
    from trainer.evaluation.academic import harness_version

    return _shares(predictions["is_correct"].to_list(), f"lm-eval:{harness_version()}|mean:items|v:1")


def _shares(scores: Sequence[float], signature: str) -> Statistics:
    """Return the statistics of a mean in per cent of scores in 0..1."""
    return Statistics(np.array([[float(score), 1.0] for score in scores]), mean_percent, signature)
