"""Languages and corpora as rows of `languages.csv` and `corpora.toml`: ours, and those of the user's folders."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from corpora.errors import InputError
from corpora.extensions import extension_files, extension_versions
from corpora.licences import check_licence
from corpora.tables import STRICT, check_reference, read_csv_rows, read_toml_rows
from corpora.urls import is_url

if TYPE_CHECKING:
    from corpora.reading import InputFile

HERE = Path(__file__).parent
SAMPLE = HERE / "sample"  # a small corpus written for this project, in the upstream formats
Kind = Literal["bitext", "instructions", "monolingual", "benchmark"]
FLORES_PLUS = {"cmn": "zho", "ekk": "est", "fil": "tgl"}  # what FLORES+ calls differently, and the name in FLORES-200
CodeColumn = Literal["code", "iso639_3", "flores", "flores101", "opus", "wikimatrix"]


@dataclass(frozen=True)
class Language:
    """A language: its codes in the systems that upstream uses, and what its text looks like."""

    __pydantic_config__ = STRICT

    code: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
    """Code by which options, recipes and releases name the language: BCP 47, such as `el`, `pt-BR` or `zh-Hant`. A
    script subtag makes a variant: `zh-Hant` is read from the files of `zh`, and only its own script is kept."""
    name: str
    """English name; prompts and cards use it."""
    autonym: str = ""
    """Name of the language in the language itself."""
    iso639_3: str = ""
    """Code in ISO 639-3, such as `ell`."""
    flores: str = ""
    """Code in FLORES-200 and NLLB, such as `ell_Grek`."""
    flores101: str = ""
    """Code in FLORES-101, such as `ell`."""
    nllb: str = ""
    """Code in NLLB's vocabulary, where it is not that of FLORES-200."""
    opus: str = ""
    """Code in OPUS; none where OPUS does not have the language."""
    wikimatrix: str = ""
    """Code in WikiMatrix; none where WikiMatrix does not have the language."""
    labels: tuple[str, ...] = ()
    """fastText lid.176 labels that count as the language, separated by spaces: its own, and those that lid.176 gives to
    many of its sentences. Without any, lid.176 does not know the language, and only English counts as wrong."""
    script: tuple[str, ...] = ()
    """Unicode scripts that the language is written in, such as `Greek`, and single letters that belong to no script."""
    english_words: tuple[str, ...] = ()
    """English function words that are words of the language too, such as `of` in Dutch: they do not show English."""
    ratio: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Length in characters of a translation from English, divided by that of the original."""
    ratio_from: Literal["flores101", "udhr", "guess", "measured"] = "guess"
    """Where `ratio` is from: the median of a sentence of FLORES-101 devtest, the articles of the Universal Declaration
    of Human Rights (within 6 % of the former in most languages, 15 to 18 % below it in Arabic and Chinese), your own
    measurement, or a guess: the median of the languages with the same script."""

    @property
    def base(self) -> str:
        """The code without its script: `zh` of `zh-Hant`, `el` of `el`."""
        return base_code(self.code)

    def accepts(self, label: str) -> bool:
        """Return whether a label of lid.176 counts as the language; all but English do if lid.176 does not know it."""
        return label in self.labels if self.labels else label != "en"


@dataclass(frozen=True)
class Corpus:
    """A corpus or benchmark: what it is, where it is, in which format, and under which terms."""

    __pydantic_config__ = STRICT

    id: str
    title: str
    """Title for cards and lists."""
    kind: Kind
    """What a file holds: sentence pairs, instructions, documents, or the texts of a benchmark."""
    version: str
    """Version, as upstream names it."""
    format: str
    """Format of the files; each kind has its own, see "Formats". `auto` takes that of a bitext from its content."""
    url: str | tuple[str, ...]
    """Where a file is: an http(s) URL, or a path that starts at the folder of the table. `{pair}` stands for both codes
    in alphabetical order, joined by a hyphen, `{code}` for the code of the language. A bitext may have several files
    in a language: a list, or a path with `*`; of `text-pair`, files in English and in the other language by turns. A
    dataset of the Hub is `hf:ORG/NAME[@REVISION][/CONFIG]`."""
    langs: tuple[str, ...] | Literal["any"]
    """Languages that the corpus has (for bitext: beside English), or `"any"` for all that have a code in the column
    `code` of `languages.csv`. A corpus that has a language has its variants."""
    licence: str
    """Licence as the Hub or SPDX identify it, such as `cc-by-sa-4.0`; `other` needs a `licence_note`."""
    licence_note: str = ""
    """Terms that the identifier does not say."""
    homepage: str = ""
    """Page that describes the corpus."""
    citation: str = ""
    """BibTeX entry."""
    code: CodeColumn = "code"
    """Column of `languages.csv` that has the codes of `url`."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """Codes of this corpus, by language, where they are not those of the column."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Names of columns in a `parquet`, `arrow`, `jsonl`, `csv` or `tsv` file, by ours: `en = "source"`. `{code}` stands
    for the code of the language, and a dot leads into a struct: `xx = "translation.{code}"`."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """URLs of the files by language, where they do not follow from `url`."""
    sample_of: str = ""
    """Id of the corpus that this one replaces under `--sample`."""
    num_rows: Mapping[str, int] = field(default_factory=dict)
    """Number of rows by language, as upstream counts them."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 digests of the files, by language, which downloads must have."""
    folder: Path = HERE

    @property
    def listed_langs(self) -> tuple[str, ...]:
        """The languages that the row lists; none for `"any"`."""
        return () if self.langs == "any" else self.langs

    def has(self, lang: str) -> bool:
        """Return whether the corpus exists in `lang` (for bitext: in the pair of English and `lang`)."""
        if lang == "en" and self.kind == "bitext":
            return False
        known = languages().get(lang)
        if self.langs == "any":
            return bool(self.codes.get(lang) or (known and self._column(known)))
        return lang in self.langs or (known is not None and known.base in self.langs)

    def upstream_code(self, lang: str) -> str:
        """Return the code of `lang` as this corpus spells it.

        Raises:
            InputError: `languages.csv` has no code for the language in the corpus's column.
        """
        is_own = lang in self.listed_langs or (self.langs == "any" and self.code != "code")
        known = languages()[lang if is_own else base_code(lang)]  # a variant may be in the files of its language
        code = self.codes.get(lang) or self.codes.get(known.code) or self._column(known)
        if not code:
            raise InputError(
                f"The language '{lang}' has no code in the column '{self.code}' of languages.csv, which corpus "
                f"'{self.id}' uses. Add it there, or as codes.{lang} of the corpus."
            )
        return code

    def _column(self, known: Language) -> str:
        """Return the code of a language in the column `code`; a variant without one has that of its language."""
        base = languages().get(known.base, known)
        return str(getattr(known, self.code) or getattr(base, self.code))

    @property
    def urls(self) -> tuple[str, ...]:
        """The templates of all files."""
        return (self.url,) if isinstance(self.url, str) else self.url

    def location(self, lang: str) -> str:
        """Return the URL, or the absolute path of a local file, that holds the corpus in `lang`, or begins it."""
        return self.locations(lang)[0]

    def locations(self, lang: str) -> tuple[str, ...]:
        """Return the URLs, or the absolute paths of local files, that hold the corpus in `lang`, in their order.

        Raises:
            InputError: No file has a path with `*`.
        """
        return self.files.get(lang) or tuple(location for url in self.urls for location in self._locations(url, lang))

    def _locations(self, url: str, lang: str) -> list[str]:
        code = self.upstream_code(lang)
        pair = "-".join(sorted((self.upstream_code("en"), code))) if "{pair" in url else ""
        location = url.replace("{pair}", pair).replace("{code}", code)
        if is_url(location) or location.startswith("hf:"):
            return [location]
        if "*" not in location:
            return [str((self.folder / location).resolve())]
        paths = sorted(path for path in self.folder.glob(location) if path.is_file())
        if not paths:
            raise InputError(f"The corpus '{self.id}' has no files {self.folder / location}. Put them there.")
        return [str(path.resolve()) for path in paths]

    def reading_key(self, lang: str) -> str:
        """Return what the rows of a file depend on beside its bytes, for the keys of what is made from them."""
        file = self.input_file(Path(), lang)
        return json.dumps([file.format, file.en_code, file.xx_code, dict(sorted(file.columns.items()))])

    def input_file(self, path: Path, lang: str, others: tuple[Path, ...] = ()) -> "InputFile":
        """Return a file of the corpus in `lang`, or several, as the readers of `corpora.reading` take them."""
        from corpora.reading import InputFile

        codes = (self.upstream_code("en") if self.kind == "bitext" else "en", self.upstream_code(lang))
        return InputFile(path, self.format, lang, *codes, self.columns, others)


