"""The page of corpora: for each corpus and language the lines, what is kept, and what each filter rejects."""

from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from builders.lines import Build
from builders.pages.charts import stacked_bar
from builders.pages.frame import build_of, frame, html
from builders.pages.project import Project
from builders.pipeline import read_ledger
from cards.plots import GROUPS, OTHER
from cards.summary import PAIR_STAGES

SERIES = ("kept", *GROUPS)


def corpora_page(project: Project, request: Request) -> Response:
    """Return the page of corpora of a build."""
    build = build_of(project, request)
    rows = funnel_rows(build)
    series = [(n, name) for n, name in enumerate(SERIES)]
    return html("corpora", **frame(project, request, "corpora", build), rows=rows, series=series)


def funnel_rows(build: Build) -> list[dict[str, Any]]:
    """Return a row for each corpus and language: lines, kept lines, and the lines that each filter rejects."""
    return rows_of(_ledger(tuple(build.files("ledger")), build.stamp))


def rows_of(ledger: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the same rows from a ledger."""
    rows = []
    for (lang, corpus), own in ledger.group_by(["lang", "corpus"], maintain_order=True):
        first, last = own.filter(pl.col("stage") == "measured"), own.filter(pl.col("stage") == "decisions")
        if not first.height:
            continue  # instructions and documents
        num_in, num_kept = int(first["num_in"].sum()), int(last["num_kept"].sum())
        of_pairs = pl.col("reason").is_not_null() & pl.col("stage").is_in(PAIR_STAGES)
        reasons = own.filter(of_pairs).sort("num_rows", descending=True)
        counts = list(reasons.select("reason", "num_rows").iter_rows())
        groups: dict[str, int] = {}
        for reason, count in counts:
            groups[group_of(reason)] = groups.get(group_of(reason), 0) + count
        parts = [("kept", num_kept), *((name, groups[name]) for name in GROUPS if name in groups)]
        rows.append(
            {
                "lang": lang,
                "corpus": corpus,
                "num_in": num_in,
                "num_kept": num_kept,
                "reasons": counts,
                "share": num_kept / num_in if num_in else 0.0,
                "bar": stacked_bar(parts, num_in, SERIES),
            }
        )
    return rows


@lru_cache(maxsize=8)
def _ledger(paths: tuple[Path, ...], stamp: int) -> pl.DataFrame:
    return read_ledger(paths)


def group_of(reason: str) -> str:
    """Return the group of reasons that a filter belongs to, as in the picture of a release."""
    names = [name for name, patterns in GROUPS.items() if any(fnmatchcase(reason, pattern) for pattern in patterns)]
    return names[0] if names else OTHER
