"""Read bitexts line by line, from LASER's TSV and OPUS's Moses zip, as batches of PAIRS."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from corpora.errors import InputError
from corpora.reading.archives import SAME_FILE, file_chunks, member_chunks, member_ending, open_zip
from corpora.reading.input_file import InputFile
from corpora.reading.lines import SHOWN_CHARS, read_lines
from corpora.reading.margins import MAX_DIGITS, NUMBER, parse_margin

PAIRS = pa.schema(
    [
        ("line_number", pa.int64()),
        ("en", pa.string()),
        ("xx", pa.string()),
        ("margin", pa.float64()),
        ("read_error", pa.string()),
    ]
)


def read_laser(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the lines `margin, side, side` of a LASER file; its sides are in the alphabetical order of their codes."""
    num_lines = 0
    for lines in read_lines(file_chunks(file.path), str(file.path)):
        columns = _split_all(lines) or _split_each(lines)
        margin, *sides, read_error = columns
        en, xx = sides if file.en_code < file.xx_code else reversed(sides)
        yield pairs_batch(num_lines + 1, en, xx, margin, read_error)
        num_lines += lines.num_rows


def _split_all(lines: pa.RecordBatch) -> list[pa.Array] | None:
    """Return margin, first side, second side and read error of lines without any error; None if there is one."""
    if lines["read_error"].null_count < lines.num_rows:
        return None
    columns = pc.split_pattern(lines["text"], "\t")
    if not pc.all(pc.equal(pc.list_value_length(columns), 3)).as_py():
        return None
    margin, first, second = (pc.list_element(columns, index) for index in range(3))
    if (
        not pc.all(pc.match_substring_regex(margin, NUMBER)).as_py()
        or pc.max(pc.binary_length(margin)).as_py() > MAX_DIGITS
    ):
        return None
    return [margin.cast(pa.float64()), first, second, lines["read_error"]]


def _split_each(lines: pa.RecordBatch) -> list[pa.Array]:
    """Return the same of lines among which some have errors."""
    rows = [_split(line["text"], line["read_error"]) for line in lines.to_pylist()]
    kinds = (pa.float64(), pa.string(), pa.string(), pa.string())
    return [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]


def _split(text: str, read_error: str | None) -> tuple[float | None, str, str | None, str | None]:
    """Return margin, first side, second side and read error; a line with other columns is the first side as it is."""
    columns = text.split("\t")
    if len(columns) != 3:
        return None, text, None, read_error or "missing_column"
    margin = parse_margin(columns[0])
    return margin, columns[1], columns[2], read_error or ("invalid_margin" if margin is None else None)


def read_moses(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the lines of the two members `*.{code}` of a Moses zip, side by side; InputError if one has more lines."""
    path, num_lines = file.path, 0
    with open_zip(path) as archive:
        members = [member_ending(archive, path, f".{side}") for side in (file.en_code, file.xx_code)]
        sides = [
            read_lines(member_chunks(archive, path, member), f"{path}, member {member.filename},") for member in members
        ]
        names = [member.filename for member in members]
        for en, xx in side_by_side(sides[0], sides[1], f"{path}: ", names):
            read_error = pc.coalesce(en["read_error"], xx["read_error"])
            yield pairs_batch(
                num_lines + 1, en["text"], xx["text"], pa.nulls(len(read_error), pa.float64()), read_error
            )
            num_lines += len(read_error)


def read_text_pair(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the lines of two text files side by side, English first; InputError if one has more lines."""
    if len(file.others) != 1:
        raise InputError(f"{file.path}: text-pair needs two files, in English and in '{file.lang}'. Correct 'url'.")
    paths, num_lines = (file.path, *file.others), 0
    sides = [read_lines(file_chunks(path), str(path)) for path in paths]
    for en, xx in side_by_side(sides[0], sides[1], "", [str(path) for path in paths]):
        read_error = pc.coalesce(en["read_error"], xx["read_error"])
        yield pairs_batch(num_lines + 1, en["text"], xx["text"], pa.nulls(len(read_error), pa.float64()), read_error)
        num_lines += len(read_error)


def side_by_side(
    left: Iterator[pa.RecordBatch], right: Iterator[pa.RecordBatch], where: str, names: list[str]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Yield slices of equal length of two streams that must be equally long."""
    num_lines = 0
    first, second = next(left, None), next(right, None)
    while first and second:
        size = min(first.num_rows, second.num_rows)
        yield first[:size], second[:size]
        num_lines += size
        first = first[size:] if size < first.num_rows else next(left, None)
        second = second[size:] if size < second.num_rows else next(right, None)
    counts = [num_lines + _num_rows(first, left), num_lines + _num_rows(second, right)]
    if counts[0] != counts[1]:
        lengths = " and ".join(f"{name} has {count:,} lines" for name, count in zip(names, counts, strict=True))
        raise InputError(f"{where}{lengths}, so they are no bitext. {SAME_FILE}")


def _num_rows(batch: pa.RecordBatch | None, rest: Iterator[pa.RecordBatch]) -> int:
    num_rows: int = sum(more.num_rows for more in rest)
    return num_rows + (len(batch) if batch else 0)


def pairs_batch(first: int, en: pa.Array, xx: pa.Array, margin: pa.Array, read_error: pa.Array) -> pa.RecordBatch:
    """Return a batch of PAIRS numbered from `first`; rows with a read error keep SHOWN_CHARS characters a side."""
    if read_error.null_count < len(read_error):
        bad = pc.is_valid(read_error)
        en, xx = (pc.if_else(bad, pc.utf8_slice_codeunits(side, 0, SHOWN_CHARS), side) for side in (en, xx))
    line = pa.array(range(first, first + len(read_error)), pa.int64())
    return pa.RecordBatch.from_arrays([line, en, xx, margin, read_error], schema=PAIRS)
