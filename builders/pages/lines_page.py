"""The page of lines: those of a decision, a corpus or a text, page by page."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from builders.lines import Array, Lines, corpus_ranges, open_lines, read_lines_at, search_texts
from builders.pages.frame import build_of, frame, html, is_part
from builders.pages.line_view import view_lines
from builders.pages.project import Project
from corpora.errors import InputError, unknown

PAGE_LINES = 20
SEARCH_SECONDS = 0.6  # of one answer; what is not searched by then, the next answer searches
MAX_TEXT_CHARS = 200


@dataclass(frozen=True)
class LineChoice:
    """What lines an address names."""

    reason: str
    corpus: str
    text: str
    first: int  # line from which on


def lines_page(project: Project, request: Request) -> Response:
    """Return lines of a language, or for htmx the next ones."""
    build = build_of(project, request)
    lines = open_lines(build, build.lang(request.query_params.get("lang")))
    choice = _choice(lines, request)
    values = frame(project, request, "lines", build) | {"lang": lines.lang, "choice": choice}
    values |= {"decisions": lines.names, "corpora": list(corpus_ranges(lines)), **_find(lines, choice)}
    return html("lines_part" if is_part(request) else "lines", **values)


def _choice(lines: Lines, request: Request) -> LineChoice:
    values = request.query_params
    reason, corpus, first = values.get("reason", ""), values.get("corpus", ""), values.get("first", "0")
    if reason and reason not in lines.names:
        raise unknown("decision", reason, lines.names)
    if corpus and corpus not in corpus_ranges(lines):
        raise unknown("corpus", corpus, corpus_ranges(lines))
    if not (first.isascii() and first.isdecimal()) or len(first) > 12:
        raise InputError(f"The number of a line was expected, not '{first}'.")
    return LineChoice(reason, corpus, values.get("text", "")[:MAX_TEXT_CHARS], int(first))


def _find(lines: Lines, choice: LineChoice) -> dict[str, Any]:
    """Return a page of lines, how many there are, and where the next page begins."""
    matching = matching_lines(lines, choice)
    rest = matching[np.searchsorted(matching, choice.first) :]
    searched = None
    if choice.text:
        hits, searched = search_texts(lines, rest, choice.text, PAGE_LINES, SEARCH_SECONDS)
    else:
        hits = rest[:PAGE_LINES]
    following = int(hits[-1]) + 1 if len(hits) == PAGE_LINES else searched
    is_more = following is not None and following <= (int(matching[-1]) if len(matching) else -1)
    return {
        "views": view_lines(lines, read_lines_at(lines, hits)),
        "num_matching": len(matching),
        "following": following if is_more else None,
        "is_searching": bool(choice.text) and is_more and len(hits) < PAGE_LINES,
        "share_searched": (following or 0) / max(lines.num_rows, 1) if is_more else 1.0,
    }


def matching_lines(lines: Lines, choice: LineChoice) -> Array:
    """Return the lines of a decision and a corpus."""
    if choice.reason:
        matching = np.flatnonzero(lines.reasons == lines.code(choice.reason))
    else:
        matching = np.arange(lines.num_rows)
    if choice.corpus:
        ranges = corpus_ranges(lines)[choice.corpus]
        matching = np.concatenate([matching[(matching >= a) & (matching < b)] for a, b in ranges])
    return matching
