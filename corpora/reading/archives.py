"""Stream the bytes inside downloaded files; nothing is extracted, and damage, unsafe names and bombs are refused."""

import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from corpora.compression import NAMES as COMPRESSIONS
from corpora.compression import decompress, find_compression
from corpora.errors import InputError
from corpora.limits import hint, limit

SAME_FILE = "If the same file comes back, name a mirror that has a better one, or leave the corpus out."
READ_BYTES = 1 << 20  # compressed; a few megabytes of text
BLOCK_BYTES = 8 << 20  # decompressed; no chunk is longer
SPARE_EXPANSION = 64 << 20
# What macOS, Windows, file servers and version control add beside files (AppleSingle and AppleDouble, version 2).
SYSTEM_FOLDERS = {"__MACOSX", ".AppleDouble", ".Trashes", ".fseventsd", ".Spotlight-V100", ".TemporaryItems"}
SYSTEM_FOLDERS |= {"@eaDir", ".@__thumb", "System Volume Information", "$RECYCLE.BIN", "lost+found", ".git", ".svn"}
SYSTEM_PREFIXES = ("._", "~$", ".DS_Store", ".nfs", ".~lock.")
DAMAGE = (
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    struct.error,
    ValueError,
    OSError,
    NotImplementedError,
    RecursionError,
)


def damaged(where: object, reason: object) -> InputError:
    """Return the error for a downloaded file that is not what upstream published."""
    return InputError(f"{where} is damaged ({reason}). Delete it and pull it again. {SAME_FILE}")


def file_chunks(path: Path) -> Iterator[bytes]:
    """Return the bytes of a plain file, or of the content of a compressed one, in chunks of at most BLOCK_BYTES.

    gzip, bzip2, xz and Zstandard are recognised by their first bytes.

    Raises:
        InputError: The file is missing, is not compressed as its name says, or is a decompression bomb.
        DAMAGE: One of these errors ends a damaged file; the caller knows how far it was read.
    """
    check_file(path)
    with path.open("rb") as file:
        start = file.read(8)
    suffix = path.suffix.lower()
    if compression := find_compression(start):
        return guarded(decompress(path, compression), path)
    if suffix in COMPRESSIONS:
        raise damaged(path, f"it is not a {COMPRESSIONS[suffix]} file")
    if not start.startswith(b"\x1f\x8b") and suffix != ".gz":
        return _plain_chunks(path)
    _check_gzip(path)
    return guarded(_gunzip(path), path)


def check_file(path: Path) -> None:
    """Raise InputError unless `path` is a file that this user may read."""
    if not path.is_file():
        raise InputError(f"There is no file {path}. Pull its corpus first.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read by this user. Change its permissions.")


