"""Read bitexts as statmt.org and the Tatoeba Challenge pack them: by the alphabetical order of their codes."""

import gzip
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from corpora.errors import InputError
from corpora.reading.archives import (
    BLOCK_BYTES,
    DAMAGE,
    check_file,
    damaged,
    file_chunks,
    guarded,
    is_content,
    safe_name,
)
from corpora.reading.bitexts import pairs_batch, side_by_side
from corpora.reading.input_file import InputFile
from corpora.reading.lines import read_lines

SIDES = ("src.gz", "trg.gz")  # of Tatoeba Challenge's pairs, whose codes are in alphabetical order
PARTS = ("train", "test", "dev")  # a few pairs have no train


def read_pair_tsv(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a TSV without a head, whose first two columns are in the alphabetical order of their codes."""
    num_lines = 0
    for lines in read_lines(file_chunks(file.path), str(file.path)):
        columns = pc.split_pattern(lines["text"], "\t")
        is_short = pc.less(pc.list_value_length(columns), 2)
        # A line with one column is its first side as it is, with a read error.
        padded = pc.split_pattern(pc.binary_join_element_wise(lines["text"], pc.if_else(is_short, "\t", ""), ""), "\t")
        first, second = (pc.list_element(padded, index) for index in (0, 1))
        en, xx = (first, second) if file.en_code < file.xx_code else (second, first)
        errors = pc.coalesce(lines["read_error"], pc.if_else(is_short, "missing_column", pa.scalar(None, pa.string())))
        yield pairs_batch(num_lines + 1, en, xx, pa.nulls(len(en), pa.float64()), errors)
        num_lines += len(en)


def read_pair_tar(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the lines of `train.src.gz` and `train.trg.gz` side by side, in alphabetical order of their codes.

    Raises:
        InputError: The archive lacks one of the two, is damaged, or one side has more lines.
    """
    check_file(file.path)
    num_lines = 0
    try:
        with ExitStack() as stack:
            archive = stack.enter_context(tarfile.open(file.path, "r:"))
            members = _members(archive, file.path)
            streams = [stack.enter_context(gzip.open(archive.extractfile(member))) for member in members]  # type: ignore[arg-type]
            sides = [
                read_lines(guarded(_chunks(stream), file.path), f"{file.path}, member {member.name},")
                for stream, member in zip(streams, members, strict=True)
            ]
            for first, second in side_by_side(
                sides[0], sides[1], f"{file.path}: ", [member.name for member in members]
            ):
                en, xx = (first, second) if file.en_code < file.xx_code else (second, first)
                errors = pc.coalesce(en["read_error"], xx["read_error"])
                margin = pa.nulls(len(errors), pa.float64())
                yield pairs_batch(num_lines + 1, en["text"], xx["text"], margin, errors)
                num_lines += len(errors)
    except DAMAGE as error:
        raise damaged(file.path, error) from None


def _members(archive: tarfile.TarFile, path: Path) -> list[tarfile.TarInfo]:
    """Return the two sides of the training part, or of the only part that there is."""
    files = {
        Path(safe_name(path, member.name)).name: member
        for member in archive
        if member.isreg() and not member.issparse() and is_content(member.name)
    }
    for part in PARTS:
        if all(f"{part}.{side}" in files for side in SIDES):
            return [files[f"{part}.{side}"] for side in SIDES]
    raise InputError(
        f"{path} holds no train.src.gz and train.trg.gz, as the Tatoeba Challenge has them, but "
        f"{', '.join(sorted(files)[:5]) or 'no file'}."
    )


def _chunks(stream: gzip.GzipFile) -> Iterator[bytes]:
    while chunk := stream.read(BLOCK_BYTES):
        yield chunk
