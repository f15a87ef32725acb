"""Corpora from tables in memory: sentence pairs, instructions or documents, written once as Parquet and read as files.

    corpus = corpus_from_tables("mine", {"el": frame}, Path("work/in-memory"), licence="cc0-1.0")
    catalog = load_catalog() | {corpus.id: corpus}

A table is a Polars frame, an Arrow table, a `datasets.Dataset`, or anything else with `__arrow_c_stream__`. Its columns
are those of `corpora.reading.COLUMNS`: `en`, `xx` and perhaps `margin`; `instruction`, `output` and perhaps `input`; or
`text`. The files are named by the digest of their content, so equal tables are one corpus, and their version says so.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, get_args, runtime_checkable

from corpora.catalog import Corpus, Kind, language
from corpora.errors import InputError, unknown
from corpora.files import move_into_place, sha256_of, temporary_folder
from corpora.licences import check_licence

if TYPE_CHECKING:
    import pyarrow as pa

NUMBERS = ("margin",)  # columns that are no texts
CONVERSATION = ("messages", "system", "lang")  # columns that a corpus must name to have them read
ROW_GROUP_ROWS = 100_000
NO_LICENCE = "The table was given in memory, and no licence with it."


@runtime_checkable
class Table(Protocol):
    """A table in memory that Arrow can read: of Polars, Arrow or pandas."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


