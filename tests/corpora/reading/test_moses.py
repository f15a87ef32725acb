"""Moses zips: two members side by side, and every way in which a zip can lie."""

import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.reading import InputFile, archives, lines, read_pairs

EN, ZH = "NC.en-zh.en", "NC.en-zh.zh"


def moses(folder: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "en-zh.txt.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def read(path: Path, batch_rows: int = 100_000) -> list[dict]:
    return [
        row
        for batch in read_pairs(InputFile(path, "moses-zip", "zh", xx_code="zh"), batch_rows)
        for row in batch.to_pylist()
    ]


def sides(rows: list[dict]) -> list[tuple]:
    return [(row["line_number"], row["en"], row["xx"], row["read_error"]) for row in rows]


def test_two_members_are_read_side_by_side_without_margins(tmp_path):
    rows = read(moses(tmp_path, {"README": b"x", "LICENSE.en": b"y", EN: b"a\nb\n", ZH: "甲\n乙".encode()}))
    assert sides(rows) == [(1, "a", "甲", None), (2, "b", "乙", None)]
    assert [row["margin"] for row in rows] == [None, None]


def test_members_may_be_in_folders_and_empty_lines_are_pairs(tmp_path):
    path = moses(tmp_path, {"v16/deep/" + EN: b"\xef\xbb\xbfa\r\n\r\n", "v16/" + ZH: b"x\n\n"}, zipfile.ZIP_STORED)
    assert sides(read(path)) == [(1, "a", "x", None), (2, "", "", None)]


def test_read_error_of_either_side_is_that_of_the_pair(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 20)
    path = moses(tmp_path, {EN: b"ok\n\xff\nok\na\0b\nok\n", ZH: b"ok\n\0\n\xfe\n" + b"z" * 21 + b"\nok\n"})
    assert [row["read_error"] for row in read(path)] == [None, "invalid_utf8", "invalid_utf8", "nul_byte", None]


def test_blocks_of_different_length_stay_aligned(tmp_path, monkeypatch):
    english = b"".join(b"%d %s\n" % (n, b"x" * (n * 7 % 90)) for n in range(300))
    path = moses(tmp_path, {EN: english, ZH: b"".join(b"%d\n" % n for n in range(300))})
    whole = read(path)
    monkeypatch.setattr(archives, "BLOCK_BYTES", 100)
    rows = read(path, batch_rows=3)
    assert rows == whole
    assert len(rows) == 300
    assert all(row["en"].split(" ")[0] == row["xx"] == str(row["line_number"] - 1) for row in rows)


@pytest.mark.parametrize(("english", "chinese"), [(b"a\n" * 7, b"b\n" * 5), (b"a\n" * 7, b"")])
def test_sides_of_different_length_are_an_error_with_both_counts(tmp_path, monkeypatch, english, chinese):
    monkeypatch.setattr(archives, "BLOCK_BYTES", 3)
    message = f"en-zh.txt.zip: {EN} has 7 lines and {ZH} has {chinese.count(b'b')} lines"
    with pytest.raises(InputError, match=message):
        read(moses(tmp_path, {EN: english, ZH: chinese}))


ADDED = ["__MACOSX/._a.en", "._a.en", "__MACOSX/a.en", "@eaDir/a.en", ".AppleDouble/a.en", ".Trashes/a.en"]
ADDED += ["v1/System Volume Information/a.en", "$RECYCLE.BIN/a.en", "lost+found/a.en", ".git/a.en", ".DS_Store.en"]
PLAIN = ["a.en", "v1\\a.en", "v1/sub\\a.en", ".data/a.en", "my__MACOSX/a.en"]


@pytest.mark.parametrize("added", ADDED)
def test_what_systems_add_to_archives_is_no_member_of_the_corpus(tmp_path, added):
    path = moses(tmp_path, {added: b"\0", EN: b"a\n", "LICENSE.en": b"l", ZH: "甲\n".encode()})
    assert sides(read(path)) == [(1, "a", "甲", None)]


@pytest.mark.parametrize("name", PLAIN)
def test_folders_of_any_system_and_hidden_ones_hold_members(tmp_path, name):
    assert sides(read(moses(tmp_path, {name: b"a\n", ZH: b"b\n"}))) == [(1, "a", "b", None)]
    with pytest.raises(InputError, match=r"2 members ending in '\.en'"):
        read(moses(tmp_path, {name: b"a\n", EN: b"a\n", ZH: b"b\n"}))


@pytest.mark.parametrize("name", ["../x.en", "a/../../x.en", "/etc/x.en", "..\\x.en", "\\\\host\\x.en", "C:x.en"])
def test_name_that_leaves_the_archive_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="unsafe name"):
        read(moses(tmp_path, {EN: b"a\n", ZH: b"b\n", name: b""}))
    assert [path.name for path in tmp_path.iterdir()] == ["en-zh.txt.zip"]


@pytest.mark.parametrize("members", [{}, {EN: b"a\n"}, {EN: b"", "other.en": b"", ZH: b""}])
def test_missing_and_repeated_members_are_errors_with_the_content(tmp_path, members):
    with pytest.raises(InputError, match=r"one was expected. It holds: (nothing|NC.en-zh.en)"):
        read(moses(tmp_path, members))


def test_encrypted_member_is_an_error(tmp_path):
    path = moses(tmp_path, {EN: b"a\n", ZH: b"b\n"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"the member {EN} is encrypted"):
        read(path)


def test_unsupported_compression_is_an_error(tmp_path):
    with pytest.raises(InputError, match="neither stored nor deflated"):
        read(moses(tmp_path, {EN: b"a\n", ZH: b"b\n"}, zipfile.ZIP_LZMA))


@pytest.mark.parametrize(("field", "offset"), [("checksum", 16), ("size", 24)])
def test_wrong_checksum_or_size_is_an_error(tmp_path, field, offset):
    path = moses(tmp_path, {EN: b"a\n" * 50, ZH: b"b\n" * 50})
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02") + offset
    data[place : place + 4] = struct.pack("<I", struct.unpack_from("<I", data, place)[0] + 3)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"is damaged .* Delete it and pull it again"):
        read(path)


@pytest.mark.parametrize("data", [b"", b"<html>", b"PK\x05\x06"])
def test_invalid_zip_is_an_error(tmp_path, data):
    path = tmp_path / "en-zh.txt.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"is damaged|XML or HTML found"):
        read(path)


def test_bomb_in_a_zip_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "SPARE_EXPANSION", 1 << 20)
    with pytest.raises(InputError, match="decompression bomb"):
        read(moses(tmp_path, {EN: b"0" * (20 << 20), ZH: b"\n"}))


@settings(deadline=None)
@given(st.data())
def test_damaged_zip_is_an_error_or_harmless(data):
    with TemporaryDirectory() as folder:
        path = moses(Path(folder), {EN: b"a\nb\n", ZH: b"c\nd\n"})
        whole = bytearray(path.read_bytes())
        position = data.draw(st.integers(0, len(whole) - 1))
        whole[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        path.write_bytes(whole)
        with suppress(InputError):
            assert [(row["en"], row["xx"]) for row in read(path)] == [("a", "c"), ("b", "d")]
