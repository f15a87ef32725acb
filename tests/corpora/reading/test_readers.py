"""LASER TSV, and what holds for every stream of lines: endings, bad bytes, blocks, damaged gzip files."""

import gzip
import random
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.reading import PAIRS, InputFile, archives, lines, read_pairs

GOOD = b"1.1\tone\tbir\n"


def read(path: Path, pair: tuple[str, str] = ("en", "tr"), batch_rows: int = 100_000) -> list[dict]:
    batches = list(read_pairs(InputFile(path, "laser-tsv", pair[1], *pair), batch_rows))
    assert all(batch.schema == PAIRS and 0 < len(batch) <= batch_rows for batch in batches)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["line_number"] for row in rows] == list(range(1, len(rows) + 1))
    return rows


def laser(folder: Path, data: bytes) -> Path:
    path = folder / "WikiMatrix.en-tr.tsv.gz"
    path.write_bytes(gzip.compress(data))
    return path


def texts(rows: list[dict]) -> list[tuple]:
    return [(row["en"], row["xx"]) for row in rows]


def faults(rows: list[dict]) -> list[str | None]:
    return [row["read_error"] for row in rows]


def test_laser_line_is_a_margin_and_two_sides(tmp_path):
    rows = read(laser(tmp_path, "1.25\tHello. \t Merhaba\n1.04e0\tb\tç\n".encode()))
    assert rows[0] == {"line_number": 1, "en": "Hello. ", "xx": " Merhaba", "margin": 1.25, "read_error": None}
    assert rows[1] == {"line_number": 2, "en": "b", "xx": "ç", "margin": 1.04, "read_error": None}


def test_sides_are_in_the_alphabetical_order_of_their_codes(tmp_path):
    path = laser(tmp_path, b"1.1\tfirst\tsecond\n")
    assert texts(read(path, ("en", "ar"))) == [("second", "first")]
    assert texts(read(path, ("en", "zh"))) == [("first", "second")]


def test_gzip_is_recognised_by_content_or_name(tmp_path):
    path = tmp_path / "sample.tsv"
    path.write_bytes(GOOD)
    assert texts(read(path)) == [("one", "bir")]


def test_windows_endings_and_a_byte_order_mark_are_accepted(tmp_path):
    rows = read(laser(tmp_path, b"\xef\xbb\xbf1.1\ta\tb\r\n1.2\tc\td\r\n"))
    assert texts(rows) == [("a", "b"), ("c", "d")]
    assert faults(rows) == [None, None]


def test_last_line_needs_no_newline(tmp_path):
    assert texts(read(laser(tmp_path, GOOD + b"1.2\ttwo\tiki"))) == [("one", "bir"), ("two", "iki")]


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_empty_file_has_no_rows(tmp_path, data):
    assert read(laser(tmp_path, data)) == []


def test_only_a_newline_ends_a_line(tmp_path):
    inside = "a\u2028b\x0bc\x85d\re\x1cf"
    assert texts(read(laser(tmp_path, f"1.1\t{inside}\tx\n".encode()))) == [(inside.replace("\u2028", " "), "x")]


def test_text_is_normalised_to_nfc(tmp_path):
    rows = read(laser(tmp_path, "1.1\tcafe\u0301\tc\u0327\n1.1\t\u1112\u1161\u11ab\tq\u0301\u0323\n".encode()))
    assert texts(rows) == [("café", "ç"), ("한", "q\u0323\u0301")]


def test_only_the_line_with_invalid_utf8_has_a_read_error(tmp_path):
    rows = read(laser(tmp_path, GOOD + b"1.2\tb\xffd\tx\r\n" + "1.3\te\u0301\tü\r\n".encode() + GOOD))
    assert faults(rows) == [None, "invalid_utf8", None, None]
    assert texts(rows) == [("one", "bir"), ("b\ufffdd", "x"), ("é", "ü"), ("one", "bir")]


