"""Any bytes, in whatever format they claim to be: every row of them is read, or a sentence says why not."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.reading import InputFile, read_benchmark, read_instructions, read_pairs

WORDS = [
    b"1.2\ta\tb\n",
    b"\xff",
    b"\0",
    b"\r\n",
    b'{"instruction": "a", "output": "b"}',
    b'[{"',
    b'"}]',
    b"<tu>",
    b"</seg>",
]
BYTES = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(WORDS), max_size=12).map(b"".join))
TMX = b'<tmx version="1.4"><body><tu><tuv xml:lang="en"><seg>', b"</seg></tuv></tu></body></tmx>"


def zipped(*names: str) -> Callable[[bytes], bytes]:
    """A zip archive whose members of these names all hold the bytes."""

    def pack(data: bytes) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, data)
        return file.getvalue()

    return pack


def tarred(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        member = tarfile.TarInfo("flores/dev/ell.dev")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


PACKED = [  # format, name of the file, what is put around the bytes
    ("laser-tsv", "any.tsv.gz", gzip.compress),
    ("moses-zip", "any.zip", zipped("any.en", "any.el")),
    ("tmx", "any.tmx", lambda data: data.join(TMX)),
    ("alpaca-json", "any.json", bytes),
    ("alpaca-json", "any.jsonl", bytes),
    ("self-instruct", "any.jsonl", bytes),
    ("flores-tar", "any.tar.gz", tarred),
    ("squad-json", "any.json", bytes),
    ("mlqa-zip", "any.zip", zipped(*(f"{p}/{p}-context-el-question-el.json" for p in ("dev", "test")))),
]


def rows(path: Path, form: str) -> list[dict]:
    if form in ("laser-tsv", "moses-zip", "tmx"):
        return [row for batch in read_pairs(InputFile(path, form, "el", xx_code="el"), 7) for row in batch.to_pylist()]
    if form in ("alpaca-json", "self-instruct"):
        return [row for batch in read_instructions(InputFile(path, form)) for row in batch.to_pylist()]
    return read_benchmark(InputFile(path, form, "el", xx_code="ell" if form == "flores-tar" else "el")).to_pylist()


@pytest.mark.parametrize("packed", [True, False], ids=["inside", "instead"])
@pytest.mark.parametrize(("form", "name", "pack"), PACKED, ids=[f"{form}-{name}" for form, name, _ in PACKED])
@settings(deadline=None, max_examples=40)
@given(data=BYTES)
def test_any_bytes_of_any_format_are_numbered_rows_or_an_error(form, name, pack, packed, data):
    with TemporaryDirectory() as folder, suppress(InputError):
        path = Path(folder) / name
        path.write_bytes(pack(data) if packed else data)
        found = rows(path, form)
        assert [row.get("line_number", place) for place, row in enumerate(found, 1)] == list(range(1, len(found) + 1))
        if packed and form in ("laser-tsv", "moses-zip"):
            content = data.removeprefix(b"\xef\xbb\xbf")  # a byte order mark says nothing
            assert len(found) == len(content.removesuffix(b"\n").split(b"\n")) * bool(content)
