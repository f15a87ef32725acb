"""Download one URL: a broken download is continued, and attempts are repeated while that can help."""

import json
import re
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from time import monotonic

from urllib3 import BaseHTTPResponse, Retry
from urllib3 import exceptions as failures

from corpora.download.http import describe_network_error, open_url
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.hub import LOGIN_HINT, is_hub_url
from corpora.limits import hint, limit
from corpora.strict_json import load_json
from corpora.urls import public_url

MAX_ATTEMPTS = 5  # in a row that bring nothing new
BACKOFF_FACTOR = 1.0  # seconds; the waits are 0, 2, 4, 8 of them
MAX_RETRY_AFTER_S = 120.0
RESET_BYTES = 1 << 20  # bytes that must arrive for the count of attempts to begin again
CHUNK_BYTES = 1 << 20
RETRY_STATUSES = (408, 429, 500, 502, 503, 504)
STATED = ("ETag", "Last-Modified", "Content-Type")
FORBIDDEN = "The server refuses access; name a mirror that has the file."
GONE = "The file is not there; correct the URL in the catalogue, or name a mirror that has the file."
GATED = f"If it is gated, accept its terms on its page on the Hub. {LOGIN_HINT}"
HINTS = {401: FORBIDDEN, 403: FORBIDDEN, 404: GONE, 410: GONE}


@dataclass(frozen=True)
class DownloadRequest:
    """A URL and the file for its bytes. `on_bytes` receives bytes on disk and bytes expected; `stop` ends it soon."""

    url: str
    part: Path
    stop: Event
    on_bytes: Callable[[int, int | None], None]


@dataclass(frozen=True)
class PartialDownload:
    """What a state file is the beginning of."""

    url: str
    etag: str | None
    last_modified: str | None
    total: int | None
    content_type: str = ""

    @property
    def validator(self) -> str | None:
        """The value of `If-Range`: a strong ETag, else the date of the last change (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass(frozen=True)
class FailedAttempt:
    """Why an attempt failed that may succeed later, and the seconds that the server asks to wait."""

    reason: str
    wait: float = 0.0


def download(request: DownloadRequest) -> PartialDownload | None:
    """Download all bytes of a URL into the part, after those already there, and return what the server stated.

    After a broken connection the part stays, and the next call continues it.

    Raises:
        InputError: The server refuses, or no attempt is left.
        CancelledError: `stop` was set.
    """
    retry, furthest = _new_retry(), _size(request.part)
    while failure := _attempt(request):
        if _size(request.part) >= furthest + RESET_BYTES:
            retry, furthest = _new_retry(), _size(request.part)
        retry = _next_attempt(retry, request, failure)
        request.stop.wait(max(retry.get_backoff_time(), failure.wait))
    return _read_state(request.part)


def discard_part(part: Path) -> None:
    """Remove a part and its state."""
    part.unlink(missing_ok=True)
    state_path(part).unlink(missing_ok=True)


def state_path(part: Path) -> Path:
    """Return the path of the file that says what a part is the beginning of."""
    return part.with_name(part.name + ".json")


def _new_retry() -> Retry:
    return Retry(total=MAX_ATTEMPTS - 1, backoff_factor=BACKOFF_FACTOR)


def _next_attempt(retry: Retry, request: DownloadRequest, failure: FailedAttempt) -> Retry:
    """Return the retry with one attempt fewer; InputError if none is left or the server asks to wait too long."""
    if failure.wait > MAX_RETRY_AFTER_S:
        raise InputError(
            f"{public_url(request.url)}: {failure.reason} and asked for a wait of {failure.wait:.0f} seconds; "
            f"the limit is {MAX_RETRY_AFTER_S:.0f}. Try again later, or name a mirror."
        )
    try:
        return retry.increment("GET", error=failures.HTTPError(failure.reason))
    except failures.MaxRetryError:
        raise InputError(
            f"{public_url(request.url)} could not be downloaded in {MAX_ATTEMPTS} attempts: {failure.reason}. "
            f"{_progress_made(request.part)}"
            "Check the network, try again later, or name a mirror."
        ) from None


def _progress_made(part: Path) -> str:
    saved, size = _read_state(part), _size(part)
    expected = f"{saved.total} expected" if saved and saved.total is not None else "an unknown number of"
    return f"{size} of {expected} bytes have arrived and are kept for the next run. " if size else ""


def _attempt(request: DownloadRequest) -> FailedAttempt | None:
    """Request the missing bytes once; None if the download is complete."""
    if request.stop.is_set():
        raise CancelledError
    saved, size = _resumable(request), _size(request.part)
    if saved and saved.total == size:
        return None
    headers = {"Range": f"bytes={size}-", "If-Range": saved.validator or ""} if saved else {}
    try:
        with closing(open_url(request.url, headers)) as response:
            return _answer(response, request, saved)
    except failures.HTTPError as error:
        return FailedAttempt(describe_network_error(error, request.url))


def _resumable(request: DownloadRequest) -> PartialDownload | None:
    """Return the state of a part that is complete or can be continued; any other part is removed."""
    saved, size = _read_state(request.part), _size(request.part)
    if saved and size and saved.url == public_url(request.url) and _is_continuable(saved, size):
        return saved
    discard_part(request.part)
    return None


def _is_continuable(saved: PartialDownload, size: int) -> bool:
    """Return whether a part is complete, or incomplete and of a file that the server can recognise."""
    is_incomplete = saved.total is None or size < saved.total
    return size == saved.total or (is_incomplete and saved.validator is not None)


def _answer(
    response: BaseHTTPResponse, request: DownloadRequest, saved: PartialDownload | None
) -> FailedAttempt | None:
    """Take the rest, the whole file, or a reason for another attempt; InputError if the server refuses."""
    status, now = response.status, _describe(response, request.url)
    if status == 200:
        return _receive(response, now, request, "wb")
    if status == 206 and _first_byte(response) == _size(request.part) and _is_same_file(now, saved):
        return _receive(response, now, request, "ab" if saved else "wb")
    if status in (206, 416):
        discard_part(request.part)
        return (
            _attempt(request)
            if saved
            else FailedAttempt(f"the server answered with status {status} to a request without a range")
        )
    if status in RETRY_STATUSES:
        return FailedAttempt(f"the server answered with status {status}", _retry_after(response))
    hint = HINTS.get(status, "Correct the URL in the catalogue, or name a mirror that has the file.")
    hint = GATED if hint == FORBIDDEN and is_hub_url(request.url) else hint
    raise InputError(f"{public_url(request.url)}: the server answered with status {status}. {hint}")


def _describe(response: BaseHTTPResponse, url: str) -> PartialDownload:
    """Return what a response states about the whole file."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    if response.status == 206:
        named = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
        total = int(named[1]) if named else None if total is None else (_first_byte(response) or 0) + total
    etag, last_modified, content_type = (response.headers.get(name) for name in STATED)
    return PartialDownload(public_url(url), etag, last_modified, total, content_type or "")


