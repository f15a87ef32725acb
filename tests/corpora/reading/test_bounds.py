"""Small input makes small work: files that once took minutes, gigabytes or a traceback, each far larger than it was.

A reader whose time grows as the square would need hours for most of them.
"""

import gzip
import struct
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.errors import InputError
from corpora.limits import FILE, limit
from corpora.reading import InputFile, read_benchmark, read_pairs
from corpora.tables import read_toml, read_yaml

TMX = '<?xml version="1.0"?><tmx version="1.4"><body>{}</body></tmx>'
UNIT = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="el"><seg>b</seg></tuv></tu>'


def rows_of(path: Path, format: str) -> list[dict[str, object]]:
    return [row for batch in read_pairs(InputFile(path, format, "el", "en", "el")) for row in batch.to_pylist()]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("tag", "text"), [("hi", "a" * 600_000), ("ph", ""), ("sub", "a" * 600_000)])
def test_tmx_with_elements_nested_without_end_is_read(tag: str, text: str, tmp_path: Path) -> None:
    nested = f"<{tag}>a" * 600_000 + f"</{tag}>" * 600_000
    (row,) = rows_of(write(tmp_path / "x.tmx", TMX.format(UNIT.format(nested))), "tmx")
    assert row["en"] == text


def test_markup_inside_of_marked_text_is_left_out(tmp_path: Path) -> None:
    inner = "a<hi>b<ph>c<hi>d</hi></ph>e</hi><bpt>f</bpt>g"
    (row,) = rows_of(write(tmp_path / "x.tmx", TMX.format(UNIT.format(inner))), "tmx")
    assert row["en"] == "abeg"


@pytest.mark.slow
def test_tmx_with_a_unit_of_many_languages_keeps_two_texts(tmp_path: Path) -> None:
    unit = "<tu>" + '<tuv xml:lang="el"><seg>b</seg></tuv>' * 300_000 + '<tuv xml:lang="en"><seg>a</seg></tuv></tu>'
    (row,) = rows_of(write(tmp_path / "x.tmx", TMX.format(unit)), "tmx")
    assert (row["en"], row["xx"]) == ("a", "b")


