"""Read the translation units of TMX 1.4 as batches of PAIRS, streamed; no entity is expanded, no DTD is fetched.

A well-formed file is parsed in one go. Where a unit is not well-formed, the rest of the file is parsed unit by unit, so
that one bad character costs one unit.
"""

from collections.abc import Iterator
from xml.parsers import expat

import pyarrow as pa

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, damaged, file_chunks
from corpora.reading.bitexts import pairs_batch
from corpora.reading.input_file import InputFile
from corpora.reading.lines import MAX_LINE_BYTES
from corpora.reading.tmx_units import TranslationUnit, UnitParser, bad_unit, pieces

MAX_MARKUP_BYTES = 16 << 20  # that belong to one tag or attribute, or to a unit of a file that is not well-formed


def read_tmx(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield one row for each `tu`, also if it is not well-formed or has no side in one of the languages."""
    num_units = 0
    for units in _parse(file):
        rows = [_pair(unit) for unit in units]
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        yield pairs_batch(num_units + 1, columns[0], columns[1], pa.nulls(len(rows), pa.float64()), columns[2])
        num_units += len(rows)


def _pair(unit: TranslationUnit) -> TranslationUnit:
    en, xx, read_error = unit
    if read_error:
        return unit
    if en is None or xx is None:
        return en, xx, "missing_column"
    oversized = any(len(text.encode()) > MAX_LINE_BYTES for text in (en, xx))
    return en, xx, "oversized_line" if oversized else None


def _parse(file: InputFile) -> Iterator[list[TranslationUnit]]:
    """Yield the units of a file, as many at a time as end in a chunk."""
    path, num_units = file.path, 0
    try:
        try:
            for units in _parse_whole(file):
                yield units
                num_units += len(units)
        except expat.ExpatError as error:
            yield from _parse_pieces(file, num_units, str(error))
    except LookupError as error:
        raise _unreadable(file, str(error)) from None
    except DAMAGE as error:
        raise damaged(path, f"after about {num_units:,} units: {error}") from None


def _parse_whole(file: InputFile) -> Iterator[list[TranslationUnit]]:
    """Yield the units of a well-formed file; ExpatError at the first fault."""
    parser = UnitParser(file)
    num_bytes = 0
    for chunk in file_chunks(file.path):
        parser.parse(chunk)
        num_bytes += len(chunk)
        if num_bytes - parser.position > MAX_MARKUP_BYTES:  # expat reads it again for each chunk
            raise _too_large(file, "tag")
        if units := parser.take():
            yield units
    parser.parse(b"", is_last=True)


def _parse_pieces(file: InputFile, num_known: int, fault: str) -> Iterator[list[TranslationUnit]]:
    """Yield the units after those known already, each parsed by itself.

    Raises:
        InputError: The file has no units, or ends within one.
    """
    num_units, is_complete = 0, False
    for piece in pieces(file_chunks(file.path), MAX_MARKUP_BYTES):
        if len(piece) > MAX_MARKUP_BYTES:
            raise _too_large(file, "unit")
        if piece.startswith("<tu"):
            num_units += 1
            if num_units > num_known:
                yield [_parse_piece(file, piece)]
        is_complete = is_complete or "</tmx>" in piece
    if not is_complete:
        raise _unreadable(file, fault)


def _parse_piece(file: InputFile, piece: str) -> TranslationUnit:
    parser = UnitParser(file, encoding="utf-8")
    try:
        parser.parse(f'<!DOCTYPE tmx SYSTEM ""><tmx>{piece}</tmx>'.encode(), is_last=True)
        (unit,) = parser.take()
    except (expat.ExpatError, ValueError):
        return bad_unit(piece)
    return unit


def _too_large(file: InputFile, what: str) -> InputError:
    return InputError(f"{file.path} has a {what} of more than {MAX_MARKUP_BYTES:,} bytes. Do not use this file.")


def _unreadable(file: InputFile, reason: str) -> InputError:
    return InputError(
        f"{file.path} is not a TMX file that can be read: {reason}. Correct the file, name a mirror that has a better "
        "one, or leave the corpus out."
    )
