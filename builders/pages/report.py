"""The report: what the pages show of a build or a release, as one file without scripts, links or network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from builders.labels import KEPT, estimate, read_labels
from builders.lines import Build, Lines, list_builds, open_build, open_lines
from builders.pages.charts import column_chart
from builders.pages.corpora_page import SERIES, funnel_rows, rows_of
from builders.pages.filter_page import threshold_view
from builders.pages.highlight import mark_nothing
from builders.pages.line_view import LineView
from builders.pages.release_rows import length_histogram, read_rows, row_groups_of
from builders.pages.render import ASSETS, render
from cards.manifest import count_rows
from cards.releases import Release, open_release
from cards.summary import count_rejections
from corpora.errors import InputError
from corpora.files import atomic_path

MAX_BYTES = 3_000_000
MAX_PICTURES = 40  # histograms of filters, those that reject most first
NUM_LINES, NUM_ROWS = 4, 3  # lines beside a histogram, rows of a config
MAX_CHARS = 300  # of a text


def write_report(source: str, to: Path, work: Path, registry: str, labels: Path) -> Path:
    """Write the report of a build of the work folder, or of a release, and return the file.

    Raises:
        InputError: There is no such build or release.
    """
    if source in list_builds(work):
        values = _build_values(open_build(work, source), labels)
    else:
        values = _release_values(open_release(source, registry))
    style = (ASSETS / "browse.css").read_text(encoding="utf-8")
    text = render("report", style=style, series=list(enumerate(SERIES)), **values)
    if len(text.encode()) > MAX_BYTES:
        raise InputError(f"The report of {source} would be larger than {MAX_BYTES:,} bytes. Build fewer languages.")
    with atomic_path(to) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return to


def _build_values(build: Build, labels: Path) -> dict[str, Any]:
    opened = {lang: open_lines(build, lang) for lang in build.langs}
    counts = {lang: lines.counts() for lang, lines in opened.items()}
    num_rows = {rule.name: {lang: counts[lang][rule.name] for lang in counts} for rule in build.filters}
    filters = [{"name": r.name, "description": r.description, "num_rows": num_rows[r.name]} for r in build.filters]
    return {
        "title": f"The build {build.recipe}",
        "summary": "",
        "facts": {"pairs kept": sum(own["kept"] for own in counts.values())},
        "rows": funnel_rows(build),
        "langs": build.langs,
        "filters": filters,
        "pictures": _pictures(build, opened, counts),
        "estimates": _estimates(opened, labels),
        "kept": KEPT,
        "configs": [],
        "card": "",
    }


def _pictures(build: Build, opened: dict[str, Lines], counts: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Return the histograms of filters that reject most, each with lines at the threshold."""
    order = sorted(
        ((counts[lang][rule.name], lang, rule) for rule in build.filters if rule.thresholds for lang in opened),
        key=lambda row: -row[0],
    )
    pictures: list[dict[str, Any]] = []
    for count, lang, rule in order:
        if count and len(pictures) < MAX_PICTURES:
            view = threshold_view(opened[lang], rule, {name: rule.threshold(name, lang) for name in rule.thresholds})
            if view["comparison"]:
                shown = [_short(line) for line in _middle(view["edge"])]
                pictures.append({**view, "rule": rule, "lang": lang, "edge": shown})
    return pictures


def _middle(edge: Sequence[LineView]) -> Sequence[LineView]:
    """Return the lines nearest to the threshold, on both of its sides."""
    is_other = (n for n, own in enumerate(edge) if own.is_rejected != edge[0].is_rejected)
    first = max(0, next(is_other, len(edge) // 2) - NUM_LINES // 2)
    return edge[first : first + NUM_LINES]


def _short(view: LineView) -> LineView:
    """Return a line with its texts cut."""
    for name in ("en", "xx", "match_en", "match_xx"):
        pieces, left = getattr(view, name), MAX_CHARS
        if pieces:
            cut = []
            for text, mark in pieces:
                cut.append((text[:left] + ("…" if len(text) > left else ""), mark))
                left -= len(text)
                if left <= 0:
                    break
            setattr(view, name, cut)
    return view


def _estimates(opened: dict[str, Lines], path: Path) -> list[dict[str, Any]]:
    labels = read_labels(path)
    langs = [lang for lang in opened if any(label.lang == lang for label in labels)]
    return [{"lang": lang, "estimates": estimate(opened[lang], labels)} for lang in langs]


def _release_values(release: Release) -> dict[str, Any]:
    manifest = release.manifest
    ledger = pl.DataFrame(manifest["ledger"], infer_schema_length=None) if manifest["ledger"] else None
    return {
        "title": release.origin,
        "summary": manifest["summary"],
        "facts": {"rows": count_rows(manifest), "identity": release.identity},
        "rows": rows_of(ledger) if ledger is not None else [],
        "langs": [lang for lang in manifest["langs"] if lang != "en"],
        "filters": count_rejections(manifest),
        "pictures": [],
        "estimates": [],
        "kept": KEPT,
        "configs": [_config(release, name) for name in manifest["configs"]],
        "card": (release.fetch_files(["README.md"]) / "README.md").read_text(encoding="utf-8"),
    }


def _config(release: Release, name: str) -> dict[str, Any]:
    splits = release.manifest["configs"][name]["splits"]
    groups = row_groups_of(release, name, next(iter(splits)))
    lengths = length_histogram(groups)
    num_rows = sum(size for _, _, size in groups)
    numbers = np.linspace(0, max(num_rows - 1, 0), NUM_ROWS).astype(int).tolist()
    rows = [row for number in numbers for row in read_rows(groups, number, 1)]
    return {
        "name": name,
        "splits": {split: entry["num_rows"] for split, entry in splits.items()},
        "lengths": lengths and {**lengths, "chart": column_chart(lengths["counts"], lengths["width"])},
        "rows": [_row(row) for row in rows],
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    texts = [(m["role"], m["content"]) for m in row.get("messages") or ()]
    texts = texts or [(name, row[name]) for name in ("instruction", "input", "output") if row.get(name)]
    return {**row, "texts": [(name, mark_nothing(str(text)[:MAX_CHARS])) for name, text in texts]}