def guarded(chunks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Yield the same chunks as long as their sum is plausible for a file of this size."""
    most = max_expanded(path)
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > most:
            raise bomb(path, most)
        yield chunk


def max_expanded(path: Path) -> int:
    """Return how many bytes a compressed file may expand to."""
    return limit("expansion") * path.stat().st_size + SPARE_EXPANSION


def bomb(path: Path, most: int) -> InputError:
    """Return the error for a file that expands to more than `most` bytes."""
    return InputError(
        f"{path} expands to more than {most:,} bytes, refused as a decompression bomb. {hint('expansion')}"
    )


def _plain_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(BLOCK_BYTES):
            yield chunk


def _check_gzip(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(512)
    if start.lstrip().startswith(b"<"):
        raise damaged(path, "it is an HTML page, not a gzip file")
    if not start.startswith(b"\x1f\x8b"):
        raise damaged(path, "it is not a gzip file")


def _gunzip(path: Path) -> Iterator[bytes]:
    """Yield the content of all members of a gzip file; zeros between and after them are padding."""
    member = None
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            while data := data if member else data.lstrip(b"\0"):
                member = member or zlib.decompressobj(wbits=31)
                yield member.decompress(data, BLOCK_BYTES)
                data = member.unconsumed_tail
                if member.eof:
                    data, member = member.unused_data, None
    if member:
        raise EOFError("it ends in the middle")


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive for reading; InputError if it is damaged or holds a name that leaves its folder."""
    check_file(path)
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE as error:
        raise damaged(path, error) from None
    for member in archive.infolist():
        safe_name(path, member.orig_filename)
    return archive


def safe_name(path: Path, name: str) -> str:
    """Return a member's name with slashes, also where a tool wrote backslashes between folders.

    Raises:
        InputError: The name leaves the archive's folder on some system.
    """
    safe = name.replace("\\", "/")
    if safe.startswith("/") or ".." in PurePosixPath(safe).parts or safe[1:2] == ":":
        raise InputError(f"{path} holds the unsafe name {name!r}; it was not read. Do not use this file.")
    return safe


def member_ending(archive: zipfile.ZipFile, path: Path, suffix: str) -> zipfile.ZipInfo:
    """Return the one member, at any depth, that ends in `suffix` and is a file of the corpus; InputError otherwise."""
    members = [member for member in archive.infolist() if is_content(name := _name(member)) and name.endswith(suffix)]
    if len(members) != 1:
        names = ", ".join(archive.namelist()[:20]) or "nothing"
        count = "no member" if not members else f"{len(members)} members"
        raise InputError(f"{path} has {count} ending in '{suffix}', one was expected. It holds: {names}.")
    if members[0].flag_bits & 1:
        raise InputError(f"{path}: the member {members[0].filename} is encrypted and cannot be read.")
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{path}: the member {members[0].filename} is neither stored nor deflated; pack it again.")
    return members[0]


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename.replace("\\", "/")


def is_content(name: str) -> bool:
    """Return whether a name is that of no README or licence, and of nothing that file systems add to archives."""
    *folders, file = PurePosixPath(name).parts or ("",)
    is_added = file.startswith(SYSTEM_PREFIXES) or not SYSTEM_FOLDERS.isdisjoint(folders)
    return not is_added and not file.startswith(("README", "LICENSE"))


def member_chunks(archive: zipfile.ZipFile, path: Path, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Return the bytes of a member in chunks of at most BLOCK_BYTES; errors as in `file_chunks`."""
    return guarded(_unzip(archive, member), path)


def _unzip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    total = 0
    with archive.open(member) as file:
        while chunk := file.read(BLOCK_BYTES):
            total += len(chunk)
            yield chunk
    if total != member.file_size:
        raise zipfile.BadZipFile(f"{member.filename} has {total:,} bytes, {member.file_size:,} were announced")


def read_member(archive: zipfile.ZipFile, path: Path, member: zipfile.ZipInfo) -> bytes:
    """Return all bytes of a member; InputError if it is damaged."""
    try:
        return b"".join(member_chunks(archive, path, member))
    except DAMAGE as error:
        raise damaged(path, error) from None


def read_tar(path: Path, select: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the regular files of a `.tar.gz` by name; those that are not selected have no bytes.

    Links, devices and sparse files are skipped. InputError for unsafe or repeated names and damage.
    """
    try:
        return _read_tar(path, select)
    except DAMAGE as error:
        raise damaged(path, error) from None


def _read_tar(path: Path, select: Callable[[str], bool]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    chunks = file_chunks(path)
    with tarfile.open(fileobj=io.BufferedReader(ChunkStream(chunks)), mode="r|", tarinfo=_PlainTarInfo) as archive:
        for member in archive:
            name = safe_name(path, member.name)
            if not member.isreg() or member.issparse():
                continue
            if name in contents:
                raise InputError(f"{path} has two members {name}.")
            file = archive.extractfile(member) if select(name) else None
            contents[name] = file.read() if file else b""
    if any(chunk.strip(b"\0") for chunk in chunks):  # read to the end in any case: the checksum is there
        raise tarfile.ReadError("there are bytes after the end of the archive")
    return contents


class _PlainTarInfo(tarfile.TarInfo):
    """The header of a member as it stands; the extended headers of POSIX, whose parser is quadratic, are skipped."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_PlainTarInfo":
        """Return a header; one with a negative size, which would lead back in the archive, is damaged."""
        info = super().frombuf(buf, encoding, errors)
        if info.size < 0:
            raise tarfile.ReadError(f"a member has {info.size} bytes")
        return info

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        assert archive.fileobj is not None
        archive.fileobj.read(-(-self.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
        following = self.fromtarfile(archive)
        following.offset = self.offset
        return following


class ChunkStream(io.RawIOBase):
    """A stream of chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self.rest:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.rest = memoryview(chunk)
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size
