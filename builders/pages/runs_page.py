"""The page of runs: what each was trained on, its losses, and the results of its models."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from builders.pages.charts import line_chart
from builders.pages.frame import frame, html
from builders.pages.project import Project
from cards.display_names import metric_name
from corpora.errors import InputError
from corpora.files import read_whole
from corpora.strict_json import load_json
from recipes.results import read_results

MAX_RUNS, MAX_POINTS = 200, 400


def runs_page(project: Project, request: Request) -> Response:
    """Return the runs of a folder, the newest first, and their results as a table."""
    files = sorted(project.runs.glob("*/run.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    runs = [run for path in files[:MAX_RUNS] if (run := _run(path))]
    return html(
        "runs", **frame(project, request, "runs"), runs=runs, num_runs=len(files), board=_board(project.results)
    )


def _run(path: Path) -> dict[str, Any] | None:
    """Return what a page shows of a run; None if its record is damaged."""
    try:
        record = load_json(read_whole(path).decode())
        release, status = record["release"], record["status"]
        losses = _losses(path.with_name("losses.jsonl")) or record.get("losses") or []
        points = [(float(row["step"]), float(row["loss"])) for row in losses if "loss" in row]
        return {
            "name": path.parent.name,
            "status": status,
            "release": f"{release['name']}@{release['version']}",
            "model": record["model"]["name"],
            "size": record["size"],
            "losses": points,
            "chart": line_chart(points[:: max(1, len(points) // MAX_POINTS)]) if len(points) > 1 else None,
        }
    except (ValueError, KeyError, TypeError, OSError, InputError):
        return None


def _losses(path: Path) -> list[dict[str, Any]]:
    rows = []
    for line in read_whole(path).decode("utf-8", "replace").splitlines() if path.is_file() else ():
        try:
            rows.append(load_json(line))
        except ValueError:
            continue  # the line that a running or killed process has not completed
    return [row for row in rows if isinstance(row, dict)]


def _board(path: Path) -> dict[str, Any] | None:
    """Return results as a table: a row for each model, a column for each language and metric."""
    if not path.is_file():
        return None
    results = read_results(path)
    columns = sorted({(r.benchmark, r.direction, r.metric, r.lang) for r in results})
    rows: dict[str, dict[Any, Any]] = {}
    for result in results:
        key = (result.benchmark, result.direction, result.metric, result.lang)
        rows.setdefault(result.model, {})[key] = result
    heads = [" ".join(filter(None, (b, lang, d, metric_name(m)))) for b, d, m, lang in columns]
    return {"heads": heads, "columns": columns, "rows": rows}
