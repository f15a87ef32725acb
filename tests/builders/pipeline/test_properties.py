"""Properties of any input: no line is lost, and decisions depend on neither shards nor threads."""

import gzip
import json
import re
import zipfile
from dataclasses import replace
from itertools import count
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import builders.pipeline.parts
import builders.pipeline.ranges
from builders.options import BuildOptions
from builders.run import run_build

pytestmark = pytest.mark.slow

FEW = settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(["Η γάτα κοιμάται στη στέγη.", "The cat sleeps on the roof.", "12", " "]).map(str.encode),
).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b""))
NUMBER = st.one_of(st.sampled_from([b"1.2", b"1.1", b"1.03"]), st.binary(max_size=5))
MARGIN = NUMBER.map(lambda margin: margin.replace(b"\n", b""))
LASER = st.lists(st.one_of(TEXT, st.tuples(MARGIN, TEXT, TEXT).map(b"\t".join)), min_size=1, max_size=30)
RECIPE = 'title = "Any"\nsummary = "Any."\nconfigs = "language"\nlangs = ["el"]\nbitext = ["any"]\n'
RECIPE += 'directions = ["en-xx"]\ndecontaminate_against = []\n'
CATALOG = '[any]\ntitle = "Any"\nkind = "bitext"\nversion = "1"\nformat = "{form}"\nurl = "{name}"\nlangs = ["el"]\n'
CATALOG += 'licence = "cc0-1.0"\n'
NUMBERS = count()


def request(folder: Path, form: str, name: str) -> BuildOptions:
    (folder / "any.toml").write_text(RECIPE)
    (folder / "corpora.toml").write_text(CATALOG.format(form=form, name=name))
    paths = {"work": folder / "work", "corpora_lock": folder / "lock.json"}
    asked = BuildOptions((str(folder / "any.toml"),), with_=(folder,), translator="none", **paths)
    return replace(asked, threads=1, offline=True)


def read_lines(asked: BuildOptions) -> pl.DataFrame:
    """The verdicts of a build, whose ledger has been checked by being read."""
    built = run_build(asked)[0]
    rows = built.lines("el").collect().sort("line_number")
    given = built.ledger.filter(pl.col("stage") == "measured")["num_in"].sum()
    assert given == rows.height
    return rows


@FEW
@given(LASER)
def test_every_line_of_any_laser_file_has_one_decision(tmp_path, lines):
    folder = tmp_path / str(next(NUMBERS))
    folder.mkdir()
    lines = [b"1.2\tOne good line.\tOne more.", *lines]  # without any, the file is refused as one of another format
    (folder / "any.tsv.gz").write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    rows = read_lines(request(folder, "laser-tsv", "any.tsv.gz"))
    assert rows["line_number"].to_list() == list(range(1, len(lines) + 1))


@FEW
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=30))
def test_every_line_of_any_moses_file_has_one_decision(tmp_path, pairs):
    folder = tmp_path / str(next(NUMBERS))
    folder.mkdir()
    with zipfile.ZipFile(folder / "any.zip", "w") as archive:
        for side, code in enumerate(("en", "el")):
            archive.writestr(f"any.{code}", b"".join(pair[side] + b"\n" for pair in pairs))
    rows = read_lines(request(folder, "moses-zip", "any.zip"))
    assert rows["line_number"].to_list() == list(range(1, len(pairs) + 1))


@FEW
@given(st.lists(st.dictionaries(st.sampled_from(["en", "el", "de"]), TEXT), min_size=1, max_size=20))
def test_every_unit_of_any_tmx_file_has_one_decision(tmp_path, units):
    folder = tmp_path / str(next(NUMBERS))
    folder.mkdir()
    told = "".join(f"<tu>{''.join(map(tuv, unit.items()))}</tu>" for unit in units)
    (folder / "any.tmx").write_text(f'<tmx version="1.4"><body>{told}</body></tmx>', encoding="utf-8")
    rows = read_lines(request(folder, "tmx", "any.tmx"))
    assert rows["line_number"].to_list() == list(range(1, len(units) + 1))
    lost = [not {"en", "el"} <= set(unit) for unit in units]
    assert [reason == "missing_column" for reason in rows["reject_reason"]] == lost


def tuv(side: tuple[str, bytes]) -> str:
    """A side of a unit, without the characters that XML cannot hold."""
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", side[1].decode("utf-8", "replace"))
    return f'<tuv xml:lang="{side[0]}"><seg>{escape(text)}</seg></tuv>'


VALUES = st.none() | st.text(st.characters(), max_size=5) | st.integers()
FIELDS = st.sampled_from(["instruction", "input", "output", "other"])


@FEW
@given(st.lists(st.dictionaries(FIELDS, VALUES) | VALUES, max_size=20))
def test_every_record_of_any_alpaca_file_is_counted(tmp_path, records):
    folder = tmp_path / str(next(NUMBERS))
    folder.mkdir()
    (folder / "any.json").write_text(json.dumps(records))
    asked = request(folder, "alpaca-json", "any.json")
    (asked.with_[0] / "corpora.toml").write_text(
        (asked.with_[0] / "corpora.toml").read_text().replace('"bitext"', '"instructions"')
    )
    text = RECIPE.replace('bitext = ["any"]', 'bitext = []\ninstructions = ["any"]\ninstruction_langs = ["en"]')
    Path(asked.recipes[0]).write_text(text.replace('directions = ["en-xx"]\n', ""))
    (asked.with_[0] / "corpora.toml").write_text(
        (asked.with_[0] / "corpora.toml").read_text().replace('langs = ["el"]', 'langs = ["en"]')
    )
    built = run_build(asked)[0]
    given_in = built.ledger["num_in"].sum()
    kept = built.ledger["num_kept"].sum()
    assert given_in == len(records)
    assert kept == built.composition["num_rows"].sum()


def test_decisions_do_not_depend_on_parts_ranges_and_threads(tmp_path, monkeypatch):
    found = []
    for part, rows_of_range, threads in ((1_000_000, 1_000_000, 1), (7, 60, 2), (100, 1_000, 4)):
        monkeypatch.setattr(builders.pipeline.parts, "PART_ROWS", part)
        monkeypatch.setattr(builders.pipeline.ranges, "RANGE_ROWS", rows_of_range)
        work = {"work": tmp_path / f"{part}-{threads}", "corpora_lock": tmp_path / "lock.json"}
        built = run_build(BuildOptions(("coit",), ("hi",), sample=True, threads=threads, **work))[0]
        found.append(built.lines("hi").sort("corpus", "line_number").collect())
    assert len(set(map(len, found))) == 1
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


@pytest.mark.parametrize("lines", [[], [b""]])
def test_file_without_lines_has_an_empty_ledger(tmp_path, lines):
    (tmp_path / "any.tsv.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    built = run_build(request(tmp_path, "laser-tsv", "any.tsv.gz"))[0]
    assert built.ledger.height == 0
