"""Let a language model judge answers: right or wrong, or which of two models answers better."""

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from corpora.endpoint import Endpoint
from corpora.errors import InputError
from corpora.files import lock_folder
from corpora.progress import NullProgress, Progress, stage
from recipes.prompts import TOKENIZER_TEMPLATE, judge_prompts, prompt_template
from recipes.results import Result, append_results
from trainer.evaluation.bootstrap import interval
from trainer.evaluation.comparison import EvalKey, Predictions, shared_outputs
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.items import Item
from trainer.evaluation.measurement import mean_percent
from trainer.evaluation.metrics import load_metrics
from trainer.evaluation.model_outputs import output_folder
from trainer.evaluation.outputs import compute_outputs
from trainer.evaluation.remote_generation import CONCURRENCY, generate_remote
from trainer.recipe import digest

MAX_VERDICT_TOKENS = 1024
ANSWERS_OF = "language_accuracy"  # any metric of generated answers would do
YES_OR_NO = re.compile(r"[\W_]*(yes|no)\b", re.IGNORECASE)
SCORE = re.compile(
    r"score of (?:the )?assistant ([12])\s*[:：]\s*\**(\d+(?:\.\d+)?)(?:\s*/\s*10)?\**\.?", re.IGNORECASE
)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judgement:
    """A judge's verdicts on one benchmark in one language: the result, and how many verdicts could not be read."""

    result: Result
    num_unreadable: int


def judge_answers(
    models: Sequence[EvalModel], endpoint: Endpoint, output: Path, results: Path, benchmark: str, langs: Sequence[str],
    limit: int | None, progress: Progress | None = None, concurrency: int = CONCURRENCY,
) -> Iterator[Judgement]:  # fmt: skip
    """Yield the share of one model's answers that a judge calls right, or how often the second of two models wins.

    Two answers are shown in both orders and their scores added, so that a preference for a position has no effect; a
    tie counts half. A verdict in another format is counted as unreadable and left out.

    Args:
        models: One model, or two.
        endpoint: The judge.
        output: The folder of stored outputs.
        results: The file of results, to which rows are added.
        benchmark: The benchmark whose answers are judged.
        langs: The languages; none for all that have answers.
        limit: Only the first answers of each language.
        progress: Reports the verdicts.
        concurrency: The requests that the judge's server works on at once.

    Raises:
        InputError: There are no answers, or an answer of the judge cannot be read.
    """
    progress = progress or NullProgress()
    names = [model.name.replace("/", "--") for model in models]
    shared = shared_outputs(names, load_metrics()[ANSWERS_OF], output, benchmark, langs)
    folder = output_folder(output, models[-1].name)
    with lock_folder(folder, "evaluation"):
        for number, (key, runs) in enumerate(shared.items(), 1):
            tables = [run.table().head(limit or 10**9) for run in runs]
            name = f"judge {'.'.join(filter(None, key))}"
            with stage(progress, name, number, len(shared), len(tables[0]) * len(tables), "verdicts"):
                judge = _compare_pairs if len(runs) == 2 else _judge_answers
                verdicts = judge(key, tables, endpoint, folder, progress, concurrency)
            judgement = _judgement(models, key, verdicts, endpoint, runs)
            append_results(results, [judgement.result])
            yield judgement


def _judge_answers(
    key: EvalKey,
    tables: Sequence[pl.DataFrame],
    endpoint: Endpoint,
    folder: Path,
    progress: Progress,
    concurrency: int = CONCURRENCY,
) -> list[float | None]:
    """Return 1 for each answer called right, 0 for one called wrong or empty, None for an unreadable verdict."""
    rubric, (table,) = rubric_text("answer"), tables
    requests = {
        number: Item(row["item_id"], rubric.format(question=row["input"], answer=row["text"]), "", ())
        for number, row in enumerate(table.iter_rows(named=True))
        if row["text"].strip()
    }
    replies = _ask_judge(key, list(requests.values()), endpoint, folder, progress, concurrency)
    verdicts = dict(zip(requests, replies, strict=True))
    return [read_verdict(verdicts[number]) if number in verdicts else 0.0 for number in range(len(table))]


