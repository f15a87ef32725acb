"""judge(): a language model's opinion of answers: right or wrong, or which of two models answers better."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from corpora.errors import InputError
from corpora.files import locked
from recipes.prompts import TOKENIZER_TEMPLATE, judge_prompts, prompt_template
from recipes.results import Result, append_results
from trainer.evaluation.bootstrap import interval
from trainer.evaluation.compare import Kept, Place, shared_outputs
from trainer.evaluation.endpoint import Endpoint, ask
from trainer.evaluation.eval_model import Candidate
from trainer.evaluation.items import Item
from trainer.evaluation.metrics import METRICS, mean_percent
from trainer.evaluation.outputs import outputs
from trainer.recipe import digest

LONGEST = 1024  # tokens of a verdict
YES_OR_NO = re.compile(r"[\W_]*(yes|no)\b", re.IGNORECASE)
SCORE = re.compile(
    r"score of (?:the )?assistant ([12])\s*[:：]\s*\**(\d+(?:\.\d+)?)(?:\s*/\s*10)?\**\.?", re.IGNORECASE
)


@dataclass(frozen=True)
class Judged:
    """What a judge said of one benchmark in one language: the score, and how many verdicts could not be read."""

    score: Result
    unread: int


def judge(
    candidates: Sequence[Candidate], endpoint: Endpoint, out: Path, results: Path, benchmark: str, langs: Sequence[str],
    limit: int | None,
) -> Iterator[Judged]:  # fmt: skip
    """The share of one model's answers called right, or how often the second of two wins; written to results.jsonl.

    Two answers are shown in both orders and their scores summed, so that a judge that favours a place favours
    nobody; a tie counts half. A verdict that does not say what was asked for is counted as unread and never guessed.
    """
    names = [candidate.name.replace("/", "--") for candidate in candidates]
    kept = shared_outputs(names, METRICS["answer_language"], out, benchmark, langs)
    with locked(out / names[-1], "evaluation"):
        for place, runs in kept.items():
            tables = [run.table().head(limit or 10**9) for run in runs]
            of = _pairs if len(runs) == 2 else _answers
            found = of(place, tables, endpoint, out / names[-1])
            judged = _judged(candidates, place, found, endpoint, runs)
            append_results(results, [judged.score])
            yield judged


def _answers(place: Place, tables: Sequence[pl.DataFrame], endpoint: Endpoint, folder: Path) -> list[float | None]:
    """1 for each answer called right, 0 for one called wrong or empty, None for a verdict that cannot be read."""
    rubric, (table,) = rubric_text("answer"), tables
    asked = {
        number: Item(row["item"], rubric.format(question=row["input"], answer=row["text"]), "", ())
        for number, row in enumerate(table.iter_rows(named=True))
        if row["text"].strip()
    }
    said = dict(zip(asked, _verdicts(place, list(asked.values()), endpoint, folder), strict=True))
    return [read_answer(said[number]) if number in said else 0.0 for number in range(len(table))]


def _pairs(place: Place, tables: Sequence[pl.DataFrame], endpoint: Endpoint, folder: Path) -> list[float | None]:
    """1 where the second model's answer has the higher sum of both orders, 0.5 for a tie, 0 else; None if unread."""
    rubric, items = rubric_text("pair"), []
    for one, other in zip(*(table.iter_rows(named=True) for table in tables), strict=True):
        question = "\n\n".join(filter(None, (one["instruction"], one["input"])))
        for first, second in ((one, other), (other, one)):
            text = rubric.format(question=question, first=first["text"], second=second["text"])
            items.append(Item(one["item"], text, "", ()))
    said = [read_scores_of(text) for text in _verdicts(place, items, endpoint, folder)]
    return [_won(straight, swapped) for straight, swapped in zip(said[::2], said[1::2], strict=True)]


def _won(straight: tuple[float, float] | None, swapped: tuple[float, float] | None) -> float | None:
    """Of two verdicts in both orders: whether the second model won."""
    if straight is None or swapped is None:
        return None
    one, other = straight[0] + swapped[1], straight[1] + swapped[0]
    return 0.5 if one == other else float(other > one)


def _verdicts(place: Place, items: Sequence[Item], endpoint: Endpoint, folder: Path) -> list[str]:
    """What the judge says to each item; kept, so that nothing is asked twice."""
    asked = hashlib.sha256("\0".join(item.instruction for item in items).encode()).hexdigest()
    key = {"judge": endpoint.identity, "asked": asked, "longest": LONGEST}
    path = folder / f"{'.'.join(filter(None, place))}.judge.{digest(key)[:8]}.parquet"

    def make(left: Sequence[Item]) -> Iterator[list[dict[str, object]]]:
        return ask(endpoint, prompt_template(TOKENIZER_TEMPLATE), left, LONGEST)

    return list(outputs(path, key, items, make, lambda n: None)["text"]) if items else []


def rubric_text(name: str) -> str:
    """The words in which a judge is asked."""
    return judge_prompts()[name].text


def read_answer(text: str) -> float | None:
    """1 for YES, 0 for NO, None where a verdict is neither, or both."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    said = {match[1].lower() for line in lines if (match := YES_OR_NO.match(line))}
    return float(said == {"yes"}) if len(said) == 1 else None


def read_scores_of(text: str) -> tuple[float, float] | None:
    """The two scores of 1 to 10 that end a verdict; None unless each stands there just once, in its own line."""
    found = [match for line in text.splitlines() if (match := SCORE.fullmatch(line.strip().strip("*").strip()))]
    if [match[1] for match in found] != ["1", "2"]:
        return None
    first, second = (float(match[2]) for match in found)
    return (first, second) if 1 <= first <= 10 and 1 <= second <= 10 else None


def _judged(
    candidates: Sequence[Candidate], place: Place, found: Sequence[float | None], endpoint: Endpoint,
    runs: Sequence[Kept],
) -> Judged:  # fmt: skip
    read = np.array([[value, 1.0] for value in found if value is not None])
    unread = sum(value is None for value in found)
    if not len(read):
        raise InputError(f"None of {len(found)} verdicts of {endpoint.model} could be read; look at what it says.")
    candidate, lang = candidates[-1], place[1]
    rubric = "pair" if len(candidates) == 2 else "answer"
    words = hashlib.sha256(rubric_text(rubric).encode()).hexdigest()[:8]
    against = f"|swap:yes|against:{candidates[0].name}" if rubric == "pair" else ""
    asked = f"first:{len(found)}|greedy:{runs[-1].key['max_new_tokens']}"
    return Judged(
        Result(
            release=candidate.origin.release, lang=lang, num_pairs=candidate.origin.num_pairs(lang),
            num_documents=candidate.origin.num_documents(lang), seed=candidate.origin.seed,
            composition=candidate.origin.composition, model=candidate.name, benchmark=place[0], direction=place[2],
            metric="win_rate" if rubric == "pair" else "judged", value=mean_percent(read.sum(axis=0)),
            interval=interval(read, mean_percent), n=len(read),
            signature=f"judge:{endpoint.model}|rubric:{rubric}-{words}{against}|{asked}",
            metric_min=0.0, metric_max=100.0,
        ),
        unread,
    )  # fmt: skip