def _first_byte(response: BaseHTTPResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _is_same_file(now: PartialDownload, saved: PartialDownload | None) -> bool:
    """Return whether the response is of the file that was begun, by all that both of them state."""
    pairs = (
        [(now.etag, saved.etag), (now.last_modified, saved.last_modified), (now.total, saved.total)] if saved else []
    )
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


def _receive(
    response: BaseHTTPResponse, now: PartialDownload, request: DownloadRequest, mode: str
) -> FailedAttempt | None:
    """Write the body to the part; its state is written before the first byte, so that a kill leaves both."""
    with request.part.open(mode) as file:
        if mode == "wb":
            _write_state(request.part, now)
        size = _size(request.part)
        _check_size(now, now.total or 0)
        pace = Pace()
        while chunk := response.read1(CHUNK_BYTES, decode_content=False):
            file.write(chunk)
            size += len(chunk)
            request.on_bytes(size, now.total)
            _check_size(now, size)
            if request.stop.is_set():
                raise CancelledError
            if pace.is_too_slow(len(chunk)):
                return FailedAttempt(f"the server sent fewer than {limit('download_bytes_per_s'):,} bytes per second")
    return (
        FailedAttempt("the server sent another number of bytes than it announced")
        if now.total not in (None, size)
        else None
    )


def _check_size(now: PartialDownload, size: int) -> None:
    """Raise InputError if a download has, or announces, more bytes than one may have."""
    name = "download_bytes" if now.total is not None else "download_bytes_without_length"
    if size > limit(name):
        raise InputError(f"{now.url} sends more than {limit(name):,} bytes. {hint(name)}")


class Pace:
    """How fast bytes arrive, over windows of a minute."""

    def __init__(self, window_s: float = 60.0) -> None:
        self.window_s, self.began, self.num_bytes = window_s, monotonic(), 0

    def is_too_slow(self, num_bytes: int) -> bool:
        """Count bytes that have just arrived; return True if a window ends that was too slow."""
        self.num_bytes += num_bytes
        seconds = monotonic() - self.began
        if seconds < self.window_s:
            return False
        slow = self.num_bytes < limit("download_bytes_per_s") * seconds
        self.began, self.num_bytes = monotonic(), 0
        return slow


def _retry_after(response: BaseHTTPResponse) -> float:
    """Return the seconds of `Retry-After`; 0 if it is missing or cannot be read."""
    try:
        return Retry().get_retry_after(response) or 0.0
    except failures.InvalidHeader:
        return 0.0


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read_state(part: Path) -> PartialDownload | None:
    try:
        return PartialDownload(**load_json(state_path(part).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write_state(part: Path, state: PartialDownload) -> None:
    with atomic_path(state_path(part)) as temporary:
        temporary.write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
