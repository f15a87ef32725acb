"""A registry that is a folder: NAME/vX.Y.Z, each version written beside the others and renamed into place."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.publishing.types import RegistryState, Release, open_folder
from builders.publishing.versions import in_order
from cards.manifest import FILE, Manifest, data_files
from corpora.errors import InputError
from corpora.files import atomic_path, locked, remove_leftovers, settle, sha256_of

STATUS = "registry.json"  # beside the versions: which of them are yanked
LOCK_TIMEOUT_S = 600.0  # seconds that a publisher waits for another


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
        """The folder, as a person names it."""
        return str(self.path)

    def check_writable(self) -> None:
        """InputError if `datasets` could not load from here."""
        if set(str(self.path.resolve())) & set("[]*?"):
            raise InputError(
                f"datasets cannot load from {self.path}: it takes [, ], * and ? for patterns. Name another folder."
            )

    @contextmanager
    def lock(self) -> Iterator[Path]:
        """Keep other publishers out, and write in the registry, on the disk where the release will lie."""
        self.check_writable()
        with locked(self.path, "registry folder", LOCK_TIMEOUT_S):
            remove_leftovers(self.path)
            yield self.path

    def versions(self) -> list[str]:
        """Its versions, oldest first."""
        return in_order(path.name for path in self.path.glob("v*") if (path / FILE).exists())

    def get_state(self, finish: bool = False) -> RegistryState:
        """Its newest version. With `finish`, for what builds upon it: InputError unless its data is as published."""
        there = self.versions()
        if not there:
            return RegistryState()
        newest = self.release(there[-1])
        if finish:
            _check_data(self.path / there[-1], newest.manifest)
        card = self.path / there[-1] / "README.md"
        return RegistryState(newest, tuple(there), card.read_text(encoding="utf-8") if card.exists() else "")

    def release(self, version: str) -> Release:
        """One of its versions."""
        return open_folder(self.path / version, self.yanked().get(version))

    def yanked(self) -> Mapping[str, str]:
        """The versions that are yanked, and why."""
        path = self.path / STATUS
        return read_status(path.read_bytes(), str(path)) if path.exists() else {}

    def card_location(self, version: str) -> str:
        """The folder of a version in a registry of the usual name: a card knows no path of this machine."""
        return f"registry/{self.name}/{version}"

    def commit(self, folder: Path, manifest: Manifest, state: RegistryState, copied_from: Release | None = None) -> str:
        """Rename a written release into place; where it is."""
        if copied_from:
            for entry in data_files(manifest["configs"]):
                (folder / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(copied_from.uri) / entry["path"], folder / entry["path"])
            _check_data(folder, manifest)
        settle(folder, self.path / manifest["version"])
        return str(self.path / manifest["version"])

    def yank(self, version: str, why: str | None) -> None:
        """Write down that a version is yanked, or no longer."""
        with self.lock(), atomic_path(self.path / STATUS) as path:
            path.write_text(status_text(self.yanked(), version, why), encoding="utf-8")


def read_status(text: bytes, where: str) -> dict[str, str]:
    """The yanked versions that a status file names, and why; InputError if it is damaged."""
    try:
        yanked: Any = json.loads(text)["yanked"]
        if all(isinstance(why, str) for why in yanked.values()):
            return {name: "".join(c if c.isprintable() else " " for c in why) for name, why in yanked.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise InputError(f'{where} is damaged: it should say {{"yanked": {{VERSION: WHY}}}}. Restore it.')


def status_text(yanked: Mapping[str, str], version: str, why: str | None) -> str:
    """The status file after a version was yanked, or with None is no longer."""
    others = {name: text for name, text in yanked.items() if name != version}
    after = others | ({version: why} if why is not None else {})
    return json.dumps({"yanked": {name: after[name] for name in in_order(after)}}, indent=2, ensure_ascii=False) + "\n"


def _check_data(release: Path, manifest: Manifest) -> None:
    """InputError unless every data file of a release stands as published: a version never changes."""
    for file in data_files(manifest["configs"]):
        path = release / file["path"]
        if not path.is_file() or path.stat().st_size != file["size"] or sha256_of(path) != file["sha256"]:
            raise InputError(f"{path} is missing or has been changed; restore it, or move {release} away.")
