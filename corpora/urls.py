"""What we make of a URL: the way it is written down, the name it has on disk, its place on a mirror."""

import hashlib
import re
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from corpora.errors import InputError

LONGEST_NAME = 200  # bytes; file systems allow 255, and our own endings come on top


def is_url(place: str) -> bool:
    """Whether `place` is an http(s) URL rather than a path."""
    return place.lower().startswith(("http://", "https://"))


def split(url: str) -> SplitResult:
    """The parts of an http(s) URL; InputError if it is not one that can be asked for."""
    try:
        parts = urlsplit(url)
        sound = is_url(url) and parts.hostname and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f]", url)
    except ValueError:
        sound = False
    if not sound:
        raise InputError(f"{quote(url.rpartition('@')[2].partition('?')[0], safe=':/')} is not a valid http(s) URL.")
    return parts


def public(url: str) -> str:
    """The URL as it may be shown and written down: no user, no fragment, the query as a digest."""
    parts = split(url)
    query = f"query-{_digest(parts.query)}" if parts.query else ""
    return urlunsplit((parts.scheme, _host(parts), parts.path, query, ""))


def without_user(url: str) -> str:
    """The URL as it is asked for: no `user:password@`, no fragment."""
    return urlunsplit(split(url)._replace(netloc=_host(split(url)), fragment=""))


def disk_name(url: str) -> PurePosixPath:
    """`HOST/PATH` of a URL, with the digest of a query before the file's name; InputError unless each part is safe."""
    parts = split(url)
    return PurePosixPath(_component(_host(parts).replace(":", "_"), url)) / path_name(url)


def path_name(url: str) -> PurePosixPath:
    """`PATH` of a URL as a relative path on disk."""
    parts = split(url)
    *folders, name = [_component(part, url) for part in parts.path.removeprefix("/").split("/")]
    return PurePosixPath(*folders, f"{_digest(parts.query)}-{name}" if parts.query else name)


def on_mirror(url: str, mirror: str | None) -> str:
    """The URL to ask: `mirror` in the place of scheme and host, path and query kept."""
    if mirror is None:
        return url
    ours, theirs = split(url), split(mirror)
    return urlunsplit(theirs._replace(path=theirs.path.rstrip("/") + ours.path, query=ours.query, fragment=""))


def mirror_folder(mirror: str | None) -> Path | None:
    """The folder that a mirror is, or None; InputError if it is neither a folder's path nor an http(s) URL."""
    if mirror is None:
        return None
    if is_url(mirror):
        if split(mirror).query:
            raise InputError(f"The mirror {public(mirror)} must not have a query: each file brings its own.")
        return None
    if "://" in mirror:
        scheme = mirror.partition("://")[0]
        raise InputError(f"A mirror is an http(s) URL or the path of a folder; '{scheme}://' is neither.")
    return Path(mirror).absolute()


def _component(part: str, url: str) -> str:
    """One decoded name of a path from outside; InputError if it could lead anywhere but one step down."""
    name = unquote(part)
    if name in ("", ".", "..") or re.search(r"[/\\\x00-\x1f\x7f\ufffd]", name) or len(name.encode()) > LONGEST_NAME:
        raise InputError(
            f"The URL {public(url)} cannot become a file's name because of its part {name[:50]!r}. "
            "Correct it where it is listed: only plain names, at most 200 bytes long, may stand between its slashes."
        )
    return name


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].lower()


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]
