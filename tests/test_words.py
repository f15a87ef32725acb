"""The words: what a user reads, and then the code, speak the terms of the field and no private language.

`TERMS` are private words of the project's beginnings, each with the field's term for it. They are forbidden in help
texts, error messages, docstrings, comments of SQL, templates, descriptions of rows and documentation. `IDENTIFIERS` are
forbidden as names in Python. Words of ordinary English (place, form, plan) may be in any text.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("corpora", "recipes", "cards", "builders", "trainer")
TERMS = {
    r"heard|hears": "identified by fastText",
    r"charged (to|with|by)|is charged|be charged": "rejected with reason",
    r"mend(ed|s)?|mending": "fix",
    r"errand|troubles?": "request, download error",
    r"verdicts?": "decision",
    r"screened": "measured",
    r"stands? there|stand there twice": "appears",
    r"guards?|guarded": "quality check",
    r"shelf|shelves": "store, partition",
    r"overtaken": "conflict",
    r"(is|are|was|were|been|be) told": "is shown, is reported",
    r"(what|who|which|it|that|is|are|was|as) said": "describe, report",
    r"tells? (how|what|of|whether|which|why)": "reports, shows",
    r"exemplif\w+": "format examples",
    r"take turns": "alternate",
    r"of its own word|by its own word": "according to its manifest",
    r"a skin": "thin layer",
    r"(?<![-/])exams?": "academic benchmark",
    r"lends?|lent|borrows?": "shrinkage, partial pooling",
    r"sitting": "session",
}
IDENTIFIERS = {  # as a part of a name
    *("said", "says", "told", "tell", "heard", "hears", "asked", "given", "found", "wanted"),
    *("wish", "wishes", "shelf", "shelves", "errand", "trouble", "overtaken", "insist", "complaint"),
    *("charge", "charged", "exemplify", "instruct", "screened", "hubs", "writings"),
    *("guard", "guards", "exempt", "exemption", "worths", "lend", "borrowed", "outlook", "outlooks", "beaten"),
    *("dealt", "filler", "tuner", "exam", "exams", "mend", "stands", "pour"),
}
SPARED = {"is_not_found", "tell"}  # the Hub's 404, and the protocol of files
NAMES = {
    "there",
    "worth",
    "grams",
    "home",
    "homes",
    "seat",
    "lap",
    "odd",
    "bench",
    "place",
    "places",
}  # as a whole name


def product_files(*suffixes: str) -> list[Path]:
    return sorted(p for room in ROOMS for p in (ROOT / room).rglob("*") if p.suffix in suffixes)


def spoken(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of everything in a file that a person reads: strings and docstrings, or the whole text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            for offset, line in enumerate(node.value.splitlines()):
                yield node.lineno + offset, line


def names(path: Path) -> Iterator[tuple[int, str]]:
    """Line and identifier of every name that a Python file defines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def terms_in(path: Path) -> list[str]:
    pattern = {re.compile(rf"\b(?:{term})\b", re.IGNORECASE): term_of_field for term, term_of_field in TERMS.items()}
    return [
        f"{path.relative_to(ROOT)}:{line}: '{match[0]}' (say: {instead})"
        for line, text in spoken(path)
        for expression, instead in pattern.items()
        if not (instead == "decision" and path.is_relative_to(ROOT / "trainer"))
        for match in expression.finditer(text)
    ]


DOCUMENTS = sorted([ROOT / "README.md", *(p for room in (*ROOMS, "tests") for p in (ROOT / room).rglob("README.md"))])
READ = [*product_files(".py", ".sql", ".jinja", ".toml", ".yaml", ".csv"), *DOCUMENTS]


@pytest.mark.parametrize("path", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_uses_no_private_terms(path: Path) -> None:
    assert not (places := terms_in(path)), "\n".join(places)


@pytest.mark.parametrize("path", product_files(".py"), ids=lambda path: str(path.relative_to(ROOT)))
def test_code_uses_no_private_names(path: Path) -> None:
    private = [f"{path.relative_to(ROOT)}:{line}: {name}" for line, name in names(path) if is_private(name)]
    assert not private, "\n".join(private)


def is_private(name: str) -> bool:
    """Whether a name, or a word in it, belongs to the private language."""
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}
    return name not in SPARED and (name in NAMES or bool(words & IDENTIFIERS))
