"""Check that a file is of the type that its name promises, so that a log-in page is not taken for an archive."""

import gzip
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from corpora.errors import InputError
from corpora.urls import is_url, url_path

BOM = b"\xef\xbb\xbf"
GZIP, ZIPS, JSON = (b"\x1f\x8b",), (b"PK\x03\x04", b"PK\x05\x06"), (b"{", b"[")
SIGNATURES = {".gz": ("a gzip file", GZIP), ".zip": ("a zip file", ZIPS), ".json": ("a JSON file", JSON)}
TYPES = (
    ((b"<!doctype", b"<html"), "an HTML page"),
    ((b"<?xml",), "an XML document"),
    (GZIP, "a gzip file"),
    (ZIPS, "a zip file"),
)


def check_file_type(path: Path, name: str, origin: str) -> None:
    """Raise InputError if a file does not begin as its type does (RFC 1952, PKWARE's APPNOTE, RFC 8259).

    Args:
        path: The file.
        name: The URL or path whose ending says the type.
        origin: The file as the error names it.
    """
    suffix = (url_path(name) if is_url(name) else PurePosixPath(name)).suffix.lower()
    if suffix not in SIGNATURES:
        return
    expected, signatures = SIGNATURES[suffix]
    with path.open("rb") as file:
        start = file.read(4096)
    if not (_text(start) if suffix == ".json" else start).startswith(signatures):
        raise InputError(
            f"{origin} should be {expected} but is {_describe(start)}. "
            "Open it in a browser to see what is there; correct the URL in the catalogue, or name a mirror."
        )


def check_integrity(path: Path, origin: str) -> None:
    """Raise InputError if a gzip or zip file is incomplete or its checksums are wrong (RFC 1952, APPNOTE).

    A download is read once to its end before its digest is locked: a damaged file must not become the expected one.
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
        raise InputError(f"{origin} is damaged: {error}. Try again, or name another --mirror.") from None


def _text(start: bytes) -> bytes:
    return start.removeprefix(BOM).lstrip()


def _describe(start: bytes) -> str:
    """Return what a file is by its first bytes."""
    if not start:
        return "empty"
    for signatures, name in TYPES:
        if _text(start).lower().startswith(tuple(signature.lower() for signature in signatures)):
            return name
    return f"something that begins with {start[:16]!r}"