def languages() -> Mapping[str, Language]:
    """Return the languages by code: those of our `languages.csv`, then those of the user's; a user's row replaces ours.

    Raises:
        InputError: A file cannot be read, or a row does not fit `Language`.
    """
    return _languages(extension_versions("languages.csv"))


@cache
def _languages(versions: tuple[tuple[Path, int, int], ...]) -> Mapping[str, Language]:
    rows: dict[str, Language] = {}
    for path in (HERE / "languages.csv", *(path for path, _, _ in versions)):
        rows |= read_csv_rows(path, Language, "code")
    return rows


def base_code(code: str) -> str:
    """Return the code of a language without its script: `zh` of `zh-Hant`."""
    return re.sub(r"-[A-Z][a-z]{3}\b", "", code)


def language(code: str) -> Language:
    """Return the language with this code, or with this one in FLORES, in whatever case.

    Raises:
        InputError: There is none; the message has the nearest known ones.
    """
    if (
        row := languages().get(code)
        or languages().get(_by_folded_code().get(code.lower(), ""))
        or _by_flores_code(code)
    ):
        return row
    if near := _by_name(code):
        names = " or ".join(f"{row.code} ({row.name})" for row in near)
        raise InputError(f"Unknown language '{code}'. Did you mean {names}?")
    if near_codes := get_close_matches(code, languages(), 2, 0.75):
        raise InputError(f"Unknown language '{code}'. Did you mean {' or '.join(near_codes)}?")
    raise InputError(f"Unknown language '{code}'. `builders languages list` shows all {len(languages())}.")


