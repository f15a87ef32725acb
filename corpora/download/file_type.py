"""Check that a file is of the type that its name promises, so that a log-in page is not taken for a corpus."""

import gzip
import re
import zipfile
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from corpora.compression import NAMES as COMPRESSIONS
from corpora.compression import SIGNATURES as COMPRESSED
from corpora.compression import decompress, find_compression
from corpora.errors import InputError
from corpora.limits import hint, limit
from corpora.strict_json import load_json
from corpora.urls import is_url, url_path

START_BYTES = 4096  # what is read to recognise a type
MAX_MESSAGE_BYTES = 1 << 16  # of a reply in JSON that says what went wrong
READ_BYTES, SPARE_EXPANSION = 1 << 20, 64 << 20
GZIP, ZIPS, JSON, PARQUET = (b"\x1f\x8b",), (b"PK\x03\x04", b"PK\x05\x06"), (b"{", b"["), (b"PAR1",)
SIGNATURES = {
    ".gz": ("a gzip file", GZIP),
    ".zip": ("a zip file", ZIPS),
    **{suffix: (f"a {name} file", (COMPRESSED[suffix],)) for suffix, name in COMPRESSIONS.items()},
    ".json": ("a JSON file", JSON),
    ".jsonl": ("a JSON Lines file", JSON),
    ".parquet": ("a Parquet file", PARQUET),
    ".tmx": ("a TMX file", (b"<?xml", b"<!doctype tmx", b"<!--", b"<tmx")),
}
SEPARATORS = {".tsv": ("a TSV file", b"\t"), ".csv": ("a CSV file", b",")}
PAGE = re.compile(rb"(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script|meta|title)\b", re.DOTALL)
ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
ERROR_ROOTS = frozenset((b"error", b"errors", b"errorresponse", b"exception", b"fault", b"envelope", b"html"))
XML_NAMES = frozenset(("", ".xml", ".tmx", ".xlf", ".xliff", ".xces"))
# A reply that says what went wrong has one of the first keys, and no key beside these (RFC 9457 and common services).
SAYS_ERROR = frozenset(("error", "errors", "message", "detail", "error_description", "error_message", "fault"))
BESIDE_ERROR = frozenset(
    ("status", "code", "statuscode", "status_code", "error_code", "reason", "title", "type", "instance", "path", "url")
).union(("timestamp", "documentation_url", "success", "ok", "request_id", "requestid", "trace_id", "data"))
TYPES = (
    (GZIP, "a gzip file"),
    (ZIPS, "a zip file"),
    (PARQUET, "a Parquet file"),
    *(((COMPRESSED[suffix],), f"a {name} file") for suffix, name in COMPRESSIONS.items()),
    ((b"version https://git-lfs.github.com/spec/",), "a pointer of Git LFS, not the file itself"),
)


def check_file_type(path: Path, name: str, origin: str, content_type: str = "") -> None:
    """Raise InputError if a file is a page or message of a server, or does not begin as its name promises.

    Types are recognised as RFC 1952, PKWARE's APPNOTE, RFC 8259, Apache Parquet and TMX 1.4 have them.

    Args:
        path: The file.
        name: The URL or path whose ending says the type.
        origin: The file as the error names it.
        content_type: The type that the server stated.
    """
    suffix = (url_path(name) if is_url(name) else PurePosixPath(name)).suffix.lower()
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    is_whole = path.stat().st_size == len(start)
    actual = _describe_page(path, start, suffix, content_type)
    expected, signatures = SIGNATURES.get(suffix, ("a file of a corpus", ()))
    if not actual and signatures and not any(_begins(start, signature) for signature in signatures):
        actual = _describe(start)
    if not actual and suffix in SEPARATORS and is_whole and SEPARATORS[suffix][1] not in start:
        expected, actual = SEPARATORS[suffix][0], "a text without columns"
    if actual:
        raise InputError(
            f"{origin} should be {expected} but is {actual}. "
            "Open it in a browser to see what is there; correct the URL in the catalogue, or name a mirror."
        )


def _describe_page(path: Path, start: bytes, suffix: str, content_type: str) -> str:
    """Return what a file is if it is surely a server's page or message, or empty; an empty string otherwise."""
    text = _text(start)
    if not text.strip(b"\0 \t\r\n"):
        return "empty" if len(start) < START_BYTES else ""
    if PAGE.match(text.lower()):
        return "an HTML page"
    if text.startswith(TYPES[-1][0]):
        return TYPES[-1][1]
    if text.startswith((b"<?xml", b"<!DOCTYPE")) or ROOT.match(text):
        root = ROOT.search(text)
        is_error = root is not None and root[1].lower() in ERROR_ROOTS
        is_other = suffix == ".tmx" and root is not None and root[1] != b"tmx"
        if is_error or is_other or (text.startswith(b"<?xml") and suffix not in XML_NAMES):
            return "an error message in XML" if is_error else "an XML document"
    if text.startswith(b"{") and path.stat().st_size <= MAX_MESSAGE_BYTES and _is_message(path.read_bytes()):
        return "an error message in JSON"
    is_page = content_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")
    is_known = start.startswith((*GZIP, *ZIPS, *PARQUET)) or text.startswith((b"{", b"[", b"<?xml", b"<tmx"))
    return "an HTML page, as the server states" if is_page and not is_known and b"\t" not in text else ""


def _is_message(data: bytes) -> bool:
    """Return whether a JSON text is an object that has nothing but what went wrong."""
    try:
        value = load_json(data.removeprefix(BOM_UTF8))
    except ValueError:
        return False
    keys = {str(key).lower() for key in value} if isinstance(value, dict) else set()
    return bool(keys & SAYS_ERROR) and keys <= SAYS_ERROR | BESIDE_ERROR


def check_integrity(path: Path, origin: str) -> None:
    """Raise InputError if a compressed file is incomplete or its checksums are wrong (RFC 1952, APPNOTE).

    A download is read once to its end before its digest is locked: a damaged file must not become the expected one.
    """
    with path.open("rb") as file:
        start = file.read(8)
    try:
        if start.startswith(GZIP):
            with gzip.open(path) as file:
                _read_to_end(file, path, 0)
        elif start.startswith(ZIPS):
            _read_members(path)
        elif suffix := find_compression(start):
            _check_total(decompress(path, suffix), path)
    except (EOFError, OSError, ValueError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"{origin} is damaged: {error}. Try again, or name another --mirror.") from None


def _check_total(chunks: Iterator[bytes], path: Path) -> None:
    """Read all chunks; InputError if their sum is that of a bomb."""
    total, most = 0, limit("expansion") * path.stat().st_size + SPARE_EXPANSION
    for chunk in chunks:
        if (total := total + len(chunk)) > most:
            raise InputError(
                f"{path} expands to more than {most:,} bytes, refused as a decompression bomb. {hint('expansion')}"
            )


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


def _begins(start: bytes, signature: bytes) -> bool:
    """Return whether a file begins with a signature: binary ones as they are, markup in any case."""
    return start.startswith(signature) or _text(start).lower().startswith(signature)


def _text(start: bytes) -> bytes:
    """Return the beginning of a file without byte order mark and white space, in UTF-8 if it is UTF-16."""
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        start = start.decode("utf-16", "replace").encode()
    return start.removeprefix(BOM_UTF8).lstrip()


def _describe(start: bytes) -> str:
    """Return what a file is by its first bytes."""
    named = (name for signatures, name in TYPES if _text(start).startswith(signatures))
    return next(named, f"something that begins with {start[:16]!r}")
