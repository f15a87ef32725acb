"""A URL becomes a verified file: resume by Range, sha256, temporary name, rename."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from corpora.download.file_type import check_magic, check_whole
from corpora.download.lock_file import Entries, Expected, clean, complaint, expected_by, read_lock, record
from corpora.download.sidecar import Sidecar, beside, current, read_sidecar, write_sidecar
from corpora.download.transfer import Errand, discard, download, note_of
from corpora.errors import InputError
from corpora.files import atomic_path, remove_leftovers
from corpora.urls import disk_name, is_url, mirror_folder, on_mirror, path_name, public

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Source:
    """Where a corpus in a language lies: an http(s) URL or an absolute path, and the digest the catalogue pins."""

    corpus: str
    lang: str
    url: str
    sha256: str | None


@dataclass(frozen=True)
class Fetched:
    """A source whose file is here, whole, and agrees with every digest that is known of it."""

    source: Source
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class Wanted:
    """One file to have, for the sources that share it: its URL or path, as asked for and as it may be shown."""

    url: str
    shown: str
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class Run:
    """What the files of one pull share; `guard` lets one thread at a time at the lock file and at `progress`."""

    folder: Path
    lock: Path
    mirror: str | None
    offline: bool
    progress: Progress | None
    stop: Event = field(default_factory=Event)
    guard: Lock = field(default_factory=Lock)


Held = tuple[Path, str, int]  # path, sha256, size


def pull(
    sources: Sequence[Source],
    folder: Path,
    lock: Path,
    *,
    mirror: str | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    workers: int = 4,
) -> list[Fetched]:
    """The files of `sources`, in their order: from `folder` where they are there already, else from the network.

    `mirror` is a URL that stands in for scheme and host, or a folder whose files are used in place. `progress`
    hears a file's name, the bytes there and the bytes expected, from one thread at a time. InputError if a source
    cannot be had or is not what the lock file or the catalogue names. Two pulls must not share `folder` at once.
    """
    clean(lock)
    for below in (folder, *folder.rglob("*/")):
        remove_leftovers(below)  # of killed runs
    run = Run(folder.absolute(), lock, mirror, offline, progress)
    wanted = _wanted(sources, lock)
    _check_places(run, wanted)
    held = dict(zip((want.shown for want in wanted), _obtain_all(run, wanted, workers), strict=True))
    _check_held(run, held)
    pairs = ((source, held[_shown(source)]) for source in sources)
    return [Fetched(source, *file) for source, file in pairs if file]


def _wanted(sources: Sequence[Source], lock: Path) -> list[Wanted]:
    """Each file once, with what the lock file and the catalogue expect of it."""
    entries, shared = read_lock(lock), dict[str, list[Source]]()
    for source in sources:
        shared.setdefault(_shown(source), []).append(source)
    return [Wanted(group[0].url, shown, _expected(shown, group, lock, entries)) for shown, group in shared.items()]


def _shown(source: Source) -> str:
    if is_url(source.url):
        return public(source.url)
    if not Path(source.url).is_absolute():
        raise InputError(f"{source.corpus} ({source.lang}): {source.url!r} is neither an http(s) URL nor a full path.")
    return source.url


def _expected(shown: str, sources: Iterable[Source], lock: Path, entries: Entries) -> tuple[Expected, ...]:
    pins = (
        Expected(source.sha256.lower(), None, f"the catalogue ({source.corpus}, {source.lang})", "correct its sha256")
        for source in sources
        if source.sha256
    )
    return (*(expected_by(lock, entries, shown) if is_url(shown) else ()), *pins)


def _check_places(run: Run, wanted: Iterable[Wanted]) -> None:
    """InputError unless every URL has a safe name of its own on disk, and the mirror is one."""
    claimed: dict[Path, str] = {}
    mirror_folder(run.mirror)
    for want in wanted:
        for path in _names(run, want) if is_url(want.url) else ():
            if claimed.setdefault(path, want.shown) != want.shown:
                raise InputError(f"{want.shown} and {claimed[path]} would both be kept as {path}. Name one of them.")


def _names(run: Run, want: Wanted) -> tuple[Path, ...]:
    """The files that belong to a URL: its own, its sidecar, its part, and the part's note."""
    path = run.folder / disk_name(want.url)
    return path, beside(path), _part(path), note_of(_part(path))


def _obtain_all(run: Run, wanted: Sequence[Wanted], workers: int) -> list[Held | None]:
    """Every file, by several threads; the first error in the order of `wanted` once the files under way are done."""
    pool = ThreadPoolExecutor(max(1, workers))
    try:
        futures = [pool.submit(_obtain, run, want) for want in wanted]
        # In short waits: where Polars is imported, Ctrl-C does not wake a thread that waits for a lock.
        while wait(futures, 0.2, FIRST_EXCEPTION).not_done and not any(_failed(future) for future in futures):
            pass
        pool.shutdown(cancel_futures=True)
    except BaseException:
        run.stop.set()
        pool.shutdown(cancel_futures=True)
        raise
    return [future.result() for future in futures if not future.cancelled()]


