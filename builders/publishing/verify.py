"""Verifying: every byte and every row of a release against its manifest."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from builders.publishing.digests import rows_digest
from builders.publishing.types import Release
from builders.workspace.workspace import Work, bench
from cards.manifest import FILE, data_files, num_rows, release_files, to_text
from corpora.errors import InputError
from corpora.files import sha256_of


@dataclass(frozen=True)
class Verified:
    """What verifying found: files, bytes and rows that were looked at, and a sentence for each fault."""

    uri: str
    identity: str
    files: int
    num_bytes: int
    rows: int
    faults: tuple[str, ...]


def verify(release: Release, work: Work | None = None) -> Verified:
    """Read all of a release, fetched first if it lies on the Hub, and compare it with its manifest.

    What is wrong is in `faults`, a sentence each; of `rows` and `num_bytes` those that the manifest says.
    """
    if work is None:
        with bench() as work:
            return verify(release, work)
    entries = release_files(release.manifest)
    listed = list(release.listed())
    try:
        folder = release.folder()
    except InputError as error:
        return Verified(release.uri, release.identity, 0, 0, 0, (*listed, str(error)))
    wrong = {entry["path"]: fault for entry in entries if (fault := file_fault(folder, entry))}
    faults = [*listed, *wrong.values(), *_manifest_faults(folder, release), *_unexpected_files(folder, release)]
    faults += _row_faults(folder, release, set(wrong), work)
    sizes = sum(entry["size"] for entry in entries)
    rows = num_rows(release.manifest)
    return Verified(release.uri, release.identity, len(entries) + 1, sizes, rows, tuple(faults))


def file_fault(folder: Path, entry: dict[str, Any]) -> str:
    """What is wrong with a file, or nothing."""
    path = folder / entry["path"]
    if not path.is_file():
        return f"{path} is missing."
    if (size := path.stat().st_size) != entry["size"]:
        return f"{path} has {size:,} bytes; published were {entry['size']:,}."
    if (found := sha256_of(path)) != entry["sha256"]:
        return f"{path} has been changed: its sha256 is {found}, published was {entry['sha256']}."
    return ""


def _manifest_faults(folder: Path, release: Release) -> Iterator[str]:
    if (folder / FILE).read_bytes() != to_text(release.manifest).encode():
        yield f"{folder / FILE} is not as builders writes it, so its sha256 is not the identity of the release."


def _unexpected_files(folder: Path, release: Release) -> Iterator[str]:
    """Files beside the data that nobody published: `load_dataset` might take them for data."""
    if release.commit:
        return  # what is fetched is what was asked for; the Hub's own list has been looked at
    known = {entry["path"] for entry in data_files(release.manifest["configs"])}
    for path in sorted(folder.glob("data/**/*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in known:
            yield f"{path} stands among the data but is not in the manifest. Remove it."


def _row_faults(folder: Path, release: Release, wrong: set[str], work: Work) -> Iterator[str]:
    """Splits whose rows are not those of the manifest, counted and by digest; not of files that are wrong already."""
    for config, entry in release.manifest["configs"].items():
        for name, split in entry["splits"].items():
            files = [folder / file["path"] for file in split["files"]]
            if {file["path"] for file in split["files"]} & wrong:
                continue
            try:
                rows = sum(pq.read_metadata(path).num_rows for path in files)
                digest = rows_digest(files, work)
            except (pa.ArrowInvalid, OSError) as error:
                yield f"{config}/{name} is no Parquet that can be read: {error}"
                continue
            if rows != split["rows"]:
                yield f"{config}/{name} has {rows:,} rows; the manifest says {split['rows']:,}."
            elif digest != split["rows_sha256"]:
                yield f"{config}/{name} has other rows than the manifest says: their digest is {digest}."
