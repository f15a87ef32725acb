"""Whether a file is what its name says: the first bytes, so that a log-in page is not taken for an archive."""

import gzip
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from corpora.errors import InputError
from corpora.urls import is_url, path_name

BOM = b"\xef\xbb\xbf"
GZIP, ZIPS, JSON = (b"\x1f\x8b",), (b"PK\x03\x04", b"PK\x05\x06"), (b"{", b"[")
BEGINNINGS = {".gz": ("a gzip file", GZIP), ".zip": ("a zip file", ZIPS), ".json": ("a JSON file", JSON)}
KINDS = (
    ((b"<!doctype", b"<html"), "an HTML page"),
    ((b"<?xml",), "an XML document"),
    (GZIP, "a gzip file"),
    (ZIPS, "a zip file"),
)


def check_magic(path: Path, name: str, origin: str) -> None:
    """InputError, naming `origin`, if the file at `path` does not begin as the ending of `name` promises.

    `name` is a URL or a path; the beginnings are those of RFC 1952, PKWARE's APPNOTE and RFC 8259.
    """
    suffix = (path_name(name) if is_url(name) else PurePosixPath(name)).suffix.lower()
    if suffix not in BEGINNINGS:
        return
    wanted, beginnings = BEGINNINGS[suffix]
    with path.open("rb") as file:
        start = file.read(4096)
    if not (_text(start) if suffix == ".json" else start).startswith(beginnings):
        raise InputError(
            f"{origin} should be {wanted} but is {_kind(start)}. "
            "Open it in a browser to see what is there; correct the URL in the catalogue, or name a mirror."
        )


def check_whole(path: Path, origin: str) -> None:
    """InputError, naming `origin`, if a gzip or zip file breaks off or its checksums do not hold (RFC 1952, APPNOTE).

    A download is read once to its end before its digest is locked: a broken one must not become the expected one.
    """
    with path.open("rb") as file:
        start = file.read(4)
    try:
        if start.startswith(GZIP):
            with gzip.open(path) as file:
                while file.read(1 << 20):
                    pass
        elif start.startswith(ZIPS):
            with zipfile.ZipFile(path) as archive:
                if broken := archive.testzip():
                    raise zipfile.BadZipFile(f"the checksum of {broken} is wrong")
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"{origin} came damaged: {error}. Try again, or name another --mirror.") from None


def _text(start: bytes) -> bytes:
    return start.removeprefix(BOM).lstrip()


def _kind(start: bytes) -> str:
    """What a file is by its first bytes, in words where we have them."""
    if not start:
        return "empty"
    for beginnings, kind in KINDS:
        if _text(start).lower().startswith(tuple(beginning.lower() for beginning in beginnings)):
            return kind
    return f"something that begins with {start[:16]!r}"