def corpus_from_tables(
    name: str,
    tables: Mapping[str, Any],
    folder: Path,
    *,
    kind: Kind | None = None,
    title: str = "",
    licence: str = "other",
    licence_note: str = "",
) -> Corpus:
    """Write tables below a folder and return the corpus that they are.

    Args:
        name: Id of the corpus, by which recipes name it.
        tables: A table for each language; instructions are `{"en": table}`.
        folder: Receives a folder for each different content; what is there already is not written again.
        kind: Kind of corpus; None: the one whose columns the tables have.
        title: Title for cards; empty: the name.
        licence: Licence of the texts, as the Hub's identifiers spell it.
        licence_note: Terms that the identifier does not say; empty with `other`: that no licence was given.

    Raises:
        InputError: A table has other columns or types than its kind, or a name or language is not valid.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise InputError(f"The id of a corpus consists of lower-case letters, digits and hyphens, not '{name}'.")
    if not tables:
        raise InputError(f"The corpus '{name}' has no table. Give one for each language, such as {{'el': frame}}.")
    if kind is not None and kind not in get_args(Kind):
        raise unknown("kind of corpus", kind, get_args(Kind))
    arrow = {language(lang).code: to_arrow(table, f"{name} ({lang})") for lang, table in tables.items()}
    kind = kind or _find_kind(next(iter(arrow.values())), name)
    checked = {lang: _check_columns(table, kind, f"{name} ({lang})") for lang, table in arrow.items()}
    if kind == "bitext" and "en" in checked:
        raise InputError(
            f"The corpus '{name}' has pairs of English and another language. Name the other one, not 'en'."
        )
    if not any(table.num_rows for table in checked.values()):
        raise InputError(f"The corpus '{name}' has no rows. Give a table with at least one.")
    digests, version = _write(checked, folder)
    return Corpus(
        id=name,
        title=title or name,
        kind=kind,
        version=version,
        format="parquet",
        url=f"{version}/{{code}}.parquet",
        langs=tuple(checked),
        licence=check_licence(licence, f"The corpus '{name}'"),
        licence_note=licence_note or (NO_LICENCE if licence.lower() == "other" else ""),
        codes={lang: lang for lang in checked},
        sha256=digests,
        columns={name: name for name in CONVERSATION if name in next(iter(checked.values())).schema.names},
        folder=folder.resolve(),
    )


def to_arrow(table: Any, where: str) -> "pa.Table":
    """Return a table in memory as an Arrow table; InputError, with `where`, if it is none."""
    import pyarrow as pa

    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    if hasattr(table, "collect") and hasattr(table, "collect_schema"):  # a lazy frame of Polars
        table = table.collect()
    if hasattr(table, "with_format") and hasattr(table, "num_rows") and not isinstance(table.num_rows, Mapping):
        table = table.with_format("arrow")[:]  # a datasets.Dataset, with its selection and order
    if isinstance(table, pa.Table):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        return pa.table(table)
    hint = "Choose one of its splits." if isinstance(table, Mapping) and hasattr(table, "with_format") else ""
    expected = "a Polars or Arrow table or a datasets.Dataset was expected"
    raise InputError(f"{where}: {expected}, not {type(table).__name__}. {hint}".strip())


def _find_kind(table: "pa.Table", name: str) -> Any:
    from corpora.reading import COLUMNS, required_columns

    for kind in COLUMNS:
        required = required_columns(kind, table.column_names)
        if required and set(required) <= set(table.column_names):
            return kind
    raise InputError(
        f"The corpus '{name}' has the columns {', '.join(table.column_names) or 'none'}. A bitext has en, xx and "
        "perhaps margin; instructions have instruction, output and perhaps input, or messages; documents have text. "
        "Rename yours."
    )


def _check_columns(table: "pa.Table", kind: str, where: str) -> "pa.Table":
    """Return the columns of a kind in their order, texts as strings and numbers as doubles."""
    import pyarrow as pa

    from corpora.reading import COLUMNS, MESSAGES, required_columns

    known = [column.rstrip("?") for column in COLUMNS[kind]]
    for column in table.column_names:
        if table.column_names.count(column) > 1:
            raise InputError(f"{where}: there are several columns '{column}'. Keep one of them.")
        if column not in known:
            raise InputError(f"{where}: {unknown('column', column, known)} Select the columns that are to be read.")
    for column in required_columns(kind, table.column_names):
        if column not in table.column_names:
            raise InputError(f"{where}: the column '{column}' is missing. A table of {kind} has {', '.join(known)}.")
    columns = {}
    for column in known:
        if column in table.column_names:
            kind_of_values = {"messages": MESSAGES}.get(column, pa.float64() if column in NUMBERS else pa.string())
            columns[column] = _cast(table[column], kind_of_values, f"{where}: the column '{column}'")
    return pa.table(columns)


def _cast(column: Any, kind: Any, where: str) -> Any:
    import pyarrow as pa

    values = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_number = pa.types.is_floating(values) or pa.types.is_integer(values) or pa.types.is_decimal(values)
    is_text = pa.types.is_string(values) or pa.types.is_large_string(values) or pa.types.is_string_view(values)
    is_list = pa.types.is_list(values) or pa.types.is_large_list(values)
    expected = {pa.float64(): "numbers", pa.string(): "texts"}.get(kind, "lists of turns with role and content")
    if not (pa.types.is_null(values) or {"numbers": is_number, "texts": is_text}.get(expected, is_list)):
        raise InputError(f"{where} has the type {column.type}, but {expected} were expected.")
    if pa.types.is_dictionary(column.type):
        chunks = [pa.DictionaryArray.from_arrays(c.indices, c.dictionary.cast(kind)) for c in column.chunks]
        return pa.chunked_array([chunk.dictionary_decode() for chunk in chunks], kind)
    return column.cast(kind, safe=False) if is_number else column.cast(kind)


def _write(tables: Mapping[str, "pa.Table"], folder: Path) -> tuple[dict[str, str], str]:
    """Write tables to files, all or none; return the digest of each file, and that of them all."""
    import pyarrow.parquet as pq

    with temporary_folder(folder) as temporary:
        digests = {}
        for lang, table in sorted(tables.items()):
            path = temporary / f"{lang}.parquet"
            pq.write_table(table.combine_chunks(), path, row_group_size=ROW_GROUP_ROWS, compression="zstd")
            digests[lang] = sha256_of(path)
        version = hashlib.sha256("".join(f"{lang} {digests[lang]}\n" for lang in digests).encode()).hexdigest()[:16]
        if not _is_there(folder / version, digests):
            move_into_place(temporary, folder / version)
    return digests, version


def _is_there(folder: Path, digests: Mapping[str, str]) -> bool:
    """Return whether a folder holds these files; a damaged one is removed."""
    files = {folder / f"{lang}.parquet": digest for lang, digest in digests.items()}
    if all(path.is_file() and sha256_of(path) == digest for path, digest in files.items()):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False
