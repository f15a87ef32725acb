"""The bytes behind one URL: continued where they broke off, tried again while that can help."""

import json
import re
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

from urllib3 import BaseHTTPResponse, Retry
from urllib3 import exceptions as failures

from corpora.download.http import network_trouble, open_url
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.urls import public

TRIES = 5  # in a row that bring nothing new
BACKOFF_FACTOR = 1.0  # seconds; the waits are 0, 2, 4, 8 of them
LONGEST_WAIT = 120.0  # seconds that a server's Retry-After may ask for
WORTH_NEW_TRIES = 1 << 20  # bytes that must come for the count to begin again
CHUNK = 1 << 20
PASSING = (408, 429, 500, 502, 503, 504)
FORBIDDEN = "The server asks for a permission that we do not have; name a mirror that has the file."
GONE = "The file is not there; correct the URL in the catalogue, or name a mirror that has the file."
WAYS_OUT = {401: FORBIDDEN, 403: FORBIDDEN, 404: GONE, 410: GONE}


@dataclass(frozen=True)
class Errand:
    """What to bring and where to; `tell` hears of the bytes there and the bytes expected, `stop` ends it soon."""

    url: str
    part: Path
    stop: Event
    tell: Callable[[int, int | None], None]


@dataclass(frozen=True)
class Partial:
    """What the bytes of a part are the beginning of."""

    url: str
    etag: str | None
    last_modified: str | None
    total: int | None

    @property
    def validator(self) -> str | None:
        """What `If-Range` may hold: a strong ETag, else the date of the last change (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass(frozen=True)
class Trouble:
    """Why a try failed that may go better next time, and the seconds that the server wants us to wait."""

    why: str
    wait: float = 0.0


def download(errand: Errand) -> str | None:
    """Bring all bytes of a URL into the part, after those already there, and return the ETag.

    InputError when the server refuses or the tries are used up; CancelledError soon after `stop` is set. After
    a broken connection the part stays, and the next call continues it.
    """
    retry, furthest = _fresh(), _size(errand.part)
    while trouble := _attempt(errand):
        if _size(errand.part) >= furthest + WORTH_NEW_TRIES:
            retry, furthest = _fresh(), _size(errand.part)
        retry = _next_try(retry, errand, trouble)
        errand.stop.wait(max(retry.get_backoff_time(), trouble.wait))
    saved = _read_note(errand.part)
    return saved.etag if saved else None


def discard(part: Path) -> None:
    """Remove a part and its note."""
    part.unlink(missing_ok=True)
    note_of(part).unlink(missing_ok=True)


def note_of(part: Path) -> Path:
    """The file beside a part that says what the part is the beginning of."""
    return part.with_name(part.name + ".json")


def _fresh() -> Retry:
    return Retry(total=TRIES - 1, backoff_factor=BACKOFF_FACTOR)


def _next_try(retry: Retry, errand: Errand, trouble: Trouble) -> Retry:
    """One try fewer; InputError when none is left, or when the server wants a longer wait than we honour."""
    if trouble.wait > LONGEST_WAIT:
        raise InputError(
            f"{public(errand.url)}: {trouble.why} and asked for a wait of {trouble.wait:.0f} seconds; "
            f"we wait {LONGEST_WAIT:.0f} at most. Try again later, or name a mirror."
        )
    try:
        return retry.increment("GET", error=failures.HTTPError(trouble.why))
    except failures.MaxRetryError:
        raise InputError(
            f"{public(errand.url)} could not be fetched in {TRIES} tries: {trouble.why}. {_kept(errand.part)}"
            "Check the network, try again later, or name a mirror."
        ) from None


def _kept(part: Path) -> str:
    saved, size = _read_note(part), _size(part)
    expected = f"{saved.total} expected" if saved and saved.total is not None else "an unknown number of"
    return f"{size} of {expected} bytes came and are kept for the next run. " if size else ""


def _attempt(errand: Errand) -> Trouble | None:
    """Ask once for what is missing; None when everything is there."""
    if errand.stop.is_set():
        raise CancelledError
    saved, size = _resumable(errand), _size(errand.part)
    if saved and saved.total == size:
        return None
    headers = {"Range": f"bytes={size}-", "If-Range": saved.validator or ""} if saved else {}
    try:
        with closing(open_url(errand.url, headers)) as response:
            return _answer(response, errand, saved)
    except failures.HTTPError as error:
        return Trouble(network_trouble(error, errand.url))


def _resumable(errand: Errand) -> Partial | None:
    """The note of a part that is whole or can be continued; any other part is removed."""
    saved, size = _read_note(errand.part), _size(errand.part)
    if saved and size and saved.url == public(errand.url) and _continuable(saved, size):
        return saved
    discard(errand.part)
    return None


def _continuable(saved: Partial, size: int) -> bool:
    """Whether a part is whole, or short and of a file that the server can recognise."""
    short = saved.total is None or size < saved.total
    return size == saved.total or (short and saved.validator is not None)


def _answer(response: BaseHTTPResponse, errand: Errand, saved: Partial | None) -> Trouble | None:
    """Take what the server gives: the rest, the whole, or a reason to try again; InputError for a refusal."""
    status, now = response.status, _described(response, errand.url)
    if status == 200:
        return _receive(response, now, errand, "wb")
    if status == 206 and _first_byte(response) == _size(errand.part) and _same(now, saved):
        return _receive(response, now, errand, "ab" if saved else "wb")
    if status in (206, 416):
        discard(errand.part)
        return _attempt(errand) if saved else Trouble(f"the server answered with status {status} to a plain question")
    if status in PASSING:
        return Trouble(f"the server answered with status {status}", _retry_after(response))
    way_out = WAYS_OUT.get(status, "Correct the URL in the catalogue, or name a mirror that has the file.")
    raise InputError(f"{public(errand.url)}: the server answered with status {status}. {way_out}")


def _described(response: BaseHTTPResponse, url: str) -> Partial:
    """What a response says of the whole file."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    if response.status == 206:
        named = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
        total = int(named[1]) if named else None if total is None else (_first_byte(response) or 0) + total
    return Partial(public(url), response.headers.get("ETag"), response.headers.get("Last-Modified"), total)


