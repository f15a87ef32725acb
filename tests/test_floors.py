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
    "rich": {"corpora"},
    "urllib3": {"corpora"},
    "jinja2": {"cards", "builders"},
    "starlette": {"builders"},
    "uvicorn": {"builders"},
    "matplotlib": {"cards"},
    "scipy": {"recipes"},
    "duckdb": {"builders"},
    "ctranslate2": {"builders"},
    "sentencepiece": {"builders", "trainer"},
    "tokenizers": {"builders", "trainer"},
    "sentencex": {"builders"},
    "datasets": {"cards", "builders", "trainer"},
    "huggingface_hub": {"corpora", "builders"},
    "httpx2": {"corpora", "builders"},
    "click": {"corpora", "builders", "trainer"},
    "torch": {"trainer"},
    "transformers": {"trainer"},
    "trl": {"trainer"},
    "accelerate": {"trainer"},
    "peft": {"trainer"},
    "safetensors": {"trainer"},
    "sacrebleu": {"trainer"},
    "lm_eval": {"trainer"},
    "ray": {"corpora"},
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
    assert "ray" not in imported(path) or path == ROOT / "corpora" / "cluster" / "ray_cluster.py"
    own = {"subprocess"} if path == ROOT / "trainer" / "child_processes.py" else set()
    assert not imported(path) & STRANGERS - own


def modules_imported(path: Path) -> set[str]:
    """The dotted names of our modules that a file imports, anywhere in it."""
    return our_imports(ast.parse(path.read_text(encoding="utf-8")))


def our_imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in below if is_module(name)} or {node.module}
    return {name for name in found if name.split(".")[0] in ROOMS}


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def modules_needed(path: Path) -> set[str]:
    """The same without imports under TYPE_CHECKING, which no run makes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    return our_imports(tree)


def package_of(name: str) -> str:
    """The package below a room that a module is in; the module itself if it is directly in a room."""
    return ".".join(name.split(".")[:2])


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_packages_are_entered_by_their_door() -> None:
    past = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in FILES
        for name in modules_imported(path)
        if name.count(".") > 1 and package_of(name) != package_of(dotted(path))
    ]
    assert not past, past


def test_packages_form_no_circles() -> None:
    edges: dict[str, set[str]] = {}
    for path in FILES:
        here = package_of(dotted(path))
        edges.setdefault(here, set()).update(
            p for name in modules_imported(path) if (p := package_of(name)) != here and p.count(".")
        )
    circle = circle_in(edges)
    assert not circle, f"these packages import each other: {circle}"


def test_files_form_no_circles() -> None:
    files = {dotted(path): modules_needed(path) for path in FILES}
    edges = {here: {name for name in names if package_of(name) == package_of(here)} for here, names in files.items()}
    circle = circle_in(edges)
    assert not circle, f"these files import each other: {circle}"


def circle_in(edges: dict[str, set[str]]) -> list[str]:
    """Return what imports itself through others, and what stands on it."""
    done: set[str] = set()
    while ready := [name for name in edges if name not in done and edges[name] <= done]:
        done.update(ready)
    return sorted(set(edges) - done)


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