@pytest.mark.parametrize("data", [b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"])
def test_surrogates_and_overlong_forms_are_invalid_utf8(tmp_path, data):
    assert faults(read(laser(tmp_path, b"1.1\ta\t" + data + b"\n" + GOOD))) == ["invalid_utf8", None]


def test_nul_byte_is_a_read_error_and_is_removed(tmp_path):
    rows = read(laser(tmp_path, GOOD + b"1.1\ta\0b\tc\n" + GOOD))
    assert faults(rows) == [None, "nul_byte", None]
    assert texts(rows)[1] == ("ab", "c")


@pytest.mark.parametrize("line", [b"", b"1.1", b"1.1\ta", b"1.1\ta\tb\tc", b"\t\t\t"])
def test_another_number_of_columns_is_a_read_error(tmp_path, line):
    rows = read(laser(tmp_path, GOOD + line + b"\n" + GOOD))
    assert faults(rows) == [None, "missing_column", None]
    assert rows[1]["en"] == line.decode()
    assert rows[1]["margin"] is None


def test_one_column_too_few_and_one_too_many_do_not_cancel_out(tmp_path):
    assert faults(read(laser(tmp_path, b"1.1\ta\n1.1\ta\tb\tc\n"))) == ["missing_column"] * 2


@pytest.mark.parametrize(
    "margin", ["", "nan", "inf", "-inf", "1e999", "1,1", "0x1", "1_0", " 1.1", "١", "high", "9" * 400]
)
def test_margin_that_is_not_finite_is_a_read_error(tmp_path, margin):
    rows = read(laser(tmp_path, f"{margin}\ta\tb\n1.1\tc\td\n".encode()))
    assert faults(rows) == ["invalid_margin", None]
    assert texts(rows) == [("a", "b"), ("c", "d")]
    assert rows[0]["margin"] is None


def test_line_of_ten_megabytes_is_one_read_error(tmp_path):
    rows = read(laser(tmp_path, GOOD + b"1.2\tstart\t" + b"long" * 2_500_000 + b"\r\n" + GOOD))
    assert faults(rows) == [None, "oversized_line", None]
    assert rows[1]["en"] == "start"
    assert len(rows[1]["xx"]) == 1000


def test_limit_of_a_line_does_not_depend_on_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)
    path = laser(tmp_path, b"\xef\xbb\xbf1.1\tabc\tde\n1.1\tabc\tdef\n1.1\tabcde\tfghi\r\n1.1\ta\tb\r\n")
    for size in (1, 2, 3, 5, 100):
        monkeypatch.setattr(archives, "BLOCK_BYTES", size)
        assert faults(read(path)) == [None, "oversized_line", "oversized_line", None]


def test_endless_line_is_never_in_memory(tmp_path):
    held = max(map(len, lines.whole_lines(iter([b"a" * (1 << 20)] * 100 + [b"\nb"]))))
    assert held < 2 << 20


def test_blocks_are_released_after_reading():
    block = b"1.2\ta\tb\n" * 1000
    before = sys.getrefcount(block)
    assert lines._split(block).to_pylist() == ["1.2\ta\tb"] * 1000
    assert sys.getrefcount(block) == before


def test_batches_and_blocks_do_not_change_the_rows(tmp_path, monkeypatch):
    data = b"".join(
        b"1.%d\tline %d\t%s\n" % (n, n, [b"ok", b"\xff", b"a\tb", "e\u0301".encode()][n % 4]) for n in range(50)
    )
    path = laser(tmp_path, data)
    rows = read(path)
    for size in (1, 7, 64):
        monkeypatch.setattr(archives, "BLOCK_BYTES", size)
        assert read(path, batch_rows=3) == rows


def test_batches_have_the_requested_length_except_the_last(tmp_path):
    path = laser(tmp_path, GOOD * 8)
    file = InputFile(path, "laser-tsv", "tr", xx_code="tr")
    assert [len(batch) for batch in read_pairs(file, batch_rows=3)] == [
        3,
        3,
        2,
    ]


PIECES = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\t", b"1.1\ta\tb\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xcc\x81", b"e"])
    | st.binary(max_size=8)
    | st.text(max_size=8).map(lambda text: text.encode()),
    max_size=30,
).map(b"".join)


