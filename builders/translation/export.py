"""The files of `builders translate`: the instructions that a user names, and where their translations go."""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from corpora.catalog import Corpus
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from corpora.reading.nfc import nfc

LONGEST = 60  # characters of a file's name in the names of units


def named_instructions(what: str, catalog: Mapping[str, Corpus]) -> tuple[Corpus, str]:
    """The instruction corpus of this name, or one of the JSON file at this path; and what to name its output after."""
    known = {name for name, corpus in catalog.items() if corpus.kind == "instructions"}
    if what in known:
        return catalog[what], what
    path = Path(what)
    if path.is_dir():
        raise InputError(f"{path} is a folder; a JSON file of instructions was expected. Name the file in it.")
    if not path.is_file():
        raise unknown("instruction corpus, and no file,", what, known)
    with path.open("rb") as file:
        form = "messages-json" if b'"messages"' in file.read(4096) else "alpaca-json"
    corpus = Corpus(
        id=_id(path, catalog),
        title=path.name,
        kind="instructions",
        version="1",
        format=form,
        url=str(path.resolve()),
        langs=("en",),
        licence="not stated",
    )
    return corpus, path.stem


def _id(path: Path, catalog: Mapping[str, Corpus]) -> str:
    """The file's name as a corpus is named, with a digest of it unless that says all of it and is no corpus already."""
    slug = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:LONGEST]
    if f"{slug}.json" == path.name and slug not in catalog:
        return slug
    told = hashlib.sha256(nfc(path.name).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{slug or 'records'}-{told}"


def place_for(corpus: Corpus, path: Path) -> Path:
    """Where the translations of a corpus go; InputError if something else is there."""
    if path.exists() and _corpora_of(path) - {corpus.id}:
        raise InputError(
            f"{path} is there already and is not of {corpus.title}. Move it, or name another folder: --to."
        )
    return path


def _corpora_of(path: Path) -> set[str]:
    """The corpora that a file of instructions is of; of a file that is none, its own name."""
    try:
        return set(pl.read_parquet(path, columns=["corpus"], glob=False)["corpus"].unique())
    except (pl.exceptions.PolarsError, OSError):
        return {str(path)}


def check_records(ledger: pl.DataFrame, corpus: Corpus) -> None:
    """Raise InputError if a corpus has no record that could be read."""
    records = ledger.filter(pl.col("stage") == "instructions")
    if "kept" not in records["reason"]:
        faults = records.filter(pl.col("reason") != "in").select("reason", "rows").rows()
        told = ", ".join(f"{reason} {count:,}" for reason, count in faults) or "it holds none"
        raise InputError(
            f"{corpus.title} has no record to translate ({told}). Each must be an object with the texts instruction, "
            "output and, if there is one, input; or with messages, one of a user and one of an assistant."
        )


def hand_out(made: Path, path: Path) -> None:
    """Give the user a copy of the examples of a language."""
    with atomic_path(path) as temporary:
        shutil.copyfile(made, temporary)