def _compare_pairs(
    key: EvalKey,
    tables: Sequence[pl.DataFrame],
    endpoint: Endpoint,
    folder: Path,
    progress: Progress,
    concurrency: int = CONCURRENCY,
) -> list[float | None]:
    """Return 1 where the second model's scores in both orders add up to more, 0.5 for a tie, else 0; None if unread."""
    rubric, requests = rubric_text("pair"), []
    for one, other in zip(*(table.iter_rows(named=True) for table in tables), strict=True):
        question = "\n\n".join(filter(None, (one["instruction"], one["input"])))
        for first, second in ((one, other), (other, one)):
            text = rubric.format(question=question, first=first["text"], second=second["text"])
            requests.append(Item(one["item_id"], text, "", ()))
    replies = [read_pair_scores(text) for text in _ask_judge(key, requests, endpoint, folder, progress, concurrency)]
    return [_winner(in_order, swapped) for in_order, swapped in zip(replies[::2], replies[1::2], strict=True)]


def _winner(in_order: tuple[float, float] | None, swapped: tuple[float, float] | None) -> float | None:
    """Return 1 if the second model has won by the verdicts in both orders, 0.5 for a tie, 0 if the first has."""
    if in_order is None or swapped is None:
        return None
    first, second = in_order[0] + swapped[1], in_order[1] + swapped[0]
    return 0.5 if first == second else float(second > first)


def _ask_judge(
    key: EvalKey,
    requests: Sequence[Item],
    endpoint: Endpoint,
    folder: Path,
    progress: Progress,
    concurrency: int = CONCURRENCY,
) -> list[str]:
    """Return the judge's reply to each request; replies are stored, so that no request is sent twice."""
    digest_of_requests = hashlib.sha256("\0".join(item.instruction for item in requests).encode()).hexdigest()
    stored = {"judge": endpoint.fingerprint, "requests": digest_of_requests, "max_new_tokens": MAX_VERDICT_TOKENS}
    path = folder / f"{'.'.join(filter(None, key))}.judge.{digest(stored)[:8]}.parquet"

    def make(remaining: Sequence[Item]) -> Iterator[list[dict[str, object]]]:
        return generate_remote(
            endpoint, prompt_template(TOKENIZER_TEMPLATE), remaining, MAX_VERDICT_TOKENS, concurrency
        )

    return list(compute_outputs(path, stored, requests, make, progress.advance)["text"]) if requests else []


def rubric_text(name: str) -> str:
    """Return the request to a judge of this name."""
    return judge_prompts()[name].text


def read_verdict(text: str) -> float | None:
    """Return 1 for YES, 0 for NO, None for neither or both."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    words = {match[1].lower() for line in lines if (match := YES_OR_NO.match(line))}
    return float(words == {"yes"}) if len(words) == 1 else None


def read_pair_scores(text: str) -> tuple[float, float] | None:
    """Return the two scores of 1 to 10 in a verdict; None unless each is there exactly once, on its own line."""
    matches = [match for line in text.splitlines() if (match := SCORE.fullmatch(line.strip().strip("*").strip()))]
    if [match[1] for match in matches] != ["1", "2"]:
        return None
    first, second = (float(match[2]) for match in matches)
    return (first, second) if 1 <= first <= 10 and 1 <= second <= 10 else None


def _judgement(
    models: Sequence[EvalModel], key: EvalKey, verdicts: Sequence[float | None], endpoint: Endpoint,
    runs: Sequence[Predictions],
) -> Judgement:  # fmt: skip
    readable = np.array([[value, 1.0] for value in verdicts if value is not None])
    num_unreadable = sum(value is None for value in verdicts)
    if not len(readable):
        raise InputError(f"None of {len(verdicts)} verdicts of {endpoint.model} could be read. Look at its replies.")
    if num_unreadable:
        logger.warning(
            "%s: %s verdicts could not be read and are not counted.", ".".join(filter(None, key)), num_unreadable
        )
    rubric = "pair" if len(models) == 2 else "answer"
    model, metric = models[-1], load_metrics()["win_rate" if rubric == "pair" else "judge_accuracy"]
    result = Result(
        **model.result_fields(key.lang),
        benchmark=key.benchmark,
        direction=key.direction,
        metric=metric.name,
        value=mean_percent(readable.sum(axis=0)),
        interval=interval(readable, mean_percent),
        n=len(readable),
        signature=_signature(models, rubric, endpoint, len(verdicts), runs[-1].key["max_new_tokens"]),
        metric_min=metric.min,
        metric_max=metric.max,
    )
    return Judgement(result, num_unreadable)


def _signature(
    models: Sequence[EvalModel], rubric: str, endpoint: Endpoint, num_items: int, max_new_tokens: int
) -> str:
    words = hashlib.sha256(rubric_text(rubric).encode()).hexdigest()[:8]
    against = f"|swap:yes|against:{models[0].name}" if rubric == "pair" else ""
    return f"judge:{endpoint.model}|rubric:{rubric}-{words}{against}|first:{num_items}|greedy:{max_new_tokens}"
