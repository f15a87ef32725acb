"""A list of corpora by language, as `builders list` shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tabulate import tabulate

from corpora.catalog import Corpus
from corpora.terminal_tables import format_table
from corpora.urls import is_url, public_url

HEADS = ("corpus", "kind", "licence")
MAX_LANGS = 20  # with a column each
NUM_LANGS = 6  # the languages that a narrow terminal shows, if it can


@dataclass(frozen=True, repr=False)
class CorpusList:
    """Corpora by id, and the languages in which a user looks at them."""

    corpora: Mapping[str, Corpus]
    langs: tuple[str, ...]

    def __repr__(self) -> str:
        return corpora_text(self)

    def _repr_html_(self) -> str:
        heads, rows = _table(self)
        return str(tabulate(rows, heads, tablefmt="html", disable_numparse=True))


def corpora_text(listed: CorpusList) -> str:
    """Return corpora by language: rows where upstream says them, `yes` where it does not, `-` for what is not.

    Of many languages, how many of them each corpus has.
    """
    heads, rows = _table(listed)
    langs = heads[len(HEADS) :]
    missing = [
        f"{c.id} does not exist in {', '.join(gone)}."
        for c in listed.corpora.values()
        if c.kind != "instructions" and (gone := [lang for lang in langs if not c.has(lang)])
    ]
    note = ["`builders languages list` shows the languages; --langs A,B shows rows."]
    table = format_table(heads, rows, drop=["kind", *reversed(langs[NUM_LANGS:])])
    return "\n".join([table, "", *(note if _is_many(listed) else missing)]).rstrip()


def _is_many(listed: CorpusList) -> bool:
    return len(listed.langs) > MAX_LANGS


def _table(listed: CorpusList) -> tuple[list[str], list[list[str]]]:
    """Return the heads and rows of the table."""
    if _is_many(listed):
        rows = [[c.id, c.kind, c.licence, _count(c, listed.langs)] for c in listed.corpora.values()]
        return [*HEADS, "languages"], rows
    langs = [lang for lang in listed.langs if lang != "en"]
    rows = [[c.id, c.kind, c.licence, *(_cell(c, lang) for lang in langs)] for c in listed.corpora.values()]
    return [*HEADS, *langs], rows


def _count(corpus: Corpus, langs: tuple[str, ...]) -> str:
    own = [lang for lang in langs if corpus.has(lang)]
    return ", ".join(own) if len(own) <= NUM_LANGS else str(len(own))


def _cell(corpus: Corpus, lang: str) -> str:
    if corpus.kind == "instructions":
        return "translated" if lang not in corpus.listed_langs else "yes"
    if not corpus.has(lang):
        return "-"
    return f"{corpus.num_rows[lang]:,}" if lang in corpus.num_rows else "yes"


def corpora_json(listed: CorpusList) -> str:
    """Return the same as JSON: corpus by corpus, with `rows` null where upstream does not say."""
    return json.dumps(
        [
            {"corpus": c.id, "kind": c.kind, "version": c.version, "licence": c.licence, "title": c.title}
            | {
                "langs": {
                    lang: {"rows": c.num_rows.get(lang), "at": _shown(c.location(lang))}
                    for lang in listed.langs
                    if c.has(lang)
                }
            }
            for c in listed.corpora.values()
        ],
        indent=2,
    )


def _shown(location: str) -> str:
    """Return a path, or a URL without user names and tokens."""
    return public_url(location) if is_url(location) else location
