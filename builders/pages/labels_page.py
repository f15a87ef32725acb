"""The pages of labels: what they say of filters, and one line after the other to label."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from builders.labels import (
    KEPT,
    LABELS,
    UNJUDGED,
    Label,
    Slice,
    add_label,
    draw_lines,
    estimate,
    lines_in,
    measure_agreement,
    one_line,
    pair_digest,
    parse_slice,
    read_labels,
    remove_label,
    slice_of,
)
from builders.lines import Line, Lines, find_line, line_id, open_lines, read_lines_at
from builders.pages.frame import build_of, frame, html, is_part
from builders.pages.highlight import mark_nothing
from builders.pages.line_view import LineView
from builders.pages.project import Project
from builders.pages.render import query
from corpora.errors import InputError

NUM_DRAWN = 400  # lines of a slice that are drawn at once; more when these are labelled
MAX_NOTE_CHARS, MAX_HISTORY = 500, 30


def labels_page(project: Project, request: Request) -> Response:
    """Return what labels say of the filters of a language."""
    build = build_of(project, request)
    lines = open_lines(build, build.lang(request.query_params.get("lang")))
    labels = read_labels(project.labels)
    own = [label for label in labels if label.lang == lines.lang]
    values = frame(project, request, "labels", build) | {"lang": lines.lang, "num_labels": len(own)}
    unjudged = [rule.name for rule in build.filters if rule.table in UNJUDGED]
    estimates = estimate(lines, own)
    return html(
        "labels",
        **values,
        estimates=estimates,
        following=estimates.next_stratum(),
        kept=KEPT,
        unjudged=unjudged,
        agreement=measure_agreement(own),
    )


def label_page(project: Project, request: Request) -> Response:
    """Return a line of a slice that the annotator has not labelled, or the one that an address names."""
    return _show(project, request, dict(request.query_params))


def label_form(project: Project, request: Request, form: dict[str, str]) -> Response:
    """Add the label that a form holds, or remove the last one, and show the next line."""
    build = build_of(project, request)
    lines = open_lines(build, build.lang(form.get("lang")))
    history, warning, at = form.get("history", "").split(), "", ""
    if form.get("label") == "undo":
        at = history.pop() if history else ""
        if at:
            remove_label(project.labels, (lines.lang, *_line_id(at), project.annotator))
    else:
        part = _slice(lines, form)
        line = _line(lines, form.get("line", ""))
        if line.index not in lines_in(lines, part):
            raise InputError(f"{form['line']} is not among the lines of '{part.text}'. Reload the page.")
        warning = _add(project, line, form, part)
        history = [*history, form["line"]][-MAX_HISTORY:]
    values = {"build": build.recipe, "lang": lines.lang, "slice": form.get("slice", ""), "at": at, "warning": warning}
    values["history"] = " ".join(history)
    if is_part(request):
        return _show(project, request, values)
    return RedirectResponse(f"{request.scope['root_path']}/label?{query(values)}", 303)


def _add(project: Project, line: Line, form: dict[str, str], part: Slice) -> str:
    """Add a label, unless another tab has labelled the line otherwise in the meantime; return a sentence if so."""
    if form.get("label") not in LABELS:
        raise InputError(f"A label is {', '.join(LABELS)}, not '{form.get('label', '')}'.")
    known = {label.key: label.label for label in read_labels(project.labels)}
    key = (line.lang, line.corpus, line.line_number, project.annotator)
    if known.get(key, "") not in (form.get("known", ""), form["label"]):
        return f"{line.corpus}:{line.line_number} was labelled {known[key]} in another tab; that label is kept."
    now = datetime.now(UTC).isoformat(timespec="seconds")
    note = one_line(form.get("note", ""), MAX_NOTE_CHARS)
    add_label(
        project.labels, Label(*key, form["label"], line.reason, pair_digest(line.en, line.xx), part.text, note, now)
    )
    return ""


def _show(project: Project, request: Request, values: dict[str, str]) -> Response:
    build = build_of(project, request)
    lines = open_lines(build, build.lang(values.get("lang")))
    part = _slice(lines, values)
    labels = {label.key: label for label in read_labels(project.labels)}
    own = {label.line for label in labels.values() if label.annotator == project.annotator}
    index, num_done, num_lines = _next(lines, part, own, values.get("at", ""))
    line = read_lines_at(lines, [index])[0] if index is not None else None
    known = labels.get((line.lang, line.corpus, line.line_number, project.annotator)) if line else None
    view = LineView(line, mark_nothing(line.en), mark_nothing(line.xx)) if line else None
    shown: dict[str, Any] = frame(project, request, "labels", build) | {
        "lang": lines.lang,
        "slice": part,
        "view": view,
        "known": known,
        "num_done": num_done,
        "num_lines": num_lines,
        "history": values.get("history", ""),
        "warning": values.get("warning", ""),
    }
    return html("label_part" if is_part(request) else "label", **shown)


def _slice(lines: Lines, values: dict[str, str]) -> Slice:
    if decision := values.get("decision"):
        return slice_of(lines, decision)
    return parse_slice(values.get("slice") or KEPT)


def _next(lines: Lines, part: Slice, labelled: set[tuple[str, str, int]], at: str) -> tuple[int | None, int, int]:
    """Return the line to label, how many of the slice are labelled, and how many it has."""
    num_lines = len(lines_in(lines, part))
    num = NUM_DRAWN
    while True:
        drawn = draw_lines(lines, part, num)
        ids = [line_id(lines, int(index)) for index in drawn]
        num_done = sum((lines.lang, *own) in labelled for own in ids)
        if at and (index := find_line(lines, *_line_id(at))) is not None:
            return index, num_done, num_lines
        for index, own in zip(drawn.tolist(), ids, strict=True):
            if (lines.lang, *own) not in labelled:
                return index, num_done, num_lines
        if num >= num_lines:
            return None, num_done, num_lines
        num *= 4


def _line_id(text: str) -> tuple[str, int]:
    """Return the corpus and the line number that CORPUS:NUMBER names.

    Raises:
        InputError: It has another form.
    """
    corpus, _, number = text.rpartition(":")
    if not corpus or not (number.isascii() and number.isdecimal()) or len(number) > 12:
        raise InputError(f"A line is named CORPUS:NUMBER, not '{text}'.")
    return corpus, int(number)


def _line(lines: Lines, text: str) -> Line:
    index = find_line(lines, *_line_id(text))
    if index is None:
        raise InputError(f"The build has no line {text}. Reload the page.")
    return read_lines_at(lines, [index])[0]
