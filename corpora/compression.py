"""Decompress bzip2, xz and Zstandard as streams: recognised by their first bytes, in chunks of limited size."""

import bz2
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

READ_BYTES = 1 << 20  # compressed; a few megabytes of text
BLOCK_BYTES = 8 << 20  # decompressed; no chunk is longer
XZ_MEMORY_BYTES = 512 << 20  # that a file of xz may make the decompressor take
SIGNATURES = {".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00", ".zst": b"\x28\xb5\x2f\xfd"}
NAMES = {".bz2": "bzip2", ".xz": "xz", ".zst": "Zstandard"}


def find_compression(start: bytes) -> str | None:
    """Return the ending of the compression of a file that begins with these bytes, such as `.xz`; None for others."""
    return next((suffix for suffix, signature in SIGNATURES.items() if start.startswith(signature)), None)


def decompress(path: Path, suffix: str) -> Iterator[bytes]:
    """Yield the content of a compressed file in chunks of at most BLOCK_BYTES.

    Raises:
        EOFError, OSError, ValueError: The file is damaged or incomplete.
    """
    if suffix == ".zst":
        return _read_zstd(path)
    return _read_members(path, bz2.BZ2Decompressor if suffix == ".bz2" else _xz)


def _read_members(path: Path, make: Callable[[], Any]) -> Iterator[bytes]:
    """Yield the content of all members of a file; zeros between and after them are padding."""
    member = None
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            while data := data if member else data.lstrip(b"\0"):
                member = member or make()
                yield _step(member, data)
                while not (member.eof or member.needs_input):
                    yield _step(member, b"")
                data = member.unused_data if member.eof else b""
                member = None if member.eof else member
    if member:
        raise EOFError("it ends in the middle")


def _step(member: Any, data: bytes) -> bytes:
    try:
        return bytes(member.decompress(data, BLOCK_BYTES))
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from None


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES)


def _read_zstd(path: Path) -> Iterator[bytes]:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file, pa.CompressedInputStream(file, "zstd") as stream:
        while chunk := stream.read(BLOCK_BYTES):
            yield chunk
