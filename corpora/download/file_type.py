"""Check that a file is of the type that its name promises, so that a log-in page is not taken for an archive."""

import gzip
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from corpora.errors import InputError
from corpora.limits import hint, limit
from corpora.urls import is_url, url_path

BOM = b"\xef\xbb\xbf"
READ_BYTES, SPARE_EXPANSION = 1 << 20, 64 << 20
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
                _read_to_end(file, path, 0)
        elif start.startswith(ZIPS):
            _read_members(path)
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"{origin} is damaged: {error}. Try again, or name another --mirror.") from None


def _read_members(path: Path) -> None:
    """Read all members of a zip file, whose checksums the reader compares."""
    total = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                total = _read_to_end(file, path, total)


def _read_to_end(file: IO[bytes] | gzip.GzipFile, path: Path, total: int) -> int:
    """Read a file to its end and return `total` and its bytes; InputError if the sum is that of a bomb."""
    most = limit("expansion") * path.stat().st_size + SPARE_EXPANSION
    while chunk := file.read(READ_BYTES):
        total += len(chunk)
        if total > most:
            raise InputError(
                f"{path} expands to more than {most:,} bytes, refused as a decompression bomb. {hint('expansion')}"
            )
    return total


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
