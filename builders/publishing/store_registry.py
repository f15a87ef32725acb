"""A registry in an object store: the files of a version are written first, and its manifest last."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builders.publishing.types import RegistryState
from cards.front_matter import read_card
from cards.manifest import FILE, data_files, is_version
from cards.manifest_types import Manifest
from cards.releases import STATUS_FILE, Release, StoreReleases, check_files, format_yanked
from corpora.errors import InputError
from corpora.stores import Store, lease_store

PROBE = ".writable"  # a file that is written and removed


@dataclass(frozen=True)
class StoreRegistry:
    """The releases of one name in a store."""

    store: Store
    name: str

    @property
    def uri(self) -> str:
        """The address of its versions."""
        return self.store.uri

    @property
    def releases(self) -> StoreReleases:
        """Its versions, to read."""
        return StoreReleases(self.store)

    def check_writable(self, remove_unexpected: bool = False) -> None:
        """Raise InputError if nothing can be written here: before hours of work, not after."""
        self.store.write(PROBE, b"")
        self.store.remove(PROBE)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other publishers out; the release is written anywhere on this machine."""
        with lease_store(self.store, "registry"):
            yield None

    def get_state(self, finish: bool = False, remove_unexpected: bool = False) -> RegistryState:
        """Return what it holds. With `finish`, what a killed publisher left is removed, and the newest is checked."""
        versions = self.releases.versions()
        if finish:
            self._remove_unfinished(versions)
        if not versions:
            return RegistryState()
        newest = self.releases.open(versions[-1])
        if finish and (problems := newest.list_problems()):
            raise InputError(problems[0])
        return RegistryState(newest, tuple(versions), read_card(newest.fetch_files(["README.md"])))

    def _remove_unfinished(self, versions: list[str]) -> None:
        for name in sorted(self.store.sizes()):
            version = name.partition("/")[0]
            if is_version(version) and version not in versions:
                self.store.remove(name)

    def card_location(self, version: str) -> str:
        """Return the folder of a version in a registry of the usual name, as in a local registry."""
        return f"registry/{self.name}/{version}"

    def commit(self, folder: Path, manifest: Manifest, state: RegistryState, copied_from: Release | None = None) -> str:
        """Write the files of a release, its manifest last, and return its address."""
        if copied_from:
            entries = list(data_files(manifest["configs"]))
            below = copied_from.fetch_files([entry["path"] for entry in entries])
            for path, entry in zip(check_files(below, entries), entries, strict=True):
                (folder / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / entry["path"])
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        for name in [*(name for name in names if name != FILE), FILE]:
            self.store.put(folder / name, f"{manifest['version']}/{name}")
        return f"{self.uri}@{manifest['version']}"

    def yank(self, version: str, reason: str | None) -> None:
        """Record that a version is yanked; with None, that it is no longer."""
        with self.lock():
            self.store.write(STATUS_FILE, format_yanked(self.releases.yanked(), version, reason).encode())
