"""The README of cards: its tables of manifest keys are generated, and its Python runs on the sample."""

import re
from pathlib import Path
from typing import Any

import pytest

import cards
from cards.manifest_types import manifest_schema

README = (Path(cards.__file__).parent / "README.md").read_text(encoding="utf-8")
PARTS = ("Manifest", "Config", "Split", "FileEntry", "FilterEntry", "CompositionRow", "LedgerRow")
SCHEMA = manifest_schema()
DEFINITIONS = SCHEMA["$defs"] | {"Manifest": SCHEMA}


def type_name(value: dict[str, Any]) -> str:
    """Return the type of a key as the README writes it."""
    if "anyOf" in value:
        return " or ".join(type_name(part) for part in value["anyOf"])
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return "any" if name == "JsonValue" else str(name)
    if "enum" in value or "const" in value:
        return " or ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        return f"list of {type_name(value['items'])}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
        kind = type_name(inner) if isinstance(inner, dict) else "any"
        return "object" if kind == "any" else f"object of {kind}"
    return str(value.get("type", "any"))


def part_table(part: str) -> str:
    """Return the keys of a part of the manifest as a table in Markdown."""
    required = DEFINITIONS[part]["required"]
    lines = ["| key | type | meaning |", "|---|---|---|"]
    for key, value in DEFINITIONS[part]["properties"].items():
        text = value["description"] + ("" if key in required else " Optional.")
        lines.append(f"| `{key}` | {type_name(value)} | {text} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("part", PARTS)
def test_tables_of_manifest_keys_are_generated(part):
    assert part_table(part) in README, f"put this into cards/README.md:\n{part_table(part)}"


def test_every_key_has_a_meaning():
    for part in DEFINITIONS.values():
        for key, value in part.get("properties", {}).items():
            assert value.get("description"), key


@pytest.mark.slow
def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(code, names)  # the code of the documentation
    assert names["verification"].is_intact  # type: ignore[attr-defined]
    assert names["digest"] == names["split"]["content_sha256"]  # type: ignore[index]