def _failed(future: Future[Held | None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is not None


def _obtain(run: Run, want: Wanted) -> Held | None:
    """One file and its entry in the lock file; None if it is not here and the run is offline."""
    place = _place(run, want)
    if place:
        held: Held | None = _in_place(run, want, place)
    else:
        held = _cached(run, want) or (None if run.offline else _fetch(run, want))
    if held and is_url(want.url):
        with run.guard:
            record(run.lock, want.shown, held[1], held[2])
    return held


def _place(run: Run, want: Wanted) -> Path | None:
    """Where a file lies that is used in place, or None if it is one to fetch."""
    if not is_url(want.url):
        return Path(want.url)
    folder = mirror_folder(run.mirror)
    return folder / path_name(want.url) if folder else None


def _in_place(run: Run, want: Wanted, path: Path) -> Held:
    """A local file as it is, its digest remembered under `folder/local`."""
    if not path.is_file():
        what = f"the mirror should hold {want.shown} there" if is_url(want.url) else "the catalogue names it"
        raise InputError(f"There is no file {path}; {what}. Put it there, or correct the path.")
    note = run.folder / "local" / f"{hashlib.sha256(str(path).encode()).hexdigest()}.json"
    saved = read_sidecar(note)
    now = current(path, saved, want.shown, str(path))
    check_magic(path, want.url, _named(want, str(path)))
    _insist(complaint(_named(want, str(path)), now.sha256, now.size, want.expected))
    if now != saved:
        write_sidecar(note, now)
    return path, now.sha256, now.size


def _cached(run: Run, want: Wanted) -> Held | None:
    """The file in the folder, if it came from where we would fetch it and has the digest that it must have.

    Offline it may have come from anywhere, and a wrong digest is an InputError.
    """
    path = run.folder / disk_name(want.url)
    saved = read_sidecar(beside(path))
    saved = saved if saved and saved.url == want.shown else None
    usual = saved is not None and saved.fetched_from == public(on_mirror(want.url, run.mirror))
    expected = want.expected or ((_as_fetched(saved, path),) if saved else ())
    if not path.is_file() or not expected or not (usual or run.offline):
        return None
    now = current(path, saved, want.shown, saved.fetched_from if saved else "", saved.etag if saved else None)
    wrong = complaint(_named(want, str(path)), now.sha256, now.size, expected)
    if run.offline:
        _insist(wrong)
    if wrong:
        return None
    if now != saved:
        write_sidecar(beside(path), now)
    return path, now.sha256, now.size


def _as_fetched(saved: Sidecar, path: Path) -> Expected:
    return Expected(saved.sha256, saved.size, f"its sidecar {beside(path)}", "remove the sidecar and the file")


def _fetch(run: Run, want: Wanted) -> Held:
    """The file from the network, under its name only when it is whole and what it should be."""
    place, path = on_mirror(want.url, run.mirror), run.folder / disk_name(want.url)
    part = _part(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    etag = download(Errand(place, part, run.stop, _teller(run, want)))
    try:
        check_magic(part, want.url, _named(want, public(place)))
        check_whole(part, _named(want, public(place)))
        now = current(part, None, want.shown, public(place), etag)
        _insist(complaint(_named(want, public(place)), now.sha256, now.size, want.expected))
    except InputError:
        discard(part)
        raise
    write_sidecar(beside(path), now)  # before the rename: a kill in between leaves a whole part
    with atomic_path(path) as temporary:
        os.replace(part, temporary)
    discard(part)
    return path, now.sha256, now.size


def _teller(run: Run, want: Wanted) -> Callable[[int, int | None], None]:
    def tell(done: int, total: int | None) -> None:
        if run.progress:
            with run.guard:
                run.progress(str(disk_name(want.url)), done, total)

    return tell


def _check_held(run: Run, held: dict[str, Held | None]) -> None:
    missing = [shown for shown, file in held.items() if file is None]
    if missing:
        raise InputError(
            f"There is no network in an offline run, and {run.folder} does not hold: {', '.join(missing)}. "
            "`builders pull` with a network fetches what is missing."
        )


def _named(want: Wanted, place: str) -> str:
    """A file for a message: what was wanted, and where it was found if that is elsewhere."""
    return want.shown if place == want.shown else f"{want.shown} (from {place})"


def _insist(wrong: str | None) -> None:
    if wrong:
        raise InputError(wrong)


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")
