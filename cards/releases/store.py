"""The versions of a release in an object store: NAME/vX.Y.Z below the address of a registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cards.manifest import FILE, is_version, parse_manifest, release_files
from cards.manifest_types import Manifest
from cards.releases.files import MAX_UNEXPECTED, find_file_problem, unexpected_paths
from cards.releases.release import Release
from cards.releases.versions import sort_versions
from cards.releases.yanked import STATUS_FILE, parse_yanked
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.stores import Store, cache_folder


@dataclass(frozen=True)
class StoreReleases:
    """The versions of one name in a store. A version is there when its manifest is, which is written last."""

    store: Store

    @property
    def uri(self) -> str:
        """The address, as a person writes it."""
        return self.store.uri

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.uri.partition("?")[0].rpartition("/")[2]

    def versions(self) -> list[str]:
        """Return the versions, oldest first."""
        parts = (name.split("/") for name in self.store.sizes())
        return sort_versions(part[0] for part in parts if part[1:] == [FILE] and is_version(part[0]))

    def yanked(self) -> dict[str, str]:
        """Return the reasons of the yanked versions, by version."""
        text = self.store.read(STATUS_FILE)
        return {} if text is None else parse_yanked(text, f"{self.uri}/{STATUS_FILE}")

    def open(self, version: str) -> Release:
        """Return one of the versions.

        Raises:
            InputError: There is no such version, or its manifest is that of another.
        """
        text = self.store.read(f"{version}/{FILE}")
        if text is None:
            raise InputError(f"{self.uri} has no version {version}. `builders versions {self.uri}` lists its versions.")
        manifest = parse_manifest(text, f"{self.uri}/{version}/{FILE}")
        if (manifest["name"], manifest["version"]) != (self.name, version):
            raise InputError(
                f"{self.uri}/{version} holds {manifest['name']}@{manifest['version']}: it was renamed or replaced. "
                "Restore it, or move it away."
            )
        return Release(
            f"{self.uri}@{version}",
            manifest,
            partial(self._fetch, manifest, text),
            yanked=self.yanked().get(version),
            list_problems=partial(self._list_problems, manifest),
        )

    def _fetch(self, manifest: Manifest, text: bytes, paths: Sequence[str]) -> Path:
        """Return the folder of this machine with these files of a version; those that are as published stay."""
        folder, entries = cache_folder(self.uri) / manifest["version"], release_files(manifest)
        with atomic_path(folder / FILE) as temporary:
            temporary.write_bytes(text)
        for entry in (entry for entry in entries if entry["path"] in paths and find_file_problem(folder, entry)):
            with atomic_path(folder / entry["path"]) as temporary:
                name = f"{manifest['version']}/{entry['path']}"
                try:
                    self.store.get(name, temporary)
                except FileNotFoundError:
                    raise InputError(f"{self.uri}/{name} is missing. Restore it.") from None
        return folder

    def _list_problems(self, manifest: Manifest) -> list[str]:
        """Return a sentence for each file that the store lists otherwise than the manifest."""
        version, sizes = manifest["version"], self.store.sizes(manifest["version"])
        names = {name.removeprefix(f"{version}/"): size for name, size in sizes.items()}
        wrong = [entry["path"] for entry in release_files(manifest) if names.get(entry["path"]) != entry["size"]]
        unexpected = unexpected_paths(names, manifest)[:MAX_UNEXPECTED]
        return [f"{self.uri}@{version} does not hold '{path[:200]}' as it was published." for path in wrong] + [
            f"{self.uri}@{version} holds '{path[:200]}', which is not in its manifest." for path in unexpected
        ]


def list_store_releases(store: Store) -> list[StoreReleases]:
    """Return the releases of a registry in a store, by name."""
    parts = [name.split("/") for name in store.sizes()]
    names = {part[0] for part in parts if len(part) == 3 and is_version(part[1]) and part[2] == FILE}
    return [StoreReleases(store.below(name)) for name in sorted(names)]
