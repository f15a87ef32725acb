"""The pages of releases: versions, rows, lengths, the difference of two, and where a row is from."""

from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from builders.lines import open_lines
from builders.pages.charts import column_chart
from builders.pages.frame import frame, html, is_part
from builders.pages.highlight import Pieces, mark_difference, mark_nothing
from builders.pages.line_view import view_lines
from builders.pages.project import Project
from builders.pages.release_rows import (
    PAGE_ROWS,
    find_origin,
    length_histogram,
    read_rows,
    row_groups_of,
    search_rows,
)
from builders.publishing import ReleaseDiff, compare_releases
from cards.front_matter import read_card
from cards.manifest import count_rows
from cards.releases import Release, list_releases, open_release
from corpora.errors import InputError, unknown

MAX_TEXT_CHARS = 200
NUM_CHANGES = 20  # rows that the page of a difference shows of each config


def releases_page(project: Project, request: Request) -> Response:
    """Return the versions of every release in the registry, the newest first."""
    names: dict[str, list[dict[str, Any]]] = {}
    for release in _releases(project):
        row = {"release": release, "num_rows": count_rows(release.manifest)}
        names.setdefault(release.name, []).insert(0, row)
    return html("releases", **frame(project, request, "releases"), names=names)


def _releases(project: Project) -> list[Release]:
    try:
        return list_releases(project.registry, "")
    except InputError:
        return []


def _release(project: Project, request: Request, field: str = "release") -> Release:
    """Return the release that an address names as NAME@VERSION; only those of the registry are opened."""
    text = request.query_params.get(field, "")
    name, _, version = text.partition("@")
    known = [release.spelling for release in _releases(project)]
    if text not in known:
        raise unknown("release", text, known)
    uri = f"{name}@{version}"
    return open_release(uri, project.registry)


def release_page(project: Project, request: Request) -> Response:
    """Return a release with a page of its rows."""
    values, release = request.query_params, _release(project, request)
    configs = release.manifest["configs"]
    config = values.get("config") or next(iter(configs))
    release.resolve_config(config)
    split = values.get("split") or next(iter(configs[config]["splits"]))
    if split not in configs[config]["splits"]:
        raise unknown("split", split, configs[config]["splits"])
    text, first = values.get("text", "")[:MAX_TEXT_CHARS], _number(values.get("first", "0"))
    groups = row_groups_of(release, config, split)
    num_rows = sum(size for _, _, size in groups)
    if text:
        rows, following = search_rows(groups, text, first, PAGE_ROWS)
    else:
        rows = read_rows(groups, first, PAGE_ROWS)
        following = first + PAGE_ROWS if first + PAGE_ROWS < num_rows else None
    shown = frame(project, request, "releases") | {
        "release": release,
        "config": config,
        "configs": configs,
        "split": split,
        "text": text,
        "rows": [_row_view(row) for row in rows],
        "num_rows": num_rows,
        "following": following,
        "is_searching": bool(text) and following is not None and len(rows) < PAGE_ROWS,
    }
    if is_part(request):
        return html("release_part", **shown)
    return html("release", **shown, card=_card(release), lengths=_lengths(release, config, split))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 12:
        raise InputError(f"The number of a row was expected, not '{text}'.")
    return int(text)


def _row_view(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its texts in pieces; a conversation as its messages."""
    messages = row.get("messages")
    texts = (
        [(m["role"], m["content"]) for m in messages]
        if messages
        else [(name, row[name]) for name in ("instruction", "input", "output", "text") if row.get(name)]
    )
    return {**row, "texts": [(name, mark_nothing(str(text))) for name, text in texts]}


def _card(release: Release) -> str:
    try:
        return read_card(release.fetch_files(["README.md"]))
    except (InputError, OSError):
        return ""


@lru_cache(maxsize=64)
def _lengths_of(identity: str, config: str, split: str, groups: tuple[Any, ...]) -> dict[str, Any] | None:
    return length_histogram(groups)


def _lengths(release: Release, config: str, split: str) -> dict[str, Any] | None:
    histogram = _lengths_of(release.identity, config, split, tuple(row_groups_of(release, config, split)))
    return histogram and {**histogram, "chart": column_chart(histogram["counts"], histogram["width"])}


_differences: dict[tuple[str, str], ReleaseDiff] = {}


def difference_page(project: Project, request: Request) -> Response:
    """Return how two versions differ, with changed rows side by side."""
    before, after = _release(project, request, "before"), _release(project, request, "after")
    key = before.identity, after.identity
    if key not in _differences:
        if len(_differences) > 20:
            _differences.clear()
        _differences[key] = compare_releases(before, after, NUM_CHANGES, card=True)
    result = _differences[key].to_json()
    changes = {config: [_change_view(row) for row in rows] for config, rows in result["examples"].items() if rows}
    values = frame(project, request, "releases") | {"before": before, "after": after, "changes": changes}
    return html("difference", **values, found=result)


def _change_view(row: dict[str, Any]) -> dict[str, Any]:
    """Return both versions of a row, each with what the other lacks marked."""
    before, after = row["before"], row["after"]
    one = after or before
    names = [name for name in one if name not in ("id", "corpus", "lang", "task", "direction", "split")]
    return {
        "id": one["id"],
        "lang": one.get("lang", ""),
        "kind": "added" if before is None else "removed" if after is None else "changed",
        "texts": [(name, _side(before, after, name), _side(after, before, name)) for name in names],
    }


def _side(row: dict[str, Any] | None, other: dict[str, Any] | None, name: str) -> Pieces:
    if row is None:
        return []
    return mark_nothing(str(row[name])) if other is None else mark_difference(str(row[name]), str(other.get(name, "")))


def origin_page(project: Project, request: Request) -> Response:
    """Return the line of a corpus that a row is made from, with its file upstream."""
    release = _release(project, request)
    lang, row_id = request.query_params.get("lang", ""), request.query_params.get("id", "")
    origin = find_origin(project.work, lang, row_id)
    view = view_lines(open_lines(origin[0], lang), [origin[1]])[0] if origin else None
    corpus = origin[1].corpus if origin else ""
    sources = [row for row in release.manifest["sources"] if row["corpus"] == corpus and row["lang"] in (lang, "")]
    values = frame(project, request, "releases") | {"release": release, "view": view, "sources": sources, "id": row_id}
    return html("origin", **values, recipe=origin[0].recipe if origin else "")
