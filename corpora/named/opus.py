"""Corpora of OPUS by name and version, from its public API: languages, pairs, bytes and files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from corpora.catalog import Corpus, languages
from corpora.errors import InputError
from corpora.named.access import Access

API = "https://opus.nlpl.eu/opusapi/"
NAME = re.compile(r"([A-Za-z0-9_.-]+)(?:/([A-Za-z0-9_.-]+))?")
KEYS = ("corpus", "version", "source", "target", "url", "alignment_pairs", "size", "latest")
CITATION = """@inproceedings{tiedemann-2012-parallel,
  title = {Parallel Data, Tools and Interfaces in {OPUS}},
  author = {Tiedemann, J{\\"o}rg},
  booktitle = {Proceedings of LREC}, year = {2012}
}"""
NOTE = "OPUS states no licence for it; the terms are those of its sources, which its page on opus.nlpl.eu names."


@dataclass(frozen=True)
class OpusCorpus:
    """A version of a corpus of OPUS, with its pairs of English and another language, by OPUS's codes."""

    name: str
    version: str
    is_latest: bool
    num_pairs: Mapping[str, int]
    num_bytes: Mapping[str, int]
    """Bytes of the zip files, as OPUS counts them in units of 1,000."""
    urls: Mapping[str, str]


def list_opus(text: str, access: Access) -> list[OpusCorpus]:
    """Return the corpora whose names contain a text, in whatever case, each version by itself; newest last.

    Raises:
        InputError: No name contains the text, or OPUS cannot be asked.
    """
    names = _names(access)
    own = [name for name in names if text.lower() in name.lower()]
    if not own:
        near = get_close_matches(text, names, 3, 0.5)
        raise InputError(f"OPUS has no corpus '{text}'." + (f" Did you mean {' or '.join(near)}?" if near else ""))
    return [corpus for name in own for corpus in _versions(_ask(name, None, access))]


def opus_corpus(name: str, corpus_id: str, access: Access) -> Corpus:
    """Return the corpus `opus:NAME/VERSION`, or the latest version of `opus:NAME`.

    Raises:
        InputError: OPUS does not have it (nearest names, or its versions), cannot be asked, or has changed its index.
    """
    match = NAME.fullmatch(name.removeprefix("opus:"))
    if not match:
        raise InputError(f"'{name}' is not opus:NAME or opus:NAME/VERSION, such as opus:CCMatrix/v1.")
    rows = access.recall(name) or _fetch(name, match[1], match[2], access)
    versions = _versions(rows)
    corpus = versions[-1]
    codes = {row.opus: row.code for row in reversed(list(languages().values())) if row.opus and row.code == row.base}
    own = {codes[code]: code for code in corpus.num_pairs if code in codes and codes[code] != "en"}
    return Corpus(
        id=corpus_id,
        title=f"{corpus.name} {corpus.version}, as OPUS packs it",
        kind="bitext",
        version=corpus.version,
        format="moses-zip",
        url=f"https://object.pouta.csc.fi/OPUS-{corpus.name}/{corpus.version}/moses/{{pair}}.txt.zip",
        langs=tuple(sorted(own)),
        licence="other",
        licence_note=NOTE,
        homepage=f"https://opus.nlpl.eu/{corpus.name}.php",
        citation=CITATION,
        code="opus",
        num_rows={lang: corpus.num_pairs[code] for lang, code in own.items()},
        files={lang: (corpus.urls[code],) for lang, code in own.items()},
    )


def _fetch(label: str, name: str, version: str | None, access: Access) -> list[dict[str, Any]]:
    """Return the rows of a version, kept and pinned; InputError with what is there if it does not exist."""
    rows = _ask(name, version, access)
    if not rows:
        known = _names(access)
        if name not in known:
            near = get_close_matches(name, known, 3, 0.5) or [n for n in known if n.lower() == name.lower()]
            raise InputError(f"OPUS has no corpus '{name}'." + (f" Did you mean {' or '.join(near)}?" if near else ""))
        versions = [corpus.version for corpus in _versions(_ask(name, None, access))]
        raise InputError(f"OPUS has no version '{version}' of {name}. It has: {', '.join(versions) or 'none'}.")
    newest = _versions(rows)[-1].version
    rows = [row for row in rows if row["version"] == newest]
    access.remember(label, rows)
    return rows


def _names(access: Access) -> list[str]:
    reply = access.fetch(f"{API}?corpora=True", "The list of OPUS's corpora")
    names = reply.get("corpora") if isinstance(reply, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{API} answers in another form than before: a list 'corpora' was expected.")
    return sorted(set(names))


def _ask(name: str, version: str | None, access: Access) -> list[dict[str, Any]]:
    """Return the rows of pairs with English that OPUS's index has for a corpus, checked and in a fixed order."""
    query = f"?corpus={name}&preprocessing=moses" + (f"&version={version}" if version else "")
    reply = access.fetch(API + query, f"OPUS's index of {name}")
    rows = reply.get("corpora") if isinstance(reply, dict) else None
    if not isinstance(rows, list):
        raise InputError(f"{API} answers in another form than before: a list 'corpora' was expected.")
    own = [_row(row) for row in rows]
    own = [row for row in own if "en" in (row["source"], row["target"])]
    return sorted(own, key=lambda row: (row["version"], row["source"], row["target"]))


def _row(row: Any) -> dict[str, Any]:
    """Return the keys of a row that count; InputError if one is missing or of another type."""
    texts, numbers = KEYS[:5], KEYS[5:7]
    values = {key: row.get(key) for key in KEYS} if isinstance(row, dict) else {}
    numbers_of = {key: int(text) for key in numbers if (text := str(values.get(key) or "")).isdigit()}
    if not all(isinstance(values.get(key), str) for key in texts) or not str(values["url"]).startswith("https://"):
        shown = str(row)[:200]
        raise InputError(f"{API} answers in another form than before: {', '.join(texts)} were expected, not {shown}.")
    return {key: values[key] for key in texts} | {
        "alignment_pairs": numbers_of.get("alignment_pairs", 0),
        "size": numbers_of.get("size", 0),
        "latest": str(values.get("latest")) == "True",
    }


def _versions(rows: Sequence[Mapping[str, Any]]) -> list[OpusCorpus]:
    """Return the versions of a corpus, the latest last."""
    versions: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        versions.setdefault(row["version"], []).append(row)
    corpora = [_corpus(version, own) for version, own in versions.items()]
    return sorted(corpora, key=lambda corpus: (corpus.is_latest, _numbers(corpus.version)))


def _corpus(version: str, rows: Sequence[Mapping[str, Any]]) -> OpusCorpus:
    by_code = {row["target"] if row["source"] == "en" else row["source"]: row for row in rows}
    return OpusCorpus(
        rows[0]["corpus"],
        version,
        any(row["latest"] for row in rows),
        {code: row["alignment_pairs"] for code, row in by_code.items()},
        {code: row["size"] * 1000 for code, row in by_code.items()},
        {code: row["url"] for code, row in by_code.items()},
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
