"""Filters of the user's own: strict rows in a --with folder, SQL that is bound before any work, Python functions."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builders.pipeline.check_filters import check_filters
from builders.pipeline.filters import TABLES, all_filters, choose_filters
from corpora.errors import InputError
from corpora.extensions import Extensions, extend, use_extensions

LINES = [
    (1.2, "The cat sleeps on the roof.", "Η γάτα κοιμάται στη στέγη."),
    (1.2, "The dog barks at the stranger!", "Ο σκύλος γαβγίζει στον ξένο."),
    (1.2, "<b>The goat</b> eats the grass.", "Η κατσίκα τρώει το χορτάρι."),
    (1.2, "The horse drinks!", "Το άλογο πίνει."),
]
ROW = """
[exclamation]
table = "measured"
reject = "ends_with(en, '!') and en_length >= $min"
thresholds = { min = 20 }
description = "The English side ends with an exclamation mark."
"""
FUNCTION = """
[exclamation]
table = "measured"
function = "my_filters:exclamation"
thresholds = { min = 20 }
description = "The English side ends with an exclamation mark."
"""
CODE = """
def exclamation(frame, min):
    return frame["en"].str.ends_with("!") & (frame["en_length"] >= min)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose tables and code are in use."""
    with extend([tmp_path]):
        yield tmp_path


@pytest.fixture
def reasons(judge, tmp_path: Path) -> Callable[[str, str], list[str | None]]:
    """Why each of LINES is rejected, with the user's filters and code."""

    def run(filters: str, code: str = "") -> list[str | None]:
        (tmp_path / "filters.toml").write_text(filters, encoding="utf-8")
        (tmp_path / "my_filters.py").write_text(code, encoding="utf-8")
        return [row["reject_reason"] for row in judge(LINES, folder=tmp_path)]

    return run


def refusal(folder: Path, row: str) -> str:
    """The sentence with which the row of a filter is refused."""
    (folder / "filters.toml").write_text(row, encoding="utf-8")
    with pytest.raises(InputError) as error:
        check_filters(choose_filters({}, ()))
    assert str(folder / "filters.toml") in str(error.value)
    assert "[exclamation]" in str(error.value)
    return str(error.value)


def test_every_filter_of_ours_binds():
    check_filters(list(all_filters().values()), ["score_labse"])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("table =", "tabel =", "Unknown key 'tabel'. Did you mean table"),
        ("reject =", "rejects =", "Unknown key 'rejects'. Did you mean reject"),
        ("thresholds =", "threshold =", "Unknown key 'threshold'. Did you mean thresholds"),
        ("description =", "describtion =", "Unknown key 'describtion'. Did you mean description"),
        (
            'description = "The',
            'warn_abov = 0.1\ndescription = "The',
            "Unknown key 'warn_abov'. Did you mean warn_above",
        ),
        ('description = "The', 'default = "of"\ndescription = "The', "'default' 'of'. Did you mean off"),
        ('description = "The', 'by_language = { ell = { min = 1 } }\ndescription = "The', "Did you mean el"),
        ('description = "The', 'by_language = { el = { mim = 1 } }\ndescription = "The', "Did you mean min"),
        ('description = "The', 'can_disable = false\ndescription = "The', "'reason' belong together"),
        ('description = "The', 'warn_above = 2\ndescription = "The', "a share from 0 to 1, not 2"),
        ('description = "The', 'function = "a:b"\ndescription = "The', "either 'reject' or 'function'"),
        ('"measured"', '"measurd"', "'measurd'. Did you mean measured"),
        ("{ min = 20 }", '{ min = "20" }', "'thresholds.min' must be"),
        ("{ min = 20 }", "{ mim = 20 }", "key 'reject': Unknown threshold 'min'. Did you mean mim"),
        ("en_length", "en_lenght", "key 'reject': unknown column 'en_lenght'. Did you mean en_length"),
        ("ends_with(", "end_with(", "key 'reject': unknown function 'end_with'. Did you mean ends_with"),
        ("and en_length", "andd en_length", "key 'reject': syntax error"),
        ("ends_with(en, '!')", "ends_with(en, 1)", "key 'reject': No function matches"),
    ],
)
def test_typos_are_refused_with_file_row_key_and_nearest_name(folder: Path, before: str, after: str, message: str):
    assert before in ROW
    assert message in refusal(folder, ROW.replace(before, after, 1))


@pytest.mark.parametrize("table", TABLES)
def test_a_condition_reads_the_columns_of_its_own_table_only(folder: Path, table: str):
    row = ROW.replace("measured", table).replace("en_length >= $min", "mistyped >= $min")
    assert re.search(f"unknown column '\\w+'.*condition over the table {table}\\.", refusal(folder, row))


def test_a_mistyped_filter_stops_a_build_before_any_work(request_for, tmp_path: Path):
    from builders.run import run_build

    request = request_for({"small": {"el": LINES}}, folder=tmp_path)
    (tmp_path / "filters.toml").write_text(ROW.replace("en_length", "en_lenght"), encoding="utf-8")
    with pytest.raises(InputError, match="unknown column 'en_lenght'"):
        run_build(request)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_row_of_a_with_folder_is_a_filter_like_ours(reasons):
    assert reasons(ROW) == [None, "exclamation", "markup", None]


