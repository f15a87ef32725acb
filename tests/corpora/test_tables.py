"""Strict tables: rows from TOML, CSV and YAML, every fault as a sentence, and the reference tables of row types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from corpora.errors import InputError
from corpora.tables import (
    STRICT,
    check_reference,
    keys_table,
    parse_row,
    read_csv_rows,
    read_toml,
    read_toml_rows,
    read_yaml,
    row_keys,
)


@dataclass(frozen=True)
class Limit:
    __pydantic_config__ = STRICT
    max: float
    """Largest value."""


@dataclass(frozen=True)
class Check:
    __pydantic_config__ = STRICT
    name: str
    title: Annotated[str, Field(min_length=1, pattern="^[A-Z]?")]
    """What is checked,
    in one line."""
    kind: Literal["bitext", "instructions"] = "bitext"
    """Kind of data."""
    langs: tuple[str, ...] | Literal["any"] = "any"
    """Languages, or `"any"`."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight | factor."""
    count: int | None = None
    """How many."""
    is_on: bool = True
    """Whether it is used."""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """Limits by language."""
    folder: Path = Path()


def load(tmp_path: Path, text: str) -> dict[str, Check]:
    path = tmp_path / "checks.toml"
    path.write_text(text, encoding="utf-8")
    return read_toml_rows(path, Check, folder=tmp_path)


def test_toml_tables_become_rows_with_their_names_and_fixed_fields(tmp_path: Path) -> None:
    rows = load(tmp_path, '[a-b]\ntitle = "A"\nlangs = ["el", "hi"]\nlimits.el = { max = 2 }\n[c]\ntitle = "C"\n')
    assert rows == {
        "a-b": Check("a-b", "A", langs=("el", "hi"), limits={"el": Limit(2.0)}, folder=tmp_path),
        "c": Check("c", "C", folder=tmp_path),
    }


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("titel = 1", "Unknown key 'titel'. Did you mean title?"),
        ("name = 'x'", "Unknown key 'name'"),
        ("folder = 'x'", "Unknown key 'folder'"),
        ("limits.a-b = { maxi = 1 }", "Unknown key of 'limits.a-b' 'maxi'. Did you mean max?"),
        ("limits.el = {}", "the key 'limits.el.max' is missing."),
        ("limits.el = 1", "'limits.el' must be a table, not 1."),
        ("limits = 1", "'limits' must be a table, not 1."),
        ('limits.el.max = "1"', "'limits.el.max' must be a number, not '1'."),
        ('kind = "bitexts"', "Unknown value of 'kind' 'bitexts'. Did you mean bitext?"),
        ("kind = 1", "Unknown value of 'kind' '1'. Known: bitext, instructions."),
        ('langs = "all"', """'langs' must be a list or "any", not 'all'."""),
        ("langs = [1]", "'langs' (item 1) must be a string, not 1."),
        ("weight = 0", "'weight' must be above 0, not 0."),
        ("count = 1.5", "'count' must be a whole number, not 1.5."),
        ("is_on = 1", "'is_on' must be true or false, not 1."),
        ("langs = 2026-01-01", "'langs' must not be a date or time. Put it in quotation marks."),
        ("limits.el.max = 2026-01-01", "'limits' must not be a date or time."),
    ],
)
def test_fault_in_a_row_is_an_error_with_file_row_and_key(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        load(tmp_path, f'[mine]\ntitle = "Mine"\n{line}\n')
    assert str(error.value).startswith(f"{tmp_path / 'checks.toml'}, table [mine]: ")
    assert sentence in str(error.value)


def test_missing_key_and_row_that_is_no_table_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"table \[mine\]: the key 'title' is missing\."):
        load(tmp_path, "[mine]\n")
    with pytest.raises(InputError, match=r"table \[mine\]: keys and values were expected, not 1\."):
        load(tmp_path, "mine = 1\n")
    with pytest.raises(InputError, match="part 1: 'title' must be a string"):
        parse_row({"title": None}, Check, "part 1", name="x", folder=tmp_path)


@dataclass(frozen=True)
class Tongue:
    __pydantic_config__ = STRICT
    code: str
    labels: tuple[str, ...] = ()
    ratio: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


def read_tongues(tmp_path: Path, text: str | bytes) -> dict[str, Tongue]:
    path = tmp_path / "tongues.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv_rows(path, Tongue, "code")