@pytest.mark.slow
@pytest.mark.parametrize("part", ['<tu a="{}"></tu>', "<!--{}-->", "<{}></x>"])
def test_tmx_with_a_tag_without_end_is_refused(part: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.tmx", TMX.format(part.format("x" * (60 << 20))))
    with pytest.raises(InputError, match="has a tag of more than"):
        rows_of(path, "tmx")


def header(name: bytes, size: int, kind: bytes = b"0") -> bytes:
    """Return the header of a member of a tar, negative sizes as GNU writes them."""
    number = b"%011o\0" % size if size >= 0 else b"\xff" * 4 + struct.pack(">q", size)
    block = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + number + b"0" * 11 + b"\0"
    block = (block + b" " * 8 + kind).ljust(257, b"\0") + b"ustar\x0000"
    block = block.ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def tar(path: Path, *parts: bytes) -> Path:
    sentences = header(b"flores/dev/ell.dev", 2) + b"a\n".ljust(512, b"\0") + b"\0" * 1024
    return write(path, gzip.compress(b"".join(parts) + sentences))


@pytest.mark.slow
def test_extended_header_of_digits_is_skipped(tmp_path: Path) -> None:
    size = 20 << 20
    path = tar(tmp_path / "f.tar.gz", header(b"x", size, b"x") + b"1" * size)
    assert read_benchmark(InputFile(path, "flores-tar", "el", "en", "ell")).num_rows == 1


@pytest.mark.parametrize("kind", [b"0", b"x", b"g", b"L", b"S"])
def test_member_of_negative_size_is_damage(kind: bytes, tmp_path: Path) -> None:
    path = tar(tmp_path / "f.tar.gz", header(b"x", -512, kind) + b"1" * 512)
    with pytest.raises(InputError, match="is damaged"):
        read_benchmark(InputFile(path, "flores-tar", "el", "en", "ell"))


@pytest.mark.parametrize("kind", [b"x", b"L"])
def test_headers_nested_without_end_are_damage(kind: bytes, tmp_path: Path) -> None:
    path = tar(tmp_path / "f.tar.gz", (header(b"x", 6, kind) + b"6 a=b\n".ljust(512, b"\0")) * 3000)
    with pytest.raises(InputError, match="is damaged"):
        read_benchmark(InputFile(path, "flores-tar", "el", "en", "ell"))


def test_members_named_as_python_packs_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    name = write(tmp_path / "dev" / "ell.dev", "α\n")
    with tarfile.open(tmp_path / "f.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = archive.gettarinfo(name, "flores/dev/ell.dev")
        info.mtime = 1.5  # which only an extended header can hold
        with name.open("rb") as file:
            archive.addfile(info, file)
    table = read_benchmark(InputFile(tmp_path / "f.tar.gz", "flores-tar", "el", "en", "ell"))
    assert table["text"].to_pylist() == ["α"]


@pytest.mark.slow
@pytest.mark.parametrize("format", ["laser-tsv", "csv"])
def test_gzip_bomb_is_refused(format: str, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "x.gz", "wb") as file:
        for _ in range(130):
            file.write(b"a" * (1 << 20))
    with pytest.raises(InputError, match=r"COIT_LIMITS=expansion=NUMBER|has no column|is not a TMX|is damaged"):
        rows_of(tmp_path / "x.gz", format)


def dictionary_table(path: Path, text: str, num_rows: int) -> Path:
    indices = pa.array([0] * num_rows, pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array([text]))
    pq.write_table(pa.table({"en": column, "xx": column}), path, compression="zstd", dictionary_pagesize_limit=1 << 30)
    return path


def test_parquet_that_repeats_one_long_text_is_refused(tmp_path: Path) -> None:
    path = dictionary_table(tmp_path / "x.parquet", "x" * 1_000_000, 4000)  # 8 GB in less than 1 kB
    with pytest.raises(InputError, match="refused as a decompression bomb"):
        rows_of(path, "parquet")


def test_parquet_of_long_texts_is_read_in_pieces(tmp_path: Path) -> None:
    path = dictionary_table(tmp_path / "x.parquet", "x" * 900_000, 30)
    assert [len(str(row["en"])) for row in rows_of(path, "parquet")] == [900_000] * 30


@pytest.mark.slow
def test_parquet_of_nothing_but_rows_is_refused(tmp_path: Path) -> None:
    nulls = pa.nulls(10_000_000, pa.string())
    pq.write_table(pa.table({"en": nulls, "xx": nulls}), tmp_path / "x.parquet", compression="zstd")
    with pytest.raises(InputError, match="refused as a decompression bomb"):
        rows_of(tmp_path / "x.parquet", "parquet")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = " + "[" * 100_000, "cannot be read|can be read"),
        ("a = " + "[" * 200 + "]" * 200, "nested deeper than 50"),
        (".".join(["a"] * 100_000) + " = 1", "more than 1,000 dots"),
        (".".join(["a"] * 900) + " = 1", "nested deeper than 50"),
        ("a = " + "1" * 5000, "can be read"),
        ("a = 'x'\n#" + " " * (9 << 20), "COIT_LIMITS=table_bytes=NUMBER"),
    ],
)
def test_toml_that_is_deep_or_large_is_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        read_toml(write(tmp_path / "x.toml", text))


LAUGHS = "a: &a [1, 1]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: " + "[" * 20_000, "can be read"),
        ("? " * 20_000, "can be read"),
        ("a: " + "[" * 100 + "]" * 100, "nested deeper than 50"),
        (LAUGHS, "aliases"),
        ("a: &a {b: 1}\nc: {<<: [*a, *a]}", "aliases"),
        ("a: 2020-99-99", "can be read"),
        ("a: !!float x", "can be read"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("a: 1\na: 2", "appears twice"),
    ],
)
def test_yaml_that_grows_or_names_code_is_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        read_yaml(write(tmp_path / "x.yaml", text))


@pytest.mark.slow
def test_yaml_with_many_keys_is_read(tmp_path: Path) -> None:
    assert len(read_yaml(write(tmp_path / "x.yaml", "".join(f"a{n}: 1\n" for n in range(40_000))))) == 40_000


def test_limits_are_raised_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = dictionary_table(tmp_path / "x.parquet", "x" * 400_000, 100)
    with pytest.raises(InputError, match="COIT_LIMITS=expansion=NUMBER"):
        rows_of(path, "parquet")
    monkeypatch.setenv("COIT_LIMITS", "expansion=1000000, template_s=1")
    assert len(rows_of(path, "parquet")) == 100
    for wrong, sentence in {"expansio=1": "Did you mean expansion", "expansion=many": "needs a whole number"}.items():
        monkeypatch.setenv("COIT_LIMITS", wrong)
        with pytest.raises(InputError, match=sentence):
            limit("expansion")


def test_limits_are_documented() -> None:
    text = (FILE.parent / "README.md").read_text(encoding="utf-8")
    for name, row in read_toml(FILE).items():
        assert f"| `{name}` | {row['default']:,} | {row['description']} |" in text


def test_zip_of_many_members_is_read_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(20_000):
            archive.writestr(f"d{number}/README", "")
        archive.writestr("x.en", "a\n")
        archive.writestr("x.el", "b\n")
    (row,) = rows_of(tmp_path / "x.zip", "moses-zip")
    assert (row["en"], row["xx"]) == ("a", "b")


def test_table_of_many_columns_is_read(tmp_path: Path) -> None:
    from corpora.tables.content import read_csv

    columns = ",".join(f"c{number}" for number in range(100_000))
    ((_, line),) = read_csv(write(tmp_path / "x.csv", f"{columns}\n{columns}\n"))
    assert len(line) == 100_000
