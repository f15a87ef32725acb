"""Turn URLs into verified files: resume by Range, check the SHA-256, write under a temporary name, rename."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import NamedTuple

from corpora.download.file_type import check_file_type, check_integrity
from corpora.download.lock_file import Entries, Expected, add_entry, expected_by, find_mismatch, read_lock, remove_parts
from corpora.download.sidecar import Sidecar, read_sidecar, sidecar_path, update_sidecar, write_sidecar
from corpora.download.transfer import DownloadRequest, discard_part, download, state_path
from corpora.errors import InputError
from corpora.files import atomic_path, remove_leftovers
from corpora.urls import disk_path, is_url, mirror_folder, on_mirror, public_url, url_path

OnBytes = Callable[[str, int, int | None], None]  # file, bytes that are here, bytes expected


@dataclass(frozen=True)
class Source:
    """The http(s) URL or absolute path of a corpus in a language, and the SHA-256 that the catalogue gives for it."""

    corpus: str
    lang: str
    url: str
    sha256: str | None


@dataclass(frozen=True, repr=False)
class SourceFile:
    """A source's file on this machine: complete, and as the lock file and the catalogue say."""

    source: Source
    path: Path
    sha256: str
    size: int

    def __repr__(self) -> str:
        return f"<SourceFile {self.source.corpus} ({self.source.lang}): {self.path}, {self.size:,} bytes>"


@dataclass(frozen=True)
class _Target:
    """One file to obtain, for all sources that share it."""

    url: str  # or an absolute path
    label: str  # the same as it may be shown and written down
    expected: tuple[Expected, ...]


class _LocalFile(NamedTuple):
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class _Context:
    """What the files of one pull share; `mutex` lets one thread at a time at the lock file and at `on_bytes`."""

    folder: Path
    lock: Path
    mirror: str | None
    offline: bool
    on_bytes: OnBytes | None
    stop: Event = field(default_factory=Event)
    mutex: Lock = field(default_factory=Lock)


def pull_sources(
    sources: Sequence[Source],
    folder: Path,
    lock: Path,
    *,
    mirror: str | None = None,
    offline: bool = False,
    on_bytes: OnBytes | None = None,
    workers: int = 4,
) -> list[SourceFile]:
    """Return the files of sources, in their order: those in `folder`, and the others after a download.

    Two calls must not share `folder` at the same time.

    Args:
        sources: What to obtain.
        folder: Downloads, as `HOST/PATH`.
        lock: The lock file; it receives an entry for each new URL.
        mirror: A URL that replaces scheme and host, or a folder whose files are used where they are.
        offline: Download nothing.
        on_bytes: Is called with a file's name, its bytes on disk and the bytes expected, by one thread at a time.
        workers: Number of simultaneous downloads.

    Raises:
        InputError: A source cannot be obtained, or is not what the lock file or the catalogue names.
    """
    remove_parts(lock)
    for below in (folder, *folder.rglob("*/")):
        remove_leftovers(below)  # of killed runs
    context = _Context(folder.absolute(), lock, mirror, offline, on_bytes)
    targets = _targets(sources, lock)
    _check_paths(context, targets)
    files = dict(zip((target.label for target in targets), _obtain_all(context, targets, workers), strict=True))
    _check_complete(context, files)
    pairs = ((source, files[_label(source)]) for source in sources)
    return [SourceFile(source, *file) for source, file in pairs if file]


def missing_sources(sources: Iterable[Source], folder: Path, mirror: str | None = None) -> list[Source]:
    """Return the sources whose files are not on this machine: neither in `folder` nor where they are used in place."""
    local = mirror_folder(mirror)

    def path_of(url: str) -> Path:
        if not is_url(url):
            return Path(url)
        return local / url_path(url) if local else folder / disk_path(url)

    return [source for source in sources if not path_of(source.url).is_file()]


def _targets(sources: Sequence[Source], lock: Path) -> list[_Target]:
    """Return each file once, with what the lock file and the catalogue expect of it."""
    entries, groups = read_lock(lock), dict[str, list[Source]]()
    for source in sources:
        groups.setdefault(_label(source), []).append(source)
    return [_Target(group[0].url, label, _expected(label, group, lock, entries)) for label, group in groups.items()]


def _label(source: Source) -> str:
    if is_url(source.url):
        return public_url(source.url)
    if not Path(source.url).is_absolute():
        raise InputError(f"{source.corpus} ({source.lang}): {source.url!r} is neither an http(s) URL nor a full path.")
    return source.url


def _expected(label: str, sources: Iterable[Source], lock: Path, entries: Entries) -> tuple[Expected, ...]:
    pins = (
        Expected(source.sha256.lower(), None, f"the catalogue ({source.corpus}, {source.lang})", "correct its sha256")
        for source in sources
        if source.sha256
    )
    return (*(expected_by(lock, entries, label) if is_url(label) else ()), *pins)


def _check_paths(context: _Context, targets: Iterable[_Target]) -> None:
    """Raise InputError unless every URL has a safe path of its own on disk, and the mirror is valid."""
    owners: dict[Path, str] = {}
    mirror_folder(context.mirror)
    for target in targets:
        for path in _paths(context, target) if is_url(target.url) else ():
            if owners.setdefault(path, target.label) != target.label:
                raise InputError(
                    f"{target.label} and {owners[path]} would both be kept as {path}. Leave one of them out."
                )


def _paths(context: _Context, target: _Target) -> tuple[Path, ...]:
    """Return the files that belong to a URL: its own, its sidecar, its part, and the part's state."""
    path = context.folder / disk_path(target.url)
    return path, sidecar_path(path), _part_path(path), state_path(_part_path(path))


