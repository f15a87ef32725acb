"""How many bytes a pull would download, found out without downloading: from files, the lock file, or the server."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from urllib3.exceptions import HTTPError

from corpora.download.http import open_url
from corpora.download.lock_file import read_lock
from corpora.download.sources import Source
from corpora.errors import InputError
from corpora.urls import disk_path, is_url, mirror_folder, on_mirror, public_url, url_path

WORKERS = 8


@dataclass(frozen=True)
class FileSize:
    """The size of one file of a corpus, and where it is known from."""

    source: Source
    num_bytes: int | None  # None: not known
    origin: str  # `here` (nothing to download), `lock file`, `server`, or why the size is not known

    @property
    def to_download(self) -> int:
        """Bytes to download, 0 where the file is here or its size is not known."""
        return 0 if self.origin == "here" else self.num_bytes or 0


def find_sizes(
    sources: Sequence[Source], folder: Path, lock: Path, *, mirror: str | None = None, offline: bool = False
) -> list[FileSize]:
    """Return the size of each file that `pull` would use with the same arguments; each URL once."""
    sizes = {url: int(entry["size"]) for url, entry in read_lock(lock).items()}
    each = list({source.url: source for source in sources}.values())
    look = partial(_size, folder=folder, sizes=sizes, mirror=mirror, offline=offline)
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(look, each))


def _size(source: Source, folder: Path, sizes: dict[str, int], mirror: str | None, offline: bool) -> FileSize:
    path = _local_path(source.url, folder, mirror)
    if path.is_file():
        return FileSize(source, path.stat().st_size, "here")
    if not is_url(source.url) or mirror_folder(mirror):
        return FileSize(source, None, f"there is no file {path}")
    if (size := sizes.get(public_url(source.url))) is not None:
        return FileSize(source, size, "lock file")
    return FileSize(source, None, "offline") if offline else _ask(source, on_mirror(source.url, mirror))


def _local_path(url: str, folder: Path, mirror: str | None) -> Path:
    """Return where a file is, or where a pull would put it."""
    if not is_url(url):
        return Path(url)
    instead = mirror_folder(mirror)
    return instead / url_path(url) if instead else folder / disk_path(url)


def _ask(source: Source, url: str) -> FileSize:
    """Ask the server for the headers of a file."""
    try:
        response = open_url(url, {})
    except (HTTPError, InputError) as error:
        return FileSize(source, None, f"the server could not be asked ({type(error).__name__})")
    response.close()
    length = response.headers.get("Content-Length", "")
    if response.status != 200:
        return FileSize(source, None, f"the server answers {response.status}")
    return FileSize(source, int(length), "server") if length.isdigit() else FileSize(source, None, "not stated")