def language_codes(langs: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of languages as `languages.csv` has them, each once; InputError unless all are known."""
    return tuple(dict.fromkeys(language(lang.strip()).code for lang in langs))


def script_variants(lang: str) -> tuple[str, ...]:
    """Return the codes of the variants of a language by script, such as `zh-Hans` and `zh-Hant` of `zh`."""
    return tuple(code for code, row in languages().items() if row.base == lang != code)


def _by_folded_code() -> dict[str, str]:
    return {code.lower(): code for code in languages()}


def _by_flores_code(code: str) -> Language | None:
    """Return the language with a code of FLORES or NLLB, such as `ell_Grek`; of two the one of the script."""
    if not re.fullmatch(r"[a-z]{3}_(?:[a-z]{4}|simpl|trad)", code.lower()):
        return None
    name, _, script = code.lower().partition("_")
    own = f"{FLORES_PLUS.get(name, name)}_{script}"
    rows = [row for row in languages().values() if own in (row.flores.lower(), row.nllb.lower(), row.flores101)]
    return min(rows, key=lambda row: row.code == row.base, default=None)


def _by_name(text: str) -> list[Language]:
    """Return the languages with this code elsewhere, then those whose English name or autonym begins like a text."""
    lower = text.lower()
    coded = [row for row in languages().values() if lower in (row.iso639_3, row.flores.lower(), row.flores101)]
    named = [row for row in languages().values() if _begins(row.name, lower) or _begins(row.autonym, lower)]
    return list(dict.fromkeys([*coded, *named]))[:4]


def _begins(name: str, text: str) -> bool:
    return bool(text) and name.lower().startswith(text[:4])


def load_catalog(*, sample: bool = False) -> dict[str, Corpus]:
    """Return the corpora by id: ours, then those of the user's `corpora.toml`; a user's row replaces ours of its id.

    Args:
        sample: Add the small corpora that come with the project.

    Raises:
        InputError: A file cannot be read, or a row does not fit `Corpus`.
    """
    ours = [HERE / "corpora.toml", *([SAMPLE / "corpora.toml"] if sample else [])]
    corpora: dict[str, Corpus] = {}
    for path in (*ours, *extension_files("corpora.toml")):
        corpora |= (rows := read_corpora(path))
        for row in rows.values():
            if row.sample_of:
                check_reference(row.sample_of, corpora, "corpus", f"{path}, table [{row.id}], key 'sample_of'")
    return corpora


def read_corpora(path: Path) -> dict[str, Corpus]:
    """Return the corpora of one TOML file by id, checked.

    Raises:
        InputError: The file cannot be read, or a row does not fit `Corpus`.
    """
    rows = read_toml_rows(path, Corpus, name="id", folder=path.parent.resolve())
    for name, corpus in rows.items():
        _check(corpus, f"{path}, table [{name}]")
    return {
        name: replace(corpus, licence=check_licence(corpus.licence, f"{path}, table [{name}], key 'licence'"))
        for name, corpus in rows.items()
    }


def _check(corpus: Corpus, where: str) -> None:
    from corpora.reading import READERS

    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", corpus.id):
        raise InputError(f"{where}: the id of a corpus consists of lower-case letters, digits and hyphens.")
    check_reference(corpus.format, READERS[corpus.kind], f"format of {corpus.kind}", where)
    if corpus.licence.lower() == "other" and not corpus.licence_note:
        raise InputError(f"{where}: the licence 'other' needs a 'licence_note' that says the terms.")
    if not corpus.langs:
        raise InputError(f"{where}: 'langs' must name a language, or be \"any\".")
    for lang in (*corpus.listed_langs, *corpus.codes, *corpus.num_rows, *corpus.sha256):
        check_reference(lang, languages(), "language", where)
    for lang, digest in corpus.sha256.items():
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise InputError(f"{where}: 'sha256.{lang}' must be 64 lower-case hexadecimal digits, not '{digest}'.")
    _check_columns(corpus, where)
    _check_urls(corpus, where)


def _check_columns(corpus: Corpus, where: str) -> None:
    from corpora.reading import COLUMNS, TABLE_FORMATS

    if corpus.columns and corpus.format not in TABLE_FORMATS:
        raise InputError(f"{where}: 'columns' is for the formats {', '.join(TABLE_FORMATS)}, not {corpus.format}.")
    for name in corpus.columns:
        check_reference(name, [known.rstrip("?") for known in COLUMNS[corpus.kind]], "column", where)


def _check_urls(corpus: Corpus, where: str) -> None:
    for url in corpus.urls:
        _check_url(url, where)
    has_several = len(corpus.urls) > 1 or any("*" in url for url in corpus.urls if not is_url(url))
    if not corpus.urls or (has_several and (corpus.kind != "bitext" or corpus.sha256)):
        raise InputError(f"{where}: 'url' names one file; only bitexts without 'sha256' may have several.")
    if corpus.format == "text-pair" and len(corpus.urls) % 2:
        raise InputError(
            f"{where}: 'url' of text-pair is a list of files in English and in the other language by turns."
        )


def _check_url(url: str, where: str) -> None:
    if url.startswith("hf:"):
        return
    if "://" in url and not is_url(url):
        raise InputError(f"{where}: 'url' must begin with http:// or https://, or be a path, not '{url}'.")
    if re.search("[{}]", re.sub(r"\{(pair|code)\}", "", url)):
        raise InputError(f"{where}: 'url' may hold {{pair}} and {{code}} only, not '{url}'.")
