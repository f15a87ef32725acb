"""The house: which room may import which, and where each heavy library lives."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BELOW = {"corpora", "recipes", "cards"}
ROOMS = {"corpora": set(), "recipes": {"corpora"}, "cards": {"corpora"}, "builders": BELOW, "trainer": BELOW}
HOMES = {
    "fasttext": {"corpora"},
    "numba": {"corpora"},
    "urllib3": {"corpora"},
    "jinja2": {"cards"},
    "matplotlib": {"cards"},
    "scipy": {"recipes"},
    "duckdb": {"builders"},
    "ctranslate2": {"builders"},
    "sentencepiece": {"builders", "trainer"},
    "tokenizers": {"builders", "trainer"},
    "sentencex": {"builders"},
    "datasets": {"builders", "trainer"},
    "huggingface_hub": {"builders", "trainer"},
    "httpx2": {"builders"},
    "click": {"builders", "trainer"},
    "torch": {"trainer"},
    "transformers": {"trainer"},
    "trl": {"trainer"},
    "accelerate": {"trainer"},
    "peft": {"trainer"},
    "safetensors": {"trainer"},
    "sacrebleu": {"trainer"},
    "lm_eval": {"trainer"},
}
STRANGERS = {"pickle", "subprocess", "requests", "pandas", "cvxpy"}
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The top-level names of everything that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} uses a relative import"
            found.add((node.module or "").split(".")[0])
    return found


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_the_floors_below_it(path: Path) -> None:
    assert imported(path) & set(ROOMS) <= ROOMS[room_of(path)] | {room_of(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_heavy_library_has_one_home(path: Path) -> None:
    for library in imported(path) & set(HOMES):
        assert room_of(path) in HOMES[library], f"{library} belongs to {HOMES[library]}"
    assert not imported(path) & STRANGERS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_owns(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_every_sql_file_says_what_a_row_is() -> None:
    files = list((ROOT / "builders" / "sql").glob("*.sql"))
    assert files
    for path in files:
        first = path.read_text(encoding="utf-8").split("\n", 1)[0]
        assert first.startswith(("-- A row is", "-- One row:")), path.name


def test_the_names_that_say_nothing_are_not_used() -> None:
    stems = {path.stem for path in FILES}
    assert not stems & {"utils", "helpers", "common", "base", "manager", "handler", "processor", "factory"}