def _first_byte(response: BaseHTTPResponse) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _same(now: Partial, saved: Partial | None) -> bool:
    """Whether nothing in the answer speaks against its being of the file that was begun."""
    pairs = (
        [(now.etag, saved.etag), (now.last_modified, saved.last_modified), (now.total, saved.total)] if saved else []
    )
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


def _receive(response: BaseHTTPResponse, now: Partial, errand: Errand, mode: str) -> Trouble | None:
    """Write the body to the part; the note stands before the first byte, so that a kill leaves both."""
    with errand.part.open(mode) as file:
        if mode == "wb":
            _write_note(errand.part, now)
        size = _size(errand.part)
        while chunk := response.read1(CHUNK, decode_content=False):
            file.write(chunk)
            size += len(chunk)
            errand.tell(size, now.total)
            if errand.stop.is_set():
                raise CancelledError
    return (
        Trouble("the server sent another number of bytes than it announced") if now.total not in (None, size) else None
    )


def _retry_after(response: BaseHTTPResponse) -> float:
    """Seconds that `Retry-After` asks for, 0 if it is missing or cannot be read."""
    try:
        return Retry().get_retry_after(response) or 0.0
    except failures.InvalidHeader:
        return 0.0


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read_note(part: Path) -> Partial | None:
    try:
        return Partial(**json.loads(note_of(part).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write_note(part: Path, partial: Partial) -> None:
    with atomic_path(note_of(part)) as temporary:
        temporary.write_text(json.dumps(asdict(partial)) + "\n", encoding="utf-8")