@settings(deadline=None)
@given(PIECES, st.integers(1, 40), st.integers(1, 5))
def test_any_bytes_become_as_many_rows_as_lines_in_any_blocks(data, size, batch_rows):
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        assume(not data.startswith((b"\x1f\x8b", b"PK", b"PAR1", b"<", b"BZh")))  # those would be other files
        path = Path(folder) / "any.tsv"
        data += b"\n1.1\ta\tb\n"  # one good line, so that the file is surely of the format
        path.write_bytes(data)
        patch.setattr(lines, "MAX_LINE_BYTES", 30)
        rows = read(path)
        content = data.removeprefix(b"\xef\xbb\xbf")
        assert len(rows) == content.count(b"\n") + (content[-1:] not in (b"", b"\n"))
        patch.setattr(archives, "BLOCK_BYTES", size)
        assert read(path, batch_rows=batch_rows) == rows


def noise(num_lines: int) -> bytes:
    return b"".join(b"1.1\t%x\tx\n" % random.Random(n).getrandbits(400) for n in range(num_lines))


def test_gzip_file_may_have_several_members_and_padding(tmp_path, monkeypatch):
    path = laser(tmp_path, b"")
    path.write_bytes(gzip.compress(GOOD[:5]) + gzip.compress(GOOD[5:]) + b"\0" * 1000)
    for size in (1, 9, 1 << 20):
        monkeypatch.setattr(archives, "READ_BYTES", size)
        assert texts(read(path)) == [("one", "bir")]


@pytest.mark.parametrize("cut", [1, 8, 2000])
def test_truncated_gzip_file_is_an_error_with_the_lines_read(tmp_path, monkeypatch, cut):
    monkeypatch.setattr(archives, "READ_BYTES", 1000)
    path = laser(tmp_path, noise(200))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(
        InputError, match=r"tsv.gz is damaged \(after about [12]?\d\d lines: .*middle\). Delete it and pull"
    ):
        read(path)


def test_flipped_bit_is_an_error(tmp_path):
    path = laser(tmp_path, noise(200))
    data = bytearray(path.read_bytes())
    for position in (len(data) // 2, -6, -2):
        path.write_bytes(data[:position] + bytes([data[position] ^ 8]) + data[position:][1:])
        with pytest.raises(InputError, match="is damaged"):
            read(path)


@pytest.mark.parametrize(
    "data", [b"", b"plain text", b"\x1f", gzip.compress(GOOD, mtime=0) + b"garbage", b"\x1f\x8bgarbage"]
)
def test_invalid_gzip_file_is_an_error(tmp_path, data):
    path = laser(tmp_path, b"")
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"is damaged .* Delete it and pull it again"):
        read(path)


def test_html_page_instead_of_a_gzip_file_is_an_error(tmp_path):
    path = laser(tmp_path, b"")
    path.write_bytes(b"\n<!DOCTYPE html><title>404</title>")
    with pytest.raises(InputError, match="it is an HTML page"):
        read(path)


def test_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "SPARE_EXPANSION", 1 << 20)
    path = laser(tmp_path, b"")
    path.write_bytes(zlib.compress(b"0" * (50 << 20), wbits=31))
    with pytest.raises(InputError, match=r"expands to more than .* bytes, refused as a decompression bomb"):
        read(path)


@settings(deadline=None)
@given(st.data())
def test_damaged_gzip_file_is_an_error_or_harmless(data):
    whole = bytearray(gzip.compress(noise(5)))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "any.tsv.gz"
        path.write_bytes(whole)
        with suppress(InputError):
            assert len(read(path)) == 5


def test_missing_files_and_unknown_formats_are_errors(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read(tmp_path / "absent.tsv.gz")
    with pytest.raises(InputError, match=r"Unknown format of bitext 'laser'. Did you mean laser-tsv"):
        read_pairs(InputFile(tmp_path, "laser", "tr", xx_code="tr"))
    with pytest.raises(InputError, match="needs two codes"):
        read_pairs(InputFile(tmp_path, "tmx", "en", xx_code="en"))
