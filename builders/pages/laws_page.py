"""The page of laws and mixtures: curves with intervals, and how a budget is divided, live."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from builders.budget import allocate
from builders.lines import list_builds, open_build, open_lines
from builders.pages.charts import curve_chart
from builders.pages.frame import frame, html, is_part
from builders.pages.project import Project
from cards.display_names import metric_name, mixture_name
from corpora.errors import InputError
from recipes.mixing import laws_json
from recipes.transfer import OBJECTIVES, AnyLaws, TransferLaws, read_any_laws, transfer_laws_json

MAX_BUDGET = 10**12


def laws_page(project: Project, request: Request) -> Response:
    """Return the laws, and the mixture of a budget by them."""
    shown: dict[str, Any] = frame(project, request, "laws")
    if not project.laws.is_file():
        return html("no_laws", **shown)
    laws = _read(project.laws, project.laws.stat().st_mtime_ns)
    available = _available(project, list(laws.laws))
    budget = _number(request, "budget", max(1, sum(available.values()) // 2), 1)
    weights = {lang: _number(request, f"weight.{lang}", 1.0, 0.0) for lang in available}
    minimums = {lang: _number(request, f"min.{lang}", 0, 0) for lang in available}
    shown |= {"available": available, "budget": int(budget), "weights": weights, "minimums": minimums}
    shown |= {"top": max(sum(available.values()), int(budget)), "metric": metric_name(laws.metric) or "value"}
    objective = request.query_params.get("objective") or OBJECTIVES[0]
    shown |= {"objectives": OBJECTIVES, "objective": objective}
    shown |= _mixture(laws, available, int(budget), weights, minimums, objective)
    if is_part(request):
        return html("mixture_part", **shown)
    if isinstance(laws, TransferLaws):
        rows = transfer_laws_json(laws, list(laws.laws))
    else:
        rows = laws_json(list(laws.laws.values()))
    shown |= {"not_fitted": laws.not_fitted, "with_transfer": isinstance(laws, TransferLaws)}
    return html("laws", **shown, curves=[curve_chart(law) for law in rows])


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> AnyLaws:
    return read_any_laws(path)


def _available(project: Project, langs: list[str]) -> dict[str, int]:
    """Return the kept pairs of each language in the newest build of the work folder that has it."""
    counts: dict[str, int] = {}
    for recipe in list_builds(project.work):
        build = open_build(project.work, recipe)
        for lang in langs:
            if lang in build.parts:
                counts.setdefault(lang, open_lines(build, lang).counts()["kept"])
    return {lang: counts[lang] for lang in langs if lang in counts}


def _number(request: Request, name: str, default: float, least: float) -> float:
    text = request.query_params.get(name, "").strip()
    try:
        value = float(text) if text else float(default)
    except ValueError:
        value = math.nan
    if not least <= value <= MAX_BUDGET:
        raise InputError(f"{name} is a number from {least:g} to {MAX_BUDGET:,}, not '{text}'.")
    return value


def _mixture(
    laws: AnyLaws,
    available: dict[str, int],
    budget: int,
    weights: dict[str, float],
    minimums: dict[str, float],
    objective: str,
) -> dict[str, Any]:
    """Return the best mixture of a budget beside the plain ones; a sentence if no mixture is within the limits."""
    if not available:
        return {"mixture": None, "problem": "No build in the work folder has a language of these laws."}
    try:
        result = allocate(
            budget,
            laws=laws,
            langs=list(available),
            available=available,
            weight=weights,
            min=minimums,
            allow_partial=True,
            objective=objective,
        ).to_json()
    except InputError as error:
        return {"mixture": None, "problem": str(error)}
    predicted = {row["lang"]: row for row in result["predicted"]}
    rows = [{**row, **predicted.get(row["lang"], {})} for row in result["mixture"]]
    others = [{**row, "title": mixture_name(row["name"])} for row in result["alternatives"]]
    return {
        "mixture": rows,
        "problem": "",
        "alternatives": others,
        "spent": result["spent"],
        "regret": result["regret"],
        "recommended": result.get("recommended"),
    }
