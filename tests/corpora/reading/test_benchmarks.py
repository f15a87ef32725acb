"""FLORES tar, XQuAD JSON and MLQA zip."""

import io
import json
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.reading import BENCHMARK_TEXTS, InputFile, archives, read_benchmark

FLORES = {
    "flores/dev/ell.dev": "α\nβ\n".encode(),
    "flores/devtest/ell.devtest": "γ\r\ncafe\u0301".encode(),
    "flores/dev/eng.dev": b"a\nb\n",
    "flores/README": b"read me",
}


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, data


def flores(folder: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    path = folder / "flores.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members or [member(name, data) for name, data in FLORES.items()]:
            archive.addfile(info, io.BytesIO(data))
    return path


def read(path: Path, format: str = "flores-tar", code: str = "ell") -> list[tuple]:
    table = read_benchmark(InputFile(path, format, "el", xx_code=code))
    assert table.schema == BENCHMARK_TEXTS
    return [tuple(row.values()) for row in table.to_pylist()]


def test_sentences_of_both_parts_are_numbered_from_one(tmp_path, monkeypatch):
    expected = [("dev:1", "α"), ("dev:2", "β"), ("devtest:1", "γ"), ("devtest:2", "café")]
    for size in (1 << 20, 100):
        monkeypatch.setattr(archives, "BLOCK_BYTES", size)
        assert read(flores(tmp_path)) == [(item, "sentence", text) for item, text in expected]
    assert read(flores(tmp_path), code="eng") == [("dev:1", "sentence", "a"), ("dev:2", "sentence", "b")]


def test_missing_language_is_an_error_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"no sentences in 'el' .*'ell_Grek'\). It has: ell, eng."):
        read(flores(tmp_path), code="ell_Grek")


def test_links_and_devices_are_neither_read_nor_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    links = [
        member("flores/dev/ell.dev", kind=tarfile.SYMTYPE, link=str(secret)),
        member("flores/devtest/ell.devtest", kind=tarfile.LNKTYPE, link="flores/dev/eng.dev"),
        member("flores/pipe", kind=tarfile.FIFOTYPE),
        member("flores/dev/eng.dev", b"a\n"),
    ]
    with pytest.raises(InputError, match=r"It has: eng."):
        read(flores(tmp_path, *links))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flores.tar.gz", "secret"]


@pytest.mark.parametrize("name", ["../dev/ell.dev", "/dev/ell.dev", "..\\dev"])
def test_name_that_leaves_the_archive_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="unsafe name"):
        read(flores(tmp_path, member("dev/ell.dev", b"a\n"), member(name, b"b\n")))


def test_repeated_member_and_a_bad_line_are_errors(tmp_path):
    with pytest.raises(InputError, match=r"has two members dev/ell\.dev"):
        read(flores(tmp_path, member("dev/ell.dev", b"a\n"), member("dev/ell.dev", b"b\n")))
    with pytest.raises(InputError, match=r"dev/ell.dev, line 2: invalid_utf8"):
        read(flores(tmp_path, member("dev/ell.dev", b"a\n\xff\n")))


def test_repeated_part_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"a/dev/ell.dev and b/dev/ell.dev"):
        read(flores(tmp_path, member("a/dev/ell.dev", b"a\n"), member("b/dev/ell.dev", b"b\n")))


def test_bomb_in_a_tar_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "SPARE_EXPANSION", 1 << 20)
    with pytest.raises(InputError, match="decompression bomb"):
        read(flores(tmp_path, member("dev/ell.dev", b"0" * (20 << 20))))


def test_truncated_and_foreign_files_are_errors(tmp_path):
    path = flores(tmp_path)
    whole = path.read_bytes()
    for data in (whole[:-4], whole[:60], whole + b"garbage", b"<html>", b"", zipfile.__doc__.encode()):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"is damaged .* Delete it and pull it again"):
            read(path)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_damaged_tar_is_an_error_or_read(data):
    with TemporaryDirectory() as folder:
        path = flores(Path(folder))
        whole = bytearray(archives._gunzip(path).__next__())
        position = data.draw(st.integers(0, len(whole) - 1))
        whole[position : position + 3] = data.draw(st.binary(max_size=4))
        path.write_bytes(archives.zlib.compress(bytes(whole), wbits=31))
        with suppress(InputError):
            read(path)


def squad(answers: object = ({"text": "cafe\u0301", "answer_start": 2},), **more: object) -> dict:
    question = {"id": "q1", "question": "Where?", "answers": list(answers), **more}
    return {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "At a cafe.", "qas": [question]}]}]}


ROWS = [("q1", "context", "At a cafe."), ("q1", "question", "Where?"), ("q1", "answer", "café")]


def write(folder: Path, page: object) -> Path:
    path = folder / "xquad.el.json"
    path.write_text(json.dumps(page), encoding="utf-8")
    return path


def test_question_has_a_context_and_answers(tmp_path):
    assert read(write(tmp_path, squad()), "squad-json") == ROWS
    assert read(write(tmp_path, {"data": []}), "squad-json") == []


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ([], "json: a list 'data' was expected"),
        ({"data": {}}, "json: a list 'data' was expected"),
        ({"data": [{"paragraphs": [3]}]}, r"json data\[0\] paragraphs\[0\]: a text 'context' was expected"),
        (squad(question=5), r"qas\[0\]: a text 'question' was expected"),
        (squad(answers=["x"]), r"qas\[0\] answers\[0\]: a text 'text' was expected"),
        (squad(id="\ud800"), r"qas\[0\]: a text 'id' was expected"),
    ],
)
def test_another_structure_is_an_error_with_its_path(tmp_path, page, message):
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, page), "squad-json")


def mlqa(folder: Path, parts: tuple[str, ...] = ("dev", "test")) -> Path:
    path = folder / "MLQA_V1.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.writestr(f"MLQA_V1/{part}/{part}-context-el-question-el.json", json.dumps(squad()))
            archive.writestr(f"MLQA_V1/{part}/{part}-context-en-question-el.json", "other")
    return path


def test_both_parts_of_mlqa_are_read_in_one_language(tmp_path):
    expected = [(f"{part}:{item}", field, text) for part in ("dev", "test") for item, field, text in ROWS]
    assert read(mlqa(tmp_path), "mlqa-zip", "el") == expected


def test_missing_part_of_mlqa_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no member ending in 'test/test-context-el-question-el.json'"):
        read(mlqa(tmp_path, ("dev",)), "mlqa-zip", "el")


def test_missing_files_and_unknown_formats_are_errors(tmp_path):
    for name in ("flores-tar", "squad-json", "mlqa-zip"):
        with pytest.raises(InputError, match="There is no file"):
            read(tmp_path / "absent.gz", name)
    with pytest.raises(InputError, match="Unknown format of benchmark 'squad'"):
        read(tmp_path, "squad")
