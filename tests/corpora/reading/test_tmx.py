"""TMX: units, languages, markup, and the traps of XML."""

import gzip
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.reading import InputFile, archives, lines, read_pairs, tmx

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header/><body>'


def tuv(lang: str, seg: str) -> str:
    return f'<tuv xml:lang="{lang}"><prop>no text</prop><seg>{seg}</seg></tuv>'


def write(folder: Path, *units: str, head: str = HEAD) -> Path:
    path = folder / "en-pt.tmx"
    path.write_text(head + "".join(f"<tu>{unit}</tu>\n" for unit in units) + "</body></tmx>", encoding="utf-8")
    return path


def read(path: Path, code: str = "pt") -> list[dict]:
    return [row for batch in read_pairs(InputFile(path, "tmx", code, xx_code=code)) for row in batch.to_pylist()]


def test_unit_is_a_row_in_either_order_of_its_sides(tmp_path):
    rows = read(write(tmp_path, tuv("en", "a &amp; b") + tuv("pt", "c"), tuv("pt", "cafe\u0301") + tuv("en", "d ")))
    assert rows[0] == {"line_number": 1, "en": "a & b", "xx": "c", "margin": None, "read_error": None}
    assert rows[1] == {"line_number": 2, "en": "d ", "xx": "café", "margin": None, "read_error": None}


def test_language_includes_its_regions_but_not_the_reverse(tmp_path):
    path = write(tmp_path, tuv("EN-us", "a") + tuv("PT_pt", "b") + tuv("pt-BR", "c"))
    assert [row["xx"] for row in read(path)] == ["b"]
    assert [row["xx"] for row in read(path, "pt-br")] == ["c"]
    assert [row["read_error"] for row in read(path, "pt-AO")] == ["missing_column"]


def test_unit_without_both_languages_is_a_read_error(tmp_path):
    rows = read(write(tmp_path, tuv("en", "a"), tuv("en", "b") + tuv("pt", "c"), tuv("de", "d"), ""))
    assert [(row["en"], row["xx"], row["read_error"]) for row in rows] == [
        ("a", None, "missing_column"),
        ("b", "c", None),
        (None, None, "missing_column"),
        (None, None, "missing_column"),
    ]


def test_layout_codes_are_not_text_but_highlighted_text_is(tmp_path):
    seg = 'a<bpt i="1">&lt;b&gt;</bpt>b<ept i="1">&lt;/b&gt;</ept><ph>x<sub>y</sub></ph> <hi>c</hi>\n d\r\ne'
    assert read(write(tmp_path, tuv("en", seg) + tuv("pt", "x")))[0]["en"] == "ab c  d e"


def test_segment_that_is_too_long_is_a_read_error(tmp_path, monkeypatch):
    monkeypatch.setattr(tmx, "MAX_LINE_BYTES", 5000)
    rows = read(write(tmp_path, tuv("en", "a" * 9000) + tuv("pt", "b"), tuv("en", "a") + tuv("pt", "b")))
    assert [(len(row["en"]), row["read_error"]) for row in rows] == [(lines.SHOWN_CHARS, "oversized_line"), (1, None)]


def test_gzip_utf16_and_small_chunks_give_the_same_rows(tmp_path, monkeypatch):
    path = write(tmp_path, *[tuv("en", f"a{n}") + tuv("pt", f"ç{n}") for n in range(20)])
    rows = read(path)
    packed = tmp_path / "en-pt.tmx.gz"
    packed.write_bytes(gzip.compress(path.read_text("utf-8").replace("UTF-8", "UTF-16").encode("utf-16")))
    monkeypatch.setattr(archives, "BLOCK_BYTES", 13)
    assert len(rows) == 20
    assert read(path) == rows
    assert read(packed) == rows


LAUGHS = '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><tmx><body>'
PARAMETER = '<!DOCTYPE tmx [<!ENTITY % a "ha">]><tmx><body>'
EXTERNAL = '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]><tmx><body>'


@pytest.mark.parametrize(("head", "seg"), [(LAUGHS, "&b;"), (PARAMETER, "x"), (EXTERNAL, "&a;")])
def test_own_entities_are_an_error(tmp_path, head, seg):
    with pytest.raises(InputError, match=r"defines the entity .* refused"):
        read(write(tmp_path, tuv("en", seg) + tuv("pt", "x"), head=head))


BAD = ["a\x01b", "a&#x1F;b", "a\uffffb", "a & b", "a < 5", "<b>a", "a&unknown;b", "a</seg>b", "&#xD800;", "a&#0;b"]
FINE = [
    ("&nbsp;a", "\xa0a"),
    ("a &eacute; &#233; &#xE9;", "a é é é"),
    ("a &lt; b &amp; c", "a < b & c"),
    ("<![CDATA[a < b & c]]>", "a < b & c"),
    ("a<!-- & < -->b", "ab"),
    ("\ufdd0 \ue000 \x85", "\ufdd0 \ue000 \x85"),
]