def _obtain_all(context: _Context, targets: Sequence[_Target], workers: int) -> list[_LocalFile | None]:
    """Return every file, obtained by several threads.

    The first error in the order of `targets` is raised once the running downloads have ended.
    """
    pool = ThreadPoolExecutor(max(1, workers))
    try:
        futures = [pool.submit(_obtain, context, target) for target in targets]
        # In short waits: where Polars is imported, Ctrl-C does not wake a thread that waits for a lock.
        while wait(futures, 0.2, FIRST_EXCEPTION).not_done and not any(_has_failed(future) for future in futures):
            pass
        pool.shutdown(cancel_futures=True)
    except BaseException:
        context.stop.set()
        pool.shutdown(cancel_futures=True)
        raise
    return [future.result() for future in futures if not future.cancelled()]


def _has_failed(future: Future[_LocalFile | None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is not None


def _obtain(context: _Context, target: _Target) -> _LocalFile | None:
    """Return one file, with its entry in the lock file; None if it is not here and the run is offline."""
    if path := _local_path(context, target):
        file: _LocalFile | None = _use_in_place(context, target, path)
    else:
        file = _find_cached(context, target) or (None if context.offline else _download(context, target))
    if file and is_url(target.url):
        with context.mutex:
            add_entry(context.lock, target.label, file.sha256, file.size)
    return file


def _local_path(context: _Context, target: _Target) -> Path | None:
    """Return the path of a file that is used where it is; None if it is downloaded."""
    if not is_url(target.url):
        return Path(target.url)
    folder = mirror_folder(context.mirror)
    return folder / url_path(target.url) if folder else None


def _use_in_place(context: _Context, target: _Target, path: Path) -> _LocalFile:
    """Return a local file as it is; its digest is remembered below `folder/local`."""
    if not path.is_file():
        reason = f"the mirror should hold {target.label} there" if is_url(target.url) else "the catalogue names it"
        raise InputError(f"There is no file {path}; {reason}. Put it there, or correct the path.")
    sidecar = context.folder / "local" / f"{hashlib.sha256(str(path).encode()).hexdigest()}.json"
    saved = read_sidecar(sidecar)
    now = update_sidecar(path, saved, target.label, str(path))
    check_file_type(path, target.url, _name(target, str(path)))
    _raise_if(find_mismatch(_name(target, str(path)), now.sha256, now.size, target.expected))
    if now != saved:
        write_sidecar(sidecar, now)
    return _LocalFile(path, now.sha256, now.size)


def _find_cached(context: _Context, target: _Target) -> _LocalFile | None:
    """Return the downloaded file, if it came from where it would be downloaded now and has the expected digest.

    Offline it may have come from anywhere, and a wrong digest is an InputError.
    """
    path = context.folder / disk_path(target.url)
    saved = read_sidecar(sidecar_path(path))
    saved = saved if saved and saved.url == target.label else None
    is_same_origin = saved is not None and saved.downloaded_from == public_url(on_mirror(target.url, context.mirror))
    expected = target.expected or ((_expected_by_sidecar(saved, path),) if saved else ())
    if not path.is_file() or not expected or not (is_same_origin or context.offline):
        return None
    origin, etag = (saved.downloaded_from, saved.etag) if saved else ("", None)
    now = update_sidecar(path, saved, target.label, origin, etag)
    mismatch = find_mismatch(_name(target, str(path)), now.sha256, now.size, expected)
    if context.offline:
        _raise_if(mismatch)
    if mismatch:
        return None
    if now != saved:
        write_sidecar(sidecar_path(path), now)
    return _LocalFile(path, now.sha256, now.size)


def _expected_by_sidecar(saved: Sidecar, path: Path) -> Expected:
    return Expected(saved.sha256, saved.size, f"its sidecar {sidecar_path(path)}", "remove the sidecar and the file")


def _download(context: _Context, target: _Target) -> _LocalFile:
    """Download a file; it receives its name once it is complete and as expected."""
    url, path = on_mirror(target.url, context.mirror), context.folder / disk_path(target.url)
    part, name = _part_path(path), _name(target, public_url(url))
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = download(DownloadRequest(url, part, context.stop, _byte_callback(context, target)))
    try:
        check_file_type(part, target.url, name, stated.content_type if stated else "")
        check_integrity(part, name)
        now = update_sidecar(part, None, target.label, public_url(url), stated.etag if stated else None)
        _raise_if(find_mismatch(name, now.sha256, now.size, target.expected))
    except InputError:
        discard_part(part)
        raise
    write_sidecar(sidecar_path(path), now)  # before the rename: a kill in between leaves a complete part
    with atomic_path(path) as temporary:
        os.replace(part, temporary)
    discard_part(part)
    return _LocalFile(path, now.sha256, now.size)


def _byte_callback(context: _Context, target: _Target) -> Callable[[int, int | None], None]:
    def report(done: int, total: int | None) -> None:
        if context.on_bytes:
            with context.mutex:
                context.on_bytes(str(disk_path(target.url)), done, total)

    return report


def _check_complete(context: _Context, files: dict[str, _LocalFile | None]) -> None:
    missing = [label for label, file in files.items() if file is None]
    if missing:
        raise InputError(
            f"This run is offline, and {context.folder} does not hold: {', '.join(missing)}. "
            "Run `builders pull` with a network to download what is missing."
        )


def _name(target: _Target, location: str) -> str:
    """Return a file's name for messages: its URL, and where it was found if that is elsewhere."""
    return target.label if location == target.label else f"{target.label} (from {location})"


def _raise_if(mismatch: str | None) -> None:
    if mismatch:
        raise InputError(mismatch)


def _part_path(path: Path) -> Path:
    return path.with_name(path.name + ".part")
