"""A local folder whose finished files are in a store too: fetched when needed, and put there with their seal last."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from corpora.files import move_into_place, remove_sealed, seal_path, sealed_path, sha256_of, temporary_folder
from corpora.stores.store import Store

OTHER = {"parquet": "sha256", "sha256": "parquet"}  # the ending of a file's seal, and of a seal's file


@dataclass
class StagedFolder:
    """A folder of this machine, and the store that has its finished files under the same names.

    The store's list of files is read once, since a lease keeps other runs out.
    """

    store: Store
    folder: Path
    _sizes: dict[str, int] = field(init=False)
    _digests: dict[str, str] = field(default_factory=dict)  # of files in the store, as far as this run knows them

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._sizes = self.store.sizes()

    def names(self) -> set[str]:
        """Return the names of the files in the store."""
        with self._lock:
            return set(self._sizes)

    def fetch(self, path: Path) -> None:
        """Make a sealed file of the store a local one, unless it is there; the store's is removed if it is damaged."""
        with self._lock:
            is_finished = self._name(path) in self._sizes and self._name(seal_path(path)) in self._sizes
        if path.exists() or not is_finished:
            return
        try:
            with sealed_path(path) as temporary:
                self._get_verified(path, temporary)
        except _Damaged:
            self.remove(path)

    def _get_verified(self, path: Path, temporary: Path) -> None:
        seal = (self.store.read(self._name(seal_path(path))) or b"").split()
        try:
            self.store.get(self._name(path), temporary)
        except FileNotFoundError:
            raise _Damaged from None
        if not seal or sha256_of(temporary) != seal[0].decode(errors="replace"):
            raise _Damaged

    def commit(self, path: Path) -> None:
        """Put a sealed file, and its seal last: a file without a seal is not finished."""
        self.put(path)
        self.put(seal_path(path))

    def put(self, path: Path) -> None:
        """Put a file, in the place of an earlier one."""
        self.store.put(path, self._name(path))
        with self._lock:
            self._sizes[self._name(path)] = path.stat().st_size

    def remove(self, path: Path) -> None:
        """Remove a sealed file here and in the store, there its seal first."""
        remove_sealed(path)
        for name in (self._name(seal_path(path)), self._name(path)):
            if name in self.names():
                self._remove(name)

    def clean(self, is_ours: Callable[[str], bool]) -> None:
        """Remove those of our files and seals in the store that are not both there: a killed run left them."""
        names = self.names()
        for name in sorted(filter(is_ours, names)):
            stem, _, ending = name.rpartition(".")
            if f"{stem}.{OTHER[ending]}" not in names:
                self._remove(name)

    def pull(self, folder: str, keep: Callable[[Path], Path] | None = None) -> None:
        """Fetch the files below a folder that differ from those here.

        Args:
            folder: Its name.
            keep: Where a file goes that is replaced or that the store lacks, as this machine may have changed it before
                a kill.
        """
        for name in sorted(name for name in self.names() if name.startswith(f"{folder}/")):
            path = self.folder / name
            with temporary_folder(self.folder / folder) as temporary:
                self.store.get(name, copy := temporary / path.name)
                self._digests[name] = sha256_of(copy)
                if path.exists() and self._digests[name] == sha256_of(path):
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                if keep and path.exists():
                    path.rename(keep(path))
                move_into_place(copy, path)
        for path in [path for path in (self.folder / folder).rglob("*") if keep and path.is_file()]:
            if keep and self._name(path) not in self.names() and (kept := keep(path)) != path:
                path.rename(kept)

    def push(self, folder: str, is_left_out: Callable[[Path], bool] = lambda path: False) -> None:
        """Put the files below a folder that the store has not or has otherwise, and remove those that are gone here."""
        paths = [path for path in (self.folder / folder).rglob("*") if path.is_file() and not is_left_out(path)]
        here = {name for name in map(self._name, paths) if "/." not in f"/{name}"}
        for name in sorted(here):
            digest = sha256_of(self.folder / name)
            if digest != self._digests.get(name) or name not in self.names():
                self.put(self.folder / name)
                self._digests[name] = digest
        for name in sorted(name for name in self.names() - here if name.startswith(f"{folder}/")):
            self._remove(name)

    def _remove(self, name: str) -> None:
        self.store.remove(name)
        with self._lock:
            self._sizes.pop(name, None)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


class _Damaged(Exception):
    """A file of the store has other bytes than its seal states."""
