"""Forms of a URL: as it is shown, as it is requested, its path on disk, and its URL on a mirror."""

import hashlib
import re
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from corpora.errors import InputError

MAX_NAME_BYTES = 200  # bytes; file systems allow 255, and our own endings come on top


def is_url(location: str) -> bool:
    """Return whether a location is an http(s) URL rather than a path."""
    return location.lower().startswith(("http://", "https://"))


def split_url(url: str) -> SplitResult:
    """Return the parts of an http(s) URL; InputError if it is not valid."""
    try:
        parts = urlsplit(url)
        is_valid = is_url(url) and parts.hostname and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f]", url)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InputError(f"{quote(url.rpartition('@')[2].partition('?')[0], safe=':/')} is not a valid http(s) URL.")
    return parts


def public_url(url: str) -> str:
    """Return the URL as it may be shown and written down: no user, no fragment, the query as a digest."""
    parts = split_url(url)
    query = f"query-{_digest(parts.query)}" if parts.query else ""
    return urlunsplit((parts.scheme, _host(parts), parts.path, query, ""))


def request_url(url: str) -> str:
    """Return the URL as it is requested: no `user:password@`, no fragment."""
    return urlunsplit(split_url(url)._replace(netloc=_host(split_url(url)), fragment=""))


def has_credentials(url: str) -> bool:
    """Return whether a URL has a user, a password or a query, any of which may be secret."""
    parts = split_url(url)
    return "@" in parts.netloc or bool(parts.query)


def disk_path(url: str) -> PurePosixPath:
    """Return `HOST/PATH` of a URL, a query as a digest before the file's name; InputError unless each part is safe."""
    parts = split_url(url)
    return PurePosixPath(_component(_host(parts).replace(":", "_"), url)) / url_path(url)


def url_path(url: str) -> PurePosixPath:
    """Return `PATH` of a URL as a relative path on disk."""
    parts = split_url(url)
    *folders, name = [_component(part, url) for part in parts.path.removeprefix("/").split("/")]
    return PurePosixPath(*folders, f"{_digest(parts.query)}-{name}" if parts.query else name)


def on_mirror(url: str, mirror: str | None) -> str:
    """Return the URL with `mirror` in place of scheme and host; path and query stay."""
    if mirror is None:
        return url
    ours, theirs = split_url(url), split_url(mirror)
    return urlunsplit(theirs._replace(path=theirs.path.rstrip("/") + ours.path, query=ours.query, fragment=""))


def mirror_folder(mirror: str | None) -> Path | None:
    """Return the folder that a mirror is, None for a URL; InputError if it is neither."""
    if mirror is None:
        return None
    if is_url(mirror):
        if split_url(mirror).query:
            raise InputError(f"The mirror {public_url(mirror)} must not have a query.")
        return None
    if "://" in mirror:
        scheme = mirror.partition("://")[0]
        raise InputError(f"A mirror is an http(s) URL or the path of a folder; '{scheme}://' is neither.")
    return Path(mirror).absolute()


def _component(part: str, url: str) -> str:
    """Return one decoded name of a URL's path; InputError if it could lead out of its folder."""
    name = unquote(part)
    if name in ("", ".", "..") or re.search(r"[/\\\x00-\x1f\x7f\ufffd]", name) or len(name.encode()) > MAX_NAME_BYTES:
        raise InputError(
            f"The URL {public_url(url)} cannot become a file's name because of its part {name[:50]!r}. "
            "Correct it where it is listed: only plain names, at most 200 bytes long, are allowed between its slashes."
        )
    return name


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].lower()


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]
