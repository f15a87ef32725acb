"""Languages and corpora as rows: `languages.csv` and `corpora.toml`, loaded strictly."""

import csv
import re
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from corpora.errors import InputError, unknown
from corpora.urls import is_url

HERE = Path(__file__).parent
SAMPLE = HERE / "sample"  # a small corpus written for this project, in the upstream formats
FORMATS = {
    "bitext": ("laser-tsv", "moses-zip", "tmx"),
    "instructions": ("alpaca-json", "messages-json", "self-instruct"),
    "monolingual": ("c4-jsonl",),
    "evaluation": ("flores-tar", "squad-json", "mlqa-zip"),
}


@dataclass(frozen=True)
class Language:
    """A language: its codes in the systems that we meet, and what its text looks like.

    `labels` are fastText's lid.176 labels that count as the language (for Chinese also `ja`, which it says of many
    short Chinese sentences; real Japanese shows in its script). `script` holds the names of Unicode scripts. `ratio`
    is the median length in characters of a translation divided by that of its English original, over FLORES-101
    devtest.
    """

    code: str
    name: str
    flores: str
    flores101: str
    labels: tuple[str, ...]
    script: tuple[str, ...]
    ratio: float


@dataclass(frozen=True)
class Corpus:
    """A corpus or benchmark: what it is, where it lies, in which form, under which terms.

    `url` may hold `{pair}` (both codes in alphabetical order, joined by a hyphen) and `{code}`; without a
    scheme it is a path that starts at the catalogue's folder. `code` names the column of `languages.csv`
    that upstream's codes are in, `codes` the exceptions. `rows` are upstream's own counts by language,
    `sha256` the pinned digests by language. `stands_for` names the corpus that a sample replaces.
    """

    id: str
    title: str
    kind: str
    version: str
    format: str
    url: str
    langs: tuple[str, ...] | None  # None: any language of the table
    licence: str
    homepage: str = ""
    citation: str = ""
    licence_note: str = ""
    code: str = "code"
    stands_for: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)
    folder: Path = HERE

    def has(self, lang: str) -> bool:
        """Whether the corpus exists in `lang` (for bitext: in the pair of English and `lang`)."""
        return (lang != "en" or self.kind != "bitext") and (self.langs is None or lang in self.langs)

    def upstream_code(self, lang: str) -> str:
        """The code of `lang` as this corpus spells it."""
        return self.codes.get(lang) or getattr(languages()[lang], self.code)

    def location(self, lang: str) -> str:
        """The URL, or the absolute path of a local file, that holds the corpus in `lang`."""
        code = self.upstream_code(lang)
        pair = "-".join(sorted((self.upstream_code("en"), code)))
        place = self.url.format(pair=pair, code=code)
        return place if is_url(place) else str((self.folder / place).resolve())


@cache
def languages() -> dict[str, Language]:
    """The rows of `languages.csv` by code, in file order."""
    with (HERE / "languages.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    return {row["code"]: _language(row) for row in rows}


def _language(row: dict[str, Any]) -> Language:
    lists = {key: tuple(row[key].split()) for key in ("labels", "script")}
    return Language(**row | lists | {"ratio": float(row["ratio"])})


def language(code: str) -> Language:
    """The language with this code; InputError with the nearest known ones otherwise."""
    if code in languages():
        return languages()[code]
    if near := _of_name(code):
        raise InputError(
            f"Unknown language '{code}'. Did you mean {' or '.join(f'{x.code} ({x.name})' for x in near)}?"
        )
    raise unknown("language", code, languages())


def _of_name(text: str) -> list[Language]:
    """The languages whose English name begins like this text."""
    return [x for x in languages().values() if text and x.name.lower().startswith(text.lower()[:4])]


def load_catalog(*extra: Path) -> dict[str, Corpus]:
    """The corpora of our own catalogue and of the user's, by id; a user's table replaces ours of the same id."""
    corpora: dict[str, Corpus] = {}
    for path in (HERE / "corpora.toml", *extra):
        for name, table in read_toml(path).items():
            corpora[name] = _corpus(name, table, path)
    return corpora


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; InputError with file and line if it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a TOML file was expected.") from None


def _corpus(name: str, table: object, path: Path) -> Corpus:
    """One strictly checked table of a catalogue."""
    where = f"{path}, table [{name}]"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise InputError(f"{where}: a corpus is named in lower-case letters, digits and hyphens.")
    if not isinstance(table, dict):
        raise InputError(f"{where}: a table was expected, not {table!r}.")
    known = {f.name for f in fields(Corpus)} - {"id", "folder"}
    for key in table:
        if key not in known:
            raise InputError(f"{where}: {unknown('key', key, known)}")
    _check_values(table, where)
    langs = None if table["langs"] == "any" else tuple(table["langs"])
    own = {"id": name, "langs": langs, "licence": table["licence"].lower(), "folder": path.parent.resolve()}
    return Corpus(**table | own)


def _check_values(table: dict[str, Any], where: str) -> None:
    required = ("title", "kind", "version", "format", "url", "langs", "licence")
    texts = (*required, "homepage", "citation", "licence_note", "code", "stands_for")
    for key in required:
        if key not in table:
            raise InputError(f"{where}: the key '{key}' is missing.")
    for key in texts:
        if key != "langs" and not isinstance(table.get(key, ""), str):
            raise InputError(f"{where}: '{key}' must be a string, not {table[key]!r}.")
    for key, choices in (("kind", FORMATS), ("code", ("code", "flores", "flores101"))):
        if table.get(key, "code") not in choices:
            raise InputError(f"{where}: {unknown(key, table[key], choices)}")
    formats = FORMATS[table["kind"]]
    if table["format"] not in formats:
        raise InputError(f"{where}: {unknown('format of ' + table['kind'], table['format'], formats)}")
    if "://" in table["url"] and not is_url(table["url"]):
        raise InputError(f"{where}: the url must begin with http:// or https://, or be a path: {table['url']}")
    for key, kind in (("codes", str), ("rows", int), ("sha256", str)):
        values = table.get(key, {})
        if not isinstance(values, dict) or not all(isinstance(value, kind) for value in values.values()):
            raise InputError(f"{where}: '{key}' must be a table of {kind.__name__} by language, not {values!r}.")
    _check_langs(table, where)
    for lang, digest in table.get("sha256", {}).items():
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise InputError(f"{where}: sha256 of {lang} must be 64 hexadecimal digits in lower case, not '{digest}'.")
    try:
        table["url"].format(pair="", code="")
    except (KeyError, IndexError, ValueError, AttributeError):
        raise InputError(f"{where}: the url may hold {{pair}} and {{code}} only: {table['url']}") from None


def _check_langs(table: dict[str, Any], where: str) -> None:
    langs = table["langs"]
    if langs != "any" and not (isinstance(langs, list) and langs and all(isinstance(x, str) for x in langs)):
        raise InputError(f"{where}: 'langs' must be \"any\" or a list of language codes, not {langs!r}.")
    named = [] if langs == "any" else list(langs)
    for lang in (*named, *table.get("codes", {}), *table.get("rows", {}), *table.get("sha256", {})):
        if lang not in languages():
            raise InputError(f"{where}: {unknown('language', lang, languages())}")
