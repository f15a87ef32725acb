"""Work folders in a store: the folder of this machine that stands for one, as a run or a look at a build needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builders.pipeline import read_build_manifest
from builders.translation import as_batch
from corpora.leases import lease_folder
from corpora.stores import StagedFolder, Store, cache_folder, lease_store, store_uri

BUILDS, MEMORY = "builds", "memory"  # the folders of build manifests, and of the translation memory


@contextmanager
def staged_work(uri: str, folder: Path) -> Iterator[StagedFolder]:
    """Yield the folder of a store, for this run alone; the translation memory is the same at both ends.

    Args:
        uri: The address of the store.
        folder: The folder of this machine, whose lease this run has.
    """
    store = Store(uri)
    with lease_store(store, "work folder"):
        staged = _open(store, folder)
        try:
            yield staged
        finally:
            staged.push(MEMORY, lambda path: path.is_relative_to(folder / MEMORY / "models"))


def _open(store: Store, folder: Path) -> StagedFolder:
    staged = StagedFolder(store, folder)
    staged.pull(BUILDS)
    staged.pull(MEMORY, as_batch)
    return staged


def local_work(work: str | Path) -> Path:
    """Return a work folder that can be read: of a store, a folder of this machine with its builds and their files.

    Raises:
        InputError: The store cannot be read, or a run of this machine uses it.
    """
    uri = store_uri(work)
    if not uri:
        return Path(work)
    folder = cache_folder(uri)
    with lease_folder(folder, "work folder"):
        staged = _open(Store(uri), folder)
        for build in (folder / BUILDS).glob("*.json"):
            for task in read_build_manifest(build)["tasks"]:
                staged.fetch(folder / task)
    return folder


@contextmanager
def changed_work(work: str | Path) -> Iterator[Path]:
    """Yield a work folder whose translation memory the block changes; that of a store is put there at the end."""
    uri = store_uri(work)
    if not uri:
        yield Path(work)
        return
    folder = cache_folder(uri)
    with lease_folder(folder, "work folder"), staged_work(uri, folder):
        yield folder
