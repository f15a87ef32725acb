"""Mistakes in the user's tables of translation stop a run before any work, with file, row, key and nearest name."""

from pathlib import Path

import pytest

from builders.translation import check_tables
from corpora.errors import InputError
from corpora.extensions import extend


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        (
            "placeholders.toml",
            'pattern = "("\ntrigger = "x"\ndescription = "x"',
            "'pattern' must be a regular expression",
        ),
        (
            "placeholders.toml",
            'patern = "x"\ntrigger = "x"\ndescription = "x"',
            "Unknown key 'patern'. Did you mean pattern",
        ),
        ("lines.toml", 'pattern = "x"', "the key 'description' is missing"),
        ("empty_input.toml", 'pattern = 3\ndescription = "x"', "'pattern' must be a string, not 3"),
        ("do_not_translate.toml", 'keep = ["output"]\ndescription = "x"', "one of the keys instruction, input, output"),
        ("do_not_translate.toml", 'keep = []\ninput = "x"\ndescription = "x"', "'keep' must name at least one of"),
        (
            "do_not_translate.toml",
            'keep = ["outputs"]\ninput = "x"\ndescription = "x"',
            "'outputs'. Did you mean output",
        ),
        ("quality_checks.toml", 'description = "x"', "Unknown built-in check 'mine'"),
        ("quality_checks.toml", 'description = "x"\nfunction = "code:check"', "holds code.py"),
        ("translators.toml", 'description = "x"\nkind = "ctranslate"', "'ctranslate'. Did you mean ctranslate2"),
    ],
)
def test_a_mistake_in_a_table_is_refused_before_any_work(tmp_path: Path, file: str, row: str, message: str):
    (tmp_path / file).write_text(f"[mine]\n{row}\n", encoding="utf-8")
    with extend([tmp_path]), pytest.raises(InputError) as error:
        check_tables()
    assert str(error.value).startswith(f"{tmp_path / file}, table [mine]")
    assert message in str(error.value)


def test_an_unknown_translator_is_refused_before_any_work():
    check_tables("none")
    with pytest.raises(InputError, match="There is no translator 'nlb'"):
        check_tables("nlb")
