"""Every format and compression of a bitext is read, alone and in several files, and each wrong guess is refused."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.errors import InputError
from corpora.reading import InputFile, read_pairs

PAIRS = [("The lamp is on the table.", "Η λάμπα είναι στο τραπέζι."), ("The door is open.", "Η πόρτα είναι ανοιχτή.")]
TMX = '<?xml version="1.0"?><tmx version="1.4"><header srclang="en"/><body>{}</body></tmx>'
XLIFF_1 = (
    '<?xml version="1.0"?><xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">'
    '<file source-language="en-US" target-language="el" original="x"><body>{}</body></file></xliff>'
)
XLIFF_2 = (
    '<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="el" trgLang="en">'
    '<file id="f"><unit id="u">{}</unit></file></xliff>'
)


def zipped(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def arrow(is_file: bool) -> bytes:
    table = pa.table({"en": [en for en, _ in PAIRS], "xx": [xx for _, xx in PAIRS]})
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_file if is_file else pa.ipc.new_stream)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"en": [en for en, _ in PAIRS], "xx": [xx for _, xx in PAIRS]}), sink)
    return sink.getvalue().to_pybytes()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


CONTENTS = {
    "laser-tsv": "".join(f"1.2\t{xx}\t{en}\n" for en, xx in PAIRS).encode(),
    "moses-zip": zipped({"x.en": "".join(f"{en}\n" for en, _ in PAIRS), "x.el": "".join(f"{xx}\n" for _, xx in PAIRS)}),
    "tmx": TMX.format(
        "".join(
            f'<tu><tuv xml:lang="en"><seg>{en}</seg></tuv><tuv xml:lang="el"><seg>{xx}</seg></tuv></tu>'
            for en, xx in PAIRS
        )
    ).encode(),
    "xliff": XLIFF_1.format(
        "".join(f'<trans-unit id="1"><source>{en}</source><target>{xx}</target></trans-unit>' for en, xx in PAIRS)
    ).encode(),
    "parquet": parquet(),
    "arrow": arrow(True),
    "jsonl": "".join(json.dumps({"en": en, "xx": xx}, ensure_ascii=False) + "\n" for en, xx in PAIRS).encode(),
    "csv": ("en,xx\n" + "".join(f"{en},{xx}\n" for en, xx in PAIRS)).encode(),
    "tsv": ("en\txx\n" + "".join(f"{en}\t{xx}\n" for en, xx in PAIRS)).encode(),
}
COMPRESSIONS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}
TEXTS = ("laser-tsv", "tmx", "xliff", "jsonl", "csv", "tsv")  # formats of text, which may be compressed


def pairs_of(path: Path, name: str, others: tuple[Path, ...] = ()) -> list[tuple[str, str]]:
    batches = list(read_pairs(InputFile(path, name, "el", xx_code="el", others=others)))
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["line_number"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["read_error"] is None for row in rows)
    return [(row["en"], row["xx"]) for row in rows]


@pytest.mark.parametrize("name", CONTENTS)
def test_format_is_read_and_recognised_from_the_content(tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(CONTENTS[name])
    assert pairs_of(path, name) == PAIRS
    assert pairs_of(path, "auto") == PAIRS


@pytest.mark.parametrize("ending", COMPRESSIONS)
@pytest.mark.parametrize("name", TEXTS)
def test_compressed_text_is_read_whatever_its_name(tmp_path, name, ending):
    for path in (tmp_path / f"file.{ending}", tmp_path / "file"):
        path.write_bytes(COMPRESSIONS[ending](CONTENTS[name]))
        assert pairs_of(path, name) == pairs_of(path, "auto") == PAIRS


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_members_one_after_the_other_are_one_file(tmp_path, ending):
    path, compress = tmp_path / f"file.{ending}", COMPRESSIONS[ending]
    half = len(CONTENTS["laser-tsv"]) // 2
    path.write_bytes(compress(CONTENTS["laser-tsv"][:half]) + compress(CONTENTS["laser-tsv"][half:]))
    assert pairs_of(path, "laser-tsv") == PAIRS


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_incomplete_or_damaged_file_is_an_error(tmp_path, ending):
    path = tmp_path / f"file.{ending}"
    data = COMPRESSIONS[ending](CONTENTS["laser-tsv"] * 50)
    for broken in (data[: len(data) // 2], CONTENTS["laser-tsv"]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="is damaged"):
            pairs_of(path, "laser-tsv")


@pytest.mark.parametrize("ending", ["bz2", "xz", "zst"])
def test_bomb_is_refused(tmp_path, ending, monkeypatch):
    monkeypatch.setattr("corpora.reading.archives.SPARE_EXPANSION", 1 << 20)
    path = tmp_path / f"file.{ending}"
    path.write_bytes(COMPRESSIONS[ending](b"1.2\tx\ty\n" * 500_000))
    with pytest.raises(InputError, match="refused as a decompression bomb"):
        pairs_of(path, "laser-tsv")


def test_stream_of_arrow_is_read(tmp_path):
    (tmp_path / "file").write_bytes(arrow(False))
    assert pairs_of(tmp_path / "file", "arrow") == pairs_of(tmp_path / "file", "auto") == PAIRS


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("wrong", ["laser-tsv", "moses-zip", "tmx", "xliff", "parquet", "arrow", "jsonl", "csv", "tsv"])
def test_wrong_guess_is_refused(tmp_path, name, wrong):
    if name == wrong:
        return
    (tmp_path / "file").write_bytes(CONTENTS[name])
    with pytest.raises(InputError) as error:
        pairs_of(tmp_path / "file", wrong)
    assert str(tmp_path / "file") in str(error.value)


def test_error_shows_the_columns_and_the_first_lines(tmp_path):
    (tmp_path / "file").write_text("A lamp.\tΜια λάμπα.\nA door.\tΜια πόρτα.\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        pairs_of(tmp_path / "file", "laser-tsv")
    assert "two columns between tabs found, laser-tsv has three columns between tabs: margin, first, second." in str(
        error.value
    )
    assert "It begins: A lamp.<tab>Μια λάμπα. / A door.<tab>Μια πόρτα." in str(error.value)


def test_uncertain_content_is_refused_by_auto(tmp_path):
    for text in ("A lamp.\tΜια λάμπα.\n", "just text\n", ""):
        (tmp_path / "file").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="the format is not certain from the content"):
            pairs_of(tmp_path / "file", "auto")


def test_two_texts_side_by_side_and_several_files_are_read(tmp_path):
    for number, (en, xx) in enumerate(PAIRS):
        (tmp_path / f"{number}.en").write_text(f"{en}\n", encoding="utf-8")
        (tmp_path / f"{number}.el.xz").write_bytes(lzma.compress(f"{xx}\n".encode()))
        (tmp_path / f"{number}.tsv").write_text(f"1.2\t{xx}\t{en}\n", encoding="utf-8")
    first, *others = (tmp_path / f"{number}.{side}" for number in (0, 1) for side in ("en", "el.xz"))
    assert pairs_of(first, "text-pair", tuple(others)) == PAIRS
    assert pairs_of(tmp_path / "0.tsv", "laser-tsv", (tmp_path / "1.tsv",)) == PAIRS
    with pytest.raises(InputError, match="text-pair needs two files"):
        pairs_of(first, "text-pair", ())
    (tmp_path / "1.en").write_text("One.\nTwo.\n")
    with pytest.raises(InputError, match="so they are no bitext"):
        pairs_of(first, "text-pair", tuple(others))


def test_xliff_2_is_read_in_the_other_direction_without_codes_and_other_texts(tmp_path):
    segments = (
        '<originalData><data id="d">&lt;b&gt;</data></originalData>'
        '<segment><source>Μια <pc id="1">λάμπα</pc>.</source><target>A <ph id="2"/><mrk id="m">lamp</mrk>.</target>'
        "</segment><ignorable><source> </source></ignorable><segment><source>Τίποτα.</source></segment>"
    )
    path = tmp_path / "file.xlf"
    path.write_text(XLIFF_2.format(segments), encoding="utf-8")
    (batch,) = read_pairs(InputFile(path, "xliff", "el", xx_code="el"))
    assert [(row["en"], row["xx"], row["read_error"]) for row in batch.to_pylist()] == [
        ("A lamp.", "Μια λάμπα.", None),
        (None, "Τίποτα.", "missing_column"),
    ]


def test_xliff_1_leaves_out_suggestions_and_codes_of_layout(tmp_path):
    unit = (
        '<trans-unit id="1"><source>A <bpt id="1">&lt;b&gt;</bpt><g id="2">lamp</g>.</source>'
        "<seg-source><mrk>X</mrk></seg-source><target>Μια λάμπα.</target>"
        "<alt-trans><source>Y</source><target>Z</target></alt-trans></trans-unit>"
    )
    path = tmp_path / "file.xlf"
    path.write_text(XLIFF_1.format(unit), encoding="utf-8")
    assert pairs_of(path, "xliff") == [("A lamp.", "Μια λάμπα.")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (XLIFF_2.format("").replace('trgLang="en"', 'trgLang="de"'), "is from 'el' to 'de', but 'en' and 'el' were"),
        ('<!DOCTYPE xliff [<!ENTITY a "b">]><xliff>&a;</xliff>', "defines the entity 'a', which is refused"),
        (XLIFF_2[:60], "is not an XLIFF file that can be read"),
    ],
)
def test_bad_xliff_is_a_sentence(tmp_path, text, sentence):
    (tmp_path / "file").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        pairs_of(tmp_path / "file", "xliff")
