"""Verify a release: every byte and every row against its manifest."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from builders.publishing.format import one_line
from builders.publishing.row_digests import rows_digest
from builders.workspace import Workspace, temporary_workspace
from cards.front_matter import CARD, find_front_problems, read_card
from cards.manifest import FILE, count_rows, release_files
from cards.manifest_types import Manifest, Split
from cards.releases import Release, find_file_problems, find_unexpected_files, read_split
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.notebook import TextInNotebook


@dataclass(frozen=True, repr=False)
class Verification(TextInNotebook):
    """What was verified: files, bytes and rows as the manifest counts them, and a sentence for each problem."""

    uri: str
    identity: str
    num_files: int
    num_bytes: int
    num_rows: int
    problems: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        """Whether the release is as it was published."""
        return not self.problems

    def __repr__(self) -> str:
        return verified_text(self)


def verify_release(release: Release, work: Workspace | None = None) -> Verification:
    """Read all of a release, fetched first if it is on the Hub, and compare it with its manifest."""
    if work is None:
        with temporary_workspace() as work:
            return verify_release(release, work)
    entries = release_files(release.manifest)
    problems = [*release.list_problems()]
    try:
        problems += _find_problems(release.folder(), release, work)
    except InputError as error:
        problems.append(str(error))
    num_bytes = sum(entry["size"] for entry in entries)
    rows = count_rows(release.manifest)
    return Verification(release.uri, release.identity, len(entries) + 1, num_bytes, rows, tuple(problems))


def _find_problems(folder: Path, release: Release, work: Workspace) -> Iterator[str]:
    wrong_files = find_file_problems(folder, release_files(release.manifest))
    yield from wrong_files.values()
    if sha256_of(folder / FILE) != release.identity:
        yield f"{folder / FILE} has been changed: it is not the manifest that was opened."
    yield from find_unexpected_files(folder, release.manifest)
    if CARD not in wrong_files:
        for problem in find_front_problems(read_card(folder), release.manifest):
            yield f"{folder / CARD}: {problem}."
    for config, entry in release.manifest["configs"].items():
        for name, split in entry["splits"].items():
            if not {file["path"] for file in split["files"]} & wrong_files.keys():
                yield from _find_row_problems(f"{config}/{name}", split, folder, release.manifest, work)


def _find_row_problems(name: str, split: Split, folder: Path, manifest: Manifest, work: Workspace) -> Iterator[str]:
    """Yield a sentence if the rows of a split are not those of the manifest, by columns, number and digest."""
    try:
        digest = rows_digest(read_split(folder, split, manifest["features"]), work)
    except InputError as error:
        yield f"{name}: {error}"
        return
    if digest != split["content_sha256"]:
        yield f"{name} has other rows than the manifest states: their digest is {digest}."


def verified_text(verification: Verification) -> str:
    """Return what was verified, or every problem."""
    if verification.problems:
        lines = [
            f"{verification.uri} is not as it was published:",
            *(f"  {one_line(text)}" for text in verification.problems),
        ]
        return "\n".join(lines)
    sizes = f"{verification.num_files} files, {verification.num_bytes:,} bytes, {verification.num_rows:,} rows"
    return f"{verification.uri} is as it was published: {sizes}\n  identity {verification.identity}"


def verified_json(verification: Verification) -> str:
    """Return the same for a machine."""
    return json.dumps(asdict(verification) | {"is_intact": verification.is_intact}, indent=2)