@pytest.mark.parametrize("seg", BAD)
def test_unit_that_is_not_well_formed_costs_itself_only(tmp_path, seg, monkeypatch):
    good = [tuv("en", f"a{n}") + tuv("pt", f"b{n}") for n in range(9)]
    path = write(tmp_path, *good[:4], tuv("en", seg) + tuv("pt", "x"), *good[4:])
    rows = read(path)
    assert [row["read_error"] for row in rows] == [None] * 4 + ["invalid_xml"] + [None] * 5
    assert [row["en"] for row in rows if not row["read_error"]] == [f"a{n}" for n in range(9)]
    assert [row["line_number"] for row in rows] == list(range(1, 11))
    monkeypatch.setattr(archives, "BLOCK_BYTES", 13)
    assert read(path) == rows


@pytest.mark.parametrize(("seg", "text"), FINE)
@pytest.mark.parametrize("other", ["a", "a & b"])
def test_well_formed_units_are_read_alike_beside_a_bad_one(tmp_path, seg, text, other):
    rows = read(write(tmp_path, tuv("en", other) + tuv("pt", "x"), tuv("en", seg) + tuv("pt", "x")))
    assert (rows[1]["en"], rows[1]["read_error"]) == (text, None)


@pytest.mark.parametrize(
    ("unit", "error"),
    [("a\0b", "nul_byte"), ("a\udcffb", "invalid_utf8"), ("a" * 20_000_000, None)],
)
def test_bytes_that_no_xml_has_are_charged_to_their_unit(tmp_path, unit, error):
    path = write(tmp_path, tuv("en", "a") + tuv("pt", "b"), tuv("en", "SEG") + tuv("pt", "x"))
    path.write_bytes(path.read_bytes().replace(b"SEG", unit.encode("utf-8", "surrogateescape")))
    if error:
        assert [row["read_error"] for row in read(path)] == [None, error]
    else:
        assert [row["read_error"] for row in read(path)] == [None, "oversized_line"]


BREAKS = ["a<ph>&lt;br/&gt;</ph>b", 'a<ph type="lb"/>b', "a<br/>b", "a <it pos='begin'>\\n</it> b", "a<p>b</p>"]
WORDS = [
    "a<bpt i='1'>&lt;i&gt;</bpt>b<ept i='1'>&lt;/i&gt;</ept>",
    "a<hi>b</hi>",
    "a<ph x='1'>&lt;img src='x'/&gt;</ph>b",
    "a<it pos='end'>&lt;/b&gt;</it>b",
    "a<ph>x<sub>y<ph>z</ph></sub></ph>b",
]


@pytest.mark.parametrize(("seg", "text"), [*((seg, "a b") for seg in BREAKS), *((seg, "ab") for seg in WORDS)])
def test_codes_for_breaks_keep_words_apart_and_others_do_not_split_them(tmp_path, seg, text):
    assert read(write(tmp_path, tuv("en", seg) + tuv("pt", "x")))[0]["en"].rstrip() == text


def test_file_that_is_no_tmx_is_an_error(tmp_path):
    with pytest.raises(InputError, match="outermost element is <html>"):
        read(write(tmp_path, head="<html>"))
    with pytest.raises(InputError, match="encoding"):
        read(write(tmp_path, head='<?xml version="1.0" encoding="klingon"?><tmx>'))
    (tmp_path / "en-pt.tmx").write_text("")
    with pytest.raises(InputError, match="can be read: no element found"):
        read(tmp_path / "en-pt.tmx")


@pytest.mark.parametrize("junk", ["\0\0", "\x1a", "<br/>Warning: disk & quota", "</tmx>", "\uffff"])
def test_what_follows_the_end_of_the_document_costs_no_unit(tmp_path, junk):
    path = write(tmp_path, tuv("en", "a") + tuv("pt", "b"))
    path.write_text(path.read_text() + junk)
    assert [(row["en"], row["xx"], row["read_error"]) for row in read(path)] == [("a", "b", None)]


def test_truncated_file_is_an_error(tmp_path):
    path = write(tmp_path, tuv("en", "a") + tuv("pt", "b"))
    packed = tmp_path / "en-pt.tmx.gz"
    packed.write_bytes(gzip.compress(path.read_bytes())[:-3])
    with pytest.raises(InputError, match=r"is damaged .after about 1 units"):
        read(packed)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"cannot be read|can be read"):
        read(path)


@settings(deadline=None)
@given(st.text('<>/&;![]tuvseg"= a\n', max_size=40))
def test_any_text_in_a_file_is_read_or_an_error(text):
    with TemporaryDirectory() as folder, suppress(InputError):
        read(write(Path(folder), text))
