"""A registry in a folder: NAME/vX.Y.Z, each version written beside the others and renamed into place."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builders.publishing.types import RegistryState
from cards.front_matter import read_card
from cards.manifest import data_files
from cards.manifest_types import Manifest
from cards.releases import (
    STATUS_FILE,
    FolderReleases,
    Release,
    find_file_problems,
    find_unexpected_files,
    format_yanked,
)
from corpora.errors import InputError
from corpora.files import atomic_path, lock_folder, move_into_place, remove_leftovers
from corpora.path_lengths import check_path_length

LOCK_TIMEOUT_S = 600.0  # that a publisher waits for another


@dataclass(frozen=True)
class LocalRegistry:
    """The releases of one name in a registry folder."""

    registry: Path
    name: str

    @property
    def path(self) -> Path:
        """The folder of its versions."""
        return self.registry / self.name

    @property
    def uri(self) -> str:
        """The folder of its versions, as a person writes it."""
        return str(self.path)

    @property
    def releases(self) -> FolderReleases:
        """Its versions, to read."""
        return FolderReleases(self.path)

    def check_writable(self, remove_unexpected: bool = False) -> None:
        """Raise InputError if `datasets` could not load from here, or the path is too long."""
        check_path_length(self.path)
        for path in (str(self.path.resolve()), str(self.path.absolute())):
            if set(path) & set("[]*?"):
                raise InputError(
                    f"datasets cannot load from {path}: it takes [, ], * and ? for patterns. Name another folder."
                )
            if os.path.expandvars(path) != path or "::" in path:
                raise InputError(
                    f"datasets cannot load from {path}: it reads names after $ as variables, and :: as a chain of "
                    "addresses. Name another folder."
                )

    @contextmanager
    def lock(self) -> Iterator[Path]:
        """Keep other publishers out, and yield the folder, which is on the disk where the release will be."""
        self.check_writable()
        with lock_folder(self.path, "registry folder", LOCK_TIMEOUT_S):
            remove_leftovers(self.path)
            yield self.path

    def get_state(self, finish: bool = False, remove_unexpected: bool = False) -> RegistryState:
        """Return what it holds. With `finish`, for what builds upon it: InputError unless its data is as published."""
        versions = self.releases.versions()
        if not versions:
            return RegistryState()
        newest = self.releases.open(versions[-1])
        if finish:
            _check_data(self.path / versions[-1], newest.manifest)
            if unexpected := find_unexpected_files(self.path / versions[-1], newest.manifest):
                raise InputError(unexpected[0])
        return RegistryState(newest, tuple(versions), read_card(self.path / versions[-1]))

    def card_location(self, version: str) -> str:
        """Return the folder of a version in a registry of the usual name: a card knows no path of this machine."""
        return f"registry/{self.name}/{version}"

    def commit(self, folder: Path, manifest: Manifest, state: RegistryState, copied_from: Release | None = None) -> str:
        """Rename a written release into place, and return its folder."""
        if copied_from:
            for entry in data_files(manifest["configs"]):
                (folder / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(copied_from.uri) / entry["path"], folder / entry["path"])
            _check_data(folder, manifest)
        move_into_place(folder, self.path / manifest["version"])
        return str(self.path / manifest["version"])

    def yank(self, version: str, reason: str | None) -> None:
        """Record that a version is yanked; with None, that it is no longer."""
        with self.lock(), atomic_path(self.path / STATUS_FILE) as path:
            path.write_text(format_yanked(self.releases.yanked(), version, reason), encoding="utf-8")


def _check_data(release: Path, manifest: Manifest) -> None:
    """Raise InputError unless every data file of a release is as published: a version never changes."""
    problems = find_file_problems(release, data_files(manifest["configs"]))
    if problems:
        raise InputError(f"{next(iter(problems.values()))} Restore it, or move {release} away.")
