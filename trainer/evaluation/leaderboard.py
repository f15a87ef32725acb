"""Scores for people: as they come, and as tables in the form of arXiv 2308.04948's Tables 2 and 6."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from tabulate import tabulate

from corpora.catalog import languages
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from recipes.results import Result, read_results

BEGIN, END = "<!-- scores -->", "<!-- /scores -->"


def scores_text(scores: Sequence[Result]) -> str:
    """A line a score, with its interval."""
    several = len({s.model for s in scores}) > 1
    rows = [[*([s.model] if several else []), s.benchmark, s.lang, s.direction, s.metric, *_numbers(s)] for s in scores]
    heads = [*(["model"] if several else []), "benchmark", "lang", "direction", "metric", "value", "95 % interval"]
    return tabulate(rows, headers=[*heads, "items"], disable_numparse=True)


def _numbers(score: Result) -> tuple[str, str, str]:
    around = "-" if score.interval is None else f"{score.interval[0]:.2f} .. {score.interval[1]:.2f}"
    return f"{score.value:.2f}", around, f"{score.n:,}"


def scores_json(scores: Iterable[Result]) -> str:
    """The same for a machine."""
    return json.dumps([asdict(score) for score in scores], indent=2, ensure_ascii=False)


def leaderboard(
    path: Path, metric: str | None = None, benchmark: str | None = None
) -> dict[str, list[dict[str, object]]]:
    """A table for each benchmark, direction, metric and signature: a row a model, a column a language.

    Values that were made in different ways stand in different tables. Runs that differ in their seed alone are one
    row, with their mean and, of several, the standard deviation beside it. InputError where there is no such score.
    """
    tables: dict[str, list[Result]] = {}
    scores = read_results(path)
    for kind, asked in (("metric", metric), ("benchmark", benchmark)):
        there = {getattr(score, kind) for score in scores}
        if asked is not None and asked not in there:
            raise unknown(f"{kind} in {path}", asked, there)
    for s in scores:
        if (metric in (None, s.metric)) and (benchmark in (None, s.benchmark)):
            tables.setdefault(" | ".join(filter(None, (s.benchmark, s.direction, s.metric, s.signature))), []).append(s)
    if not tables:
        raise InputError(f"{path} holds no {metric} of {benchmark}.")
    return {title: _rows(of_one) for title, of_one in tables.items()}


def _rows(scores: Sequence[Result]) -> list[dict[str, object]]:
    runs: dict[tuple[str, str], list[Result]] = {}
    for score in scores:
        runs.setdefault((_model(score), score.release), []).append(score)
    langs = [lang for lang in languages() if any(score.lang == lang for score in scores)]
    rows = [_row(model, release, own, langs) for (model, release), own in runs.items()]
    return sorted(rows, key=lambda row: -float(str(row["mean"]).split()[0] if row["mean"] else -1))


def _model(score: Result) -> str:
    """A model's name without its seed."""
    return score.model.removesuffix(f"-seed{score.seed}")


def _row(model: str, release: str, scores: Sequence[Result], langs: Sequence[str]) -> dict[str, object]:
    cells: dict[str, object] = {"model": model, "release": release}
    means = []
    for lang in langs:
        values = [score.value for score in scores if score.lang == lang]
        cells[lang] = _cell(values)
        means += [sum(values) / len(values)] if values else []
    complete = len(means) == len(langs)
    return cells | {
        "mean": f"{sum(means) / len(means):.2f}" if complete else "",
        "seeds": len({s.seed for s in scores}),
    }


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.2f}"
    spread = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    return f"{mean:.2f} ± {spread:.2f}"


def write_into_card(card: Path, tables: str) -> None:
    """Put tables into a card, in the place of those that were put there before, else at its end."""
    if not card.is_file():
        raise InputError(f"There is no card {card}.")
    text = card.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if rest else ""
    with atomic_path(card) as temporary:
        whole = f"{before.rstrip()}\n\n{BEGIN}\n## Scores\n\n{tables}\n{END}\n{after.lstrip()}"
        temporary.write_text(whole, encoding="utf-8")


def leaderboard_text(tables: dict[str, list[dict[str, object]]], form: str = "simple") -> str:
    """The tables with their titles, for a terminal or (`github`) for Markdown."""
    parts = [
        f"{title}\n\n{tabulate(rows, headers='keys', tablefmt=form, disable_numparse=True)}"
        for title, rows in tables.items()
    ]
    return "\n\n".join(parts)
