"""The files of `builders translate`: the instructions that a user names, and the files of their translations."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from builders.translation.instruction_columns import recognise
from corpora.catalog import Corpus
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from corpora.reading import nfc

MAX_NAME_CHARS = 60  # of a file's name in the names of units


def load_instructions(source: str, catalog: Mapping[str, Corpus]) -> tuple[Corpus, str]:
    """Return the instruction corpus of this name, or one of the file at this path, and the stem of its output.

    Raises:
        InputError: There is neither.
    """
    known = {name for name, corpus in catalog.items() if corpus.kind == "instructions"}
    if source in known:
        return catalog[source], source
    path = Path(source)
    if path.is_dir():
        raise InputError(f"{path} is a folder; a file of instructions was expected. Name the file in it.")
    if not path.is_file():
        raise unknown("instruction corpus, and no file,", source, known)
    file_format, columns = recognise(path)
    corpus = Corpus(
        id=_corpus_id(path, catalog),
        title=path.name,
        kind="instructions",
        version="1",
        format=file_format,
        columns=columns,
        url=str(path.resolve()),
        langs=("en",),
        licence="not stated",
    )
    return corpus, _stem(path)


def _stem(path: Path) -> str:
    """Return the name of a file without its suffix, and without that of its compression."""
    return path.stem.removesuffix(".jsonl").removesuffix(".json") if path.suffix == ".gz" else path.stem


def _corpus_id(path: Path, catalog: Mapping[str, Corpus]) -> str:
    """Return a file's name in the form of a corpus id, with a digest unless it says all of the name and is free."""
    slug = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:MAX_NAME_CHARS]
    if f"{slug}.json" == path.name and slug not in catalog:
        return slug
    sha256 = hashlib.sha256(nfc(path.name).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{slug or 'instructions'}-{sha256[:8]}"


def output_path(corpus: Corpus, path: Path) -> Path:
    """Return the file of a corpus's translations; raise InputError if it holds something else."""
    if path.exists() and _corpora_in(path) - {corpus.id}:
        raise InputError(f"{path} exists and does not hold {corpus.title}. Move it, or name another folder: --output.")
    return path


def _corpora_in(path: Path) -> set[str]:
    """Return the corpora of a file of instructions; for another file, its own name."""
    try:
        return set(pl.read_parquet(path, columns=["corpus"], glob=False)["corpus"].unique())
    except (pl.exceptions.PolarsError, OSError):
        return {str(path)}


def check_instructions(ledger: pl.DataFrame, corpus: Corpus) -> None:
    """Raise InputError if a corpus has no instruction that could be read."""
    records = ledger.filter(pl.col("stage") == "instructions")
    if not records["num_kept"].sum():
        rejected = records.filter(pl.col("reason").is_not_null()).select("reason", "num_rows").rows()
        counts = ", ".join(f"{reason} {count:,}" for reason, count in rejected) or "it is empty"
        raise InputError(
            f"{corpus.title} has no instruction to translate ({counts}). Each must be an object with the texts "
            "instruction, output and, if there is one, input; or with messages, of a user and an assistant by turns."
        )


def export(tables: Sequence[Path], path: Path) -> None:
    """Copy the tables of a language to a user's file."""
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, pq.read_schema(tables[0])) as writer:
        for table in tables:
            writer.write_table(pq.read_table(table))