def test_csv_lines_become_rows_and_empty_cells_take_defaults(tmp_path: Path) -> None:
    rows = read_tongues(tmp_path, '\ufeffcode,labels,ratio\nel,el grc,1.19\n"h\u2028i",,\n')
    assert rows == {"el": Tongue("el", ("el", "grc"), 1.19), "h\u2028i": Tongue("h\u2028i")}
    assert read_tongues(tmp_path, "code\r\nel\r\n") == {"el": Tongue("el")}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("code,label\nel,el\n", "line 2: Unknown key 'label'. Did you mean labels?"),
        ("labels\nel\n", "line 2: the key 'code' is missing."),
        ("code,ratio\nel,much\n", "line 2: 'ratio' must be a number, not 'much'."),
        ("code,ratio\nel,nan\n", "line 2: 'ratio' must be a finite number, not 'nan'."),
        ("code,ratio\nel,-1\n", "line 2: 'ratio' must be above 0"),
        ("code,ratio\nel\n", "line 2: 2 columns were expected"),
        ("code,ratio\nel,1,2\n", "line 2: 2 columns were expected"),
        ("code\nel\nhi\nel\n", "line 4: code 'el' appears twice."),
        ("code,code\nel,el\n", "line 1: the column 'code' appears twice."),
        ('code\n"el\n', "is not valid CSV"),
        (b"code\n\xe9\n", "is not valid CSV"),
    ],
)
def test_fault_in_a_csv_file_is_an_error_with_its_line(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        read_tongues(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "tongues.csv"))
    assert sentence in str(error.value)


def test_yaml_must_hold_keys_and_values(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    assert read_yaml(path) == {"a": 1}
    for text, sentence in (("- 1\n", "must hold keys and values, not [1]"), ("a: [\n", "is not valid YAML")):
        path.write_text(text)
        with pytest.raises(InputError, match=re.escape(sentence)):
            read_yaml(path)


def test_key_that_appears_twice_in_yaml_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb: 2\na: 3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.yaml, line 3, is not valid YAML: the key 'a' appears twice\."):
        read_yaml(path)


@pytest.mark.parametrize("read", [read_toml, read_yaml])
def test_file_that_cannot_be_read_is_an_error(tmp_path: Path, read: object) -> None:
    (tmp_path / "latin").write_bytes('title = "\xe9"'.encode("latin-1"))
    for name, sentence in (("missing", "There is no file"), ("", "is a folder; a "), ("latin", "is not valid ")):
        with pytest.raises(InputError, match=re.escape(str(tmp_path / name))) as error:
            read(tmp_path / name)  # type: ignore[operator]
        assert sentence in str(error.value)


def test_unknown_reference_is_an_error_with_the_nearest_names() -> None:
    check_reference("el", ["el", "hi"], "language", "here")
    with pytest.raises(InputError, match=r"here: Unknown language 'ell'\. Did you mean el\?"):
        check_reference("ell", ["el", "hi"], "language", "here")


def test_keys_are_described_with_type_default_and_docstring() -> None:
    rows = {row["key"]: row for row in row_keys(Check, "name", "folder")}
    assert list(rows) == ["title", "kind", "langs", "weight", "count", "is_on", "limits"]
    assert rows["title"]["default"] == "required"
    assert rows["kind"] == {
        "key": "kind",
        "type": '`"bitext"` or `"instructions"`',
        "default": '"bitext"',
        "description": "Kind of data.",
    }
    assert (rows["langs"]["type"], rows["langs"]["default"]) == ('list of strings or `"any"`', '"any"')
    assert (rows["count"]["type"], rows["count"]["default"]) == ("whole number", "none")
    assert (rows["is_on"]["type"], rows["is_on"]["default"]) == ("true or false", "true")
    assert (rows["limits"]["type"], rows["limits"]["default"]) == ("table of tables", "{}")


def test_keys_are_a_table_in_markdown() -> None:
    lines = keys_table(Check, "name", "folder").splitlines()
    assert lines[:3] == [
        "| key | type | default | description |",
        "|---|---|---|---|",
        "| `title` | string | required | What is checked, in one line. |",
    ]
    assert r"| `weight` | number | `1.0` | Weight \| factor. |" in lines
