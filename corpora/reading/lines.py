"""Split chunks of bytes into lines of NFC text, whole blocks at a time; a bad line has a read error."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from corpora.reading.archives import DAMAGE, damaged
from corpora.reading.normalization import normalize_column

MAX_LINE_BYTES = 1 << 20  # without the newline
SHOWN_CHARS = 1000  # what a row keeps of a line that could not be read
BOM = b"\xef\xbb\xbf"
LINES = pa.schema([("text", pa.string()), ("read_error", pa.string())])


def read_lines(chunks: Iterator[bytes], where: str) -> Iterator[pa.RecordBatch]:
    """Yield batches of LINES, one row for each line.

    `read_error` is null, `oversized_line`, `invalid_utf8` or `nul_byte`.

    Only a newline, or CR and newline, ends a line; the last one needs none. A byte order mark at the start is
    skipped. Of an oversized line a prefix is left. InputError says after how many lines a file is damaged.
    """
    num_lines = 0
    try:
        for block in whole_lines(chunks):
            batch = _read_block(block)
            num_lines += batch.num_rows
            yield batch
    except DAMAGE as error:
        raise damaged(where, f"after about {num_lines:,} lines: {error}") from None


def whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes cut after newlines; of a line that is too long, a prefix that is still oversized."""
    max_bytes = MAX_LINE_BYTES + 1 + len(BOM)
    rest, mark = b"", BOM
    for chunk in chunks:
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield _join(rest, head, max_bytes).removeprefix(mark) + newline
            rest, mark = b"", b""
        rest = (rest + tail[: max_bytes - len(rest)]) if len(rest) < max_bytes else rest
    if rest := rest.removeprefix(mark):
        yield rest + b"\n"


def _join(rest: bytes, head: bytes, max_bytes: int) -> bytes:
    """Join the beginning of a line and what follows; the rest of a line that was cut is dropped."""
    if len(rest) < max_bytes:
        return rest + head
    end = head.find(b"\n")
    return rest if end < 0 else rest + head[end:]


def _read_block(block: bytes) -> pa.RecordBatch:
    """Return LINES of a block that ends in a newline: all at once if no line is bad, line by line otherwise."""
    texts = None if b"\0" in block or _has_oversized(block) else _split(block)
    if texts is not None:
        return _batch(texts, pa.nulls(len(texts), pa.string()))
    lines = [_read_line(line) for line in block[:-1].split(b"\n")]
    return _batch(*(pa.array(column, pa.string()) for column in zip(*lines, strict=True)))


def _batch(texts: pa.Array, faults: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([normalize_column(texts), faults], schema=LINES)


def _split(block: bytes) -> pa.Array | None:
    """Return the lines of a block as strings, or None if it is not UTF-8."""
    text = block.replace(b"\r\n", b"\n") if b"\r" in block else block
    ends = pa.array([0, len(text) - 1], pa.int32())
    data = pa.Array.from_buffers(pa.binary(), 1, [None, ends.buffers()[1], pa.py_buffer(text)])  # nothing is copied
    try:
        return pc.split_pattern(data, b"\n").flatten().cast(pa.string())
    except pa.ArrowInvalid:
        return None


def _has_oversized(block: bytes) -> bool:
    """Return whether a line is longer than MAX_LINE_BYTES, by jumps from newline to newline."""
    start = 0
    while len(block) - start > MAX_LINE_BYTES:
        newline = block.rfind(b"\n", start, start + MAX_LINE_BYTES + 1)
        if newline < 0:
            return True
        start = newline + 1
    return False


def _read_line(line: bytes) -> tuple[str, str | None]:
    """Return the text of one line without its newline, and its read error."""
    read_error = _read_error(line)
    if read_error == "oversized_line":
        line = line[: min(4 * SHOWN_CHARS, MAX_LINE_BYTES)]
    text = line.removesuffix(b"\r").decode("utf-8", errors="replace")
    return text.replace("\0", ""), read_error


def _read_error(line: bytes) -> str | None:
    if len(line) > MAX_LINE_BYTES:
        return "oversized_line"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "invalid_utf8"
    return "nul_byte" if b"\0" in line else None
