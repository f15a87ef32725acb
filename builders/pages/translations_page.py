"""The pages of translations: instructions of a corpus, the worst first, and one of them to correct."""

from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from builders.lines import Build
from builders.pages.frame import build_of, frame, html, is_part
from builders.pages.project import Project
from builders.pages.render import query
from builders.pages.translated_records import (
    english_shares,
    read_record,
    records,
    search_records,
    tables_of,
    translated_corpora,
)
from builders.translation import TranslationTables, edit_translation, read_edits
from corpora.errors import InputError

PAGE_RECORDS = 20
MAX_TEXT_CHARS = 200


def translations_page(project: Project, request: Request) -> Response:
    """Return the instructions of a corpus in a language, the worst first."""
    build, values = build_of(project, request), request.query_params
    corpora = translated_corpora(build)
    shown: dict[str, Any] = frame(project, request, "translations", build)
    if not corpora:
        return html("no_translations", **shown)
    corpus = values.get("corpus") or next(iter(corpora))
    lang = values.get("lang") or corpora.get(corpus, [""])[0]
    tables = tables_of(build, corpus, lang)
    rows = records(tables, lang)
    shown |= {"corpus": corpus, "corpora": corpora, "lang": lang, "langs": corpora[corpus], **english_shares(rows)}
    check, text = values.get("check", ""), values.get("text", "")[:MAX_TEXT_CHARS]
    page = _number(values.get("page", "0"))
    if check:
        rows = rows.filter((pl.col("reject_reason") == check) | (pl.col("failed_check") == check))
    if text:
        rows = rows.filter(pl.col("id").is_in(search_records(tables, lang, text)))
    part = rows.slice(page * PAGE_RECORDS, PAGE_RECORDS)
    shown |= {"rows": _previews(tables, lang, part), "num_rows": rows.height, "check": check, "text": text}
    shown["following"] = page + 1 if rows.height > (page + 1) * PAGE_RECORDS else None
    return html("translations", **shown)


def _previews(tables: TranslationTables, lang: str, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows with the beginning of their instruction."""
    texts = (
        pl.scan_parquet(tables.translated[lang], glob=False)
        .filter(pl.col("id").is_in(rows["id"].to_list()))
        .select("id", preview=pl.col("instruction").str.slice(0, 160))
        .collect()
    )
    return rows.join(texts, on="id", how="left", maintain_order="left").to_dicts()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 7:
        raise InputError(f"The number of a page was expected, not '{text}'.")
    return int(text)


def translation_page(project: Project, request: Request) -> Response:
    """Return one instruction sentence by sentence."""
    values = request.query_params
    return _show(project, request, values.get("corpus", ""), values.get("lang", ""), values.get("id", ""), "")


def edit_form(project: Project, request: Request, form: dict[str, str]) -> Response:
    """Put the translation of a sentence into the memory, as one by a person."""
    build = build_of(project, request)
    corpus, lang, record = form.get("corpus", ""), form.get("lang", ""), form.get("id", "")
    en = _source(build, corpus, lang, record, form.get("sha256", ""))
    failed = edit_translation(project.work, lang, en, form.get("text", "").replace("\r\n", "\n"), project.annotator)
    sentence = "The translation is in the memory; the next build uses it."
    if failed:
        sentence = f"The translation is in the memory, but fails the check {failed}, so builds do not use it."
    if is_part(request):
        return _show(project, request, corpus, lang, record, sentence)
    address = query({"build": build.recipe, "corpus": corpus, "lang": lang, "id": record})
    return RedirectResponse(f"{request.scope['root_path']}/translation?{address}", 303)


def _source(build: Build, corpus: str, lang: str, id: str, sha256: str) -> str:
    for field in read_record(tables_of(build, corpus, lang), lang, id):
        for sentence in field.sentences:
            if sentence.sha256 == sha256:
                return sentence.en
    raise InputError("The instruction has no such sentence any more. Reload the page.")


def _show(project: Project, request: Request, corpus: str, lang: str, id: str, sentence: str) -> Response:
    build = build_of(project, request)
    fields = read_record(tables_of(build, corpus, lang), lang, id)
    shown: dict[str, Any] = frame(project, request, "translations", build)
    digests = [sentence.sha256 for field in fields for sentence in field.sentences]
    edits = read_edits(project.work, lang, digests)
    shown |= {"corpus": corpus, "lang": lang, "id": id, "fields": fields, "edits": edits}
    return html("translation_part" if is_part(request) else "translation", **shown, sentence=sentence)
