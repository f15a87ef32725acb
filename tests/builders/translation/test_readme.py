"""The README of translation: its tables are generated from the rows."""

from pathlib import Path

import pytest

from builders.translation import (
    CodeLine,
    DoNotTranslate,
    EmptyInput,
    Placeholder,
    QualityCheck,
    TranslatorRow,
    do_not_translate_rows,
    placeholder_rows,
    quality_check_rows,
    translator_rows,
)
from builders.translation.instruction_columns import InstructionColumns
from builders.translation.partition import STORE_SCHEMA
from corpora.tables import keys_table

README = Path(__file__).parents[3] / "builders" / "translation" / "README.md"


def table(heads: list[str], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return (
        "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)])
        + "\n"
    )


def quality_checks() -> str:
    rows = [
        (
            f"`{row.name}`",
            "flag" if row.flag else "bitext" if row.needs_bitext else "built in",
            row.description,
            ", ".join(f"`{name} = {value:g}`" for name, value in row.thresholds.items()),
        )
        for row in quality_check_rows().values()
    ]
    return table(["check", "found by", "what is wrong", "thresholds"], rows)


def placeholders() -> str:
    return table(["kind", "what"], [(f"`{row.name}`", row.description) for row in placeholder_rows().values()])


def do_not_translate() -> str:
    rows = [(f"`{row.name}`", ", ".join(row.keep), row.description) for row in do_not_translate_rows().values()]
    return table(["rule", "stays in English", "why"], rows)


GENERATED = {
    "quality checks": quality_checks,
    "placeholders": placeholders,
    "do-not-translate rules": do_not_translate,
    "keys of QualityCheck": lambda: keys_table(QualityCheck, "name"),
    "keys of DoNotTranslate": lambda: keys_table(DoNotTranslate, "name"),
    "keys of Placeholder": lambda: keys_table(Placeholder, "name"),
    "keys of CodeLine": lambda: keys_table(CodeLine, "name"),
    "keys of InstructionColumns": lambda: keys_table(InstructionColumns, "name"),
    "keys of TranslatorRow": lambda: keys_table(TranslatorRow, "name"),
}


@pytest.mark.parametrize("name", GENERATED)
def test_tables_are_generated(name: str) -> None:
    assert GENERATED[name]() in README.read_text(encoding="utf-8"), f"put this into the README:\n{GENERATED[name]()}"


def test_empty_inputs_have_the_keys_of_code_lines() -> None:
    names = [set(kind.__dataclass_fields__) for kind in (CodeLine, EmptyInput)]
    assert names[0] == names[1]


def test_translators_and_columns_are_listed() -> None:
    text = README.read_text(encoding="utf-8")
    for row in translator_rows().values():
        assert f"`{row.name}`" in text
    for name in STORE_SCHEMA.names:
        assert f"\n| `{name}` | " in text