def test_a_row_of_a_with_folder_replaces_ours_of_the_same_name(reasons):
    row = '[markup]\ntable = "measured"\nreject = "en_length < 20"\ndescription = "Short."\n'
    assert reasons(row) == [None, None, None, "markup"]


def test_a_python_filter_rejects_what_its_function_returns_true_for(reasons):
    assert reasons(FUNCTION, CODE) == [None, "exclamation", "markup", None]


@pytest.mark.slow
def test_a_python_filter_has_its_place_in_the_order(reasons):
    everything = "def exclamation(frame, min):\n    return frame['en'].str.len_chars() > 0\n"
    assert reasons(FUNCTION, everything) == ["exclamation", "exclamation", "markup", "exclamation"]
    assert reasons(FUNCTION.replace("measured", "pairs"), everything) == ["exclamation"] * 4


@pytest.mark.slow
@pytest.mark.parametrize("table", ["pairs", "decisions"])
def test_a_python_filter_may_read_other_tables(reasons, table: str):
    code = "def exclamation(frame, min):\n    return frame['en'].str.ends_with('!')\n"
    found = reasons(FUNCTION.replace("measured", table), code)
    assert found == [None, "exclamation", "markup", "exclamation"]


@pytest.mark.slow
def test_a_python_filter_needs_no_threshold(reasons):
    code = "def exclamation(frame):\n    return frame['en'].str.ends_with('!')\n"
    assert reasons(FUNCTION.replace("thresholds = { min = 20 }\n", ""), code) == [
        None,
        "exclamation",
        "markup",
        "exclamation",
    ]


@pytest.mark.slow
def test_changed_source_of_a_python_filter_makes_the_stage_again(reasons):
    assert reasons(FUNCTION, CODE)[3] is None
    assert reasons(FUNCTION, CODE.replace('"!"', '"."'))[:2] == ["exclamation", None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("frame['en_length']", "returned a Series of Int64; a boolean Series was expected"),
        ("'yes'", "returned str; a boolean Series was expected"),
        ("frame['en'].is_null().head(0)", "returned 0 values for"),
        ("frame['en_lenght']", "raised ColumnNotFoundError"),
        ("1 / 0", "raised ZeroDivisionError: division by zero"),
    ],
)
def test_what_goes_wrong_in_a_python_filter_is_a_sentence(reasons, body: str, message: str):
    with pytest.raises(InputError) as error:
        reasons(FUNCTION, f"def exclamation(frame, min):\n    return {body}\n")
    assert "The filter exclamation failed: my_filters:exclamation" in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_python_code_is_refused_from_folders_that_no_command_line_named(tmp_path: Path):
    (tmp_path / "my_filters.py").write_text(CODE, encoding="utf-8")
    with use_extensions(Extensions(folders=(tmp_path,))):
        message = refusal(tmp_path, FUNCTION)
    assert "key 'function'" in message
    assert "only from a folder that is given with --with on the command line" in message


def test_a_missing_function_is_refused_before_any_work(folder: Path):
    (folder / "my_filters.py").write_text("other = 1\n", encoding="utf-8")
    assert "has no function 'exclamation'" in refusal(folder, FUNCTION)


@pytest.mark.slow
def test_a_python_filter_is_in_the_manifest_with_the_digest_of_its_source(request_for, tmp_path: Path):
    from builders.run import run_publish
    from corpora.files import sha256_of

    request = request_for({"small": {"el": LINES}}, folder=tmp_path)
    (tmp_path / "filters.toml").write_text(FUNCTION, encoding="utf-8")
    (tmp_path / "my_filters.py").write_text(CODE, encoding="utf-8")
    (release,) = run_publish(replace(request), tmp_path / "registry", "instructions")
    rows = {rule["name"]: rule for rule in json.loads(json.dumps(release.manifest["filters"]))}
    assert "my_filters:exclamation" in rows["exclamation"]["reject"]
    assert sha256_of(tmp_path / "my_filters.py") in rows["exclamation"]["reject"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("en", "the condition is not true or false"),
        ("en_length", "the condition is not true or false"),
        ("'yes'", "the condition is not true or false"),
        ("en in (select en from measured)", "holds a subquery"),
        ("row_number() over () > 3", "holds a window function"),
        ("count(*) > 3", "holds an aggregate function"),
        ("true) then 'x' end --", "syntax error"),
        ("en_length >", "syntax error"),
    ],
)
def test_a_condition_is_true_or_false_for_one_row(folder: Path, condition: str, message: str):
    row = f'[exclamation]\ntable = "measured"\nreject = "{condition}"\ndescription = "x"\n'
    assert message in refusal(folder, row)


def test_a_threshold_that_the_condition_does_not_use_is_refused(folder: Path):
    row = ROW.replace("{ min = 20 }", "{ min = 20, max = 30 }")
    assert "'reject' does not use the threshold 'max'. Add $max, or remove it." in refusal(folder, row)
