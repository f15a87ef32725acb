"""The Python API: one function for each verb, with the verb's names; light imports; packages that nothing hides."""

import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from builders.cli import cli as builders_cli
from trainer.cli import cli as trainer_cli

ROOT = Path(__file__).parent.parent
COMMANDS = {"builders": builders_cli, "trainer": trainer_cli}
NAMES = {  # the function of a verb that has another name
    "builders list": "list_corpora",
    "builders show": "open_release",
    "trainer list": "list_runs",
    "trainer show": "show_run",
    "labels check": "check_labels",
    "languages list": "list_languages",
    "languages measure": "measure_languages",
    "tm list": "list_memory",
    "tm export": "export_memory",
    "tm import": "import_memory",
}
OUTPUT = {"as_json", "markdown", "measures", "log_file", "verbose", "quiet", "help"}  # how the command prints
OUTPUT |= {"list_runs", "commands"}
PYTHON_ONLY = {"progress", "corpora", "options"}
EXTRA = {  # arguments that only the function has
    "open_release": {"datasets_lock", "offline"},
    "verify": {"release"},  # the verb takes several and calls it for each
}
DRY_RUN = {"sft": "estimate"}  # the function that --dry-run calls
HEAVY = ("duckdb", "polars", "pyarrow", "datasets", "torch", "transformers", "trl", "numpy", "pydantic", "click")


def verbs(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


ALL = [(package, name, verb) for package, cli in COMMANDS.items() for name, verb in verbs(cli)]


@pytest.mark.parametrize(("package", "name", "verb"), ALL, ids=[f"{package} {name}" for package, name, _ in ALL])
def test_each_verb_has_a_function_with_its_names(package: str, name: str, verb: click.Command) -> None:
    module = importlib.import_module(package)
    function = NAMES.get(name) or NAMES.get(f"{package} {name}") or name.replace("-", "_")
    assert function in module.__all__
    parameters = set(inspect.signature(getattr(module, function)).parameters)
    options = {{"changes": "set"}.get(str(param.name), str(param.name)) for param in verb.params} - OUTPUT
    if function in DRY_RUN:
        parameters |= {"dry_run", *inspect.signature(getattr(module, DRY_RUN[function])).parameters}
    if function == "verify":
        options = options - {"releases"} | {"release"}
    assert options <= parameters | PYTHON_ONLY, f"{function}() lacks {options - parameters}"
    assert parameters - options <= PYTHON_ONLY | EXTRA.get(function, set()), f"the verb lacks {parameters - options}"


@pytest.mark.parametrize("package", COMMANDS)
def test_every_public_name_is_there_and_described(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__, key=lambda name: (name[0].islower(), name))
    for name in module.__all__:
        assert inspect.getdoc(getattr(module, name)), name
    assert set(module.__all__) == set(dir(module))
    with pytest.raises(AttributeError, match="no attribute 'publsh'"):
        module.publsh  # noqa: B018


@pytest.mark.parametrize("package", COMMANDS)
def test_import_is_light(package: str) -> None:
    code = f"import sys; import {package}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with folders of the names that our packages have, and a script."""
    for name in ("corpora", "recipes", "cards", "datasets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.toml").touch()
    (tmp_path / "script.py").write_text("import builders\nprint(builders.list_corpora(langs=['el']))\n")
    return tmp_path


@pytest.mark.slow
def test_folders_of_the_users_own_hide_nothing(project: Path) -> None:
    assert "wikimatrix" in run(project, "script.py").stdout
    assert "wikimatrix" in run(project, "-m", "builders", "list", "--langs", "el").stdout
    command = Path(sys.executable).with_name("builders")
    if command.exists():
        assert "wikimatrix" in run(project, str(command), "list", "--langs", "el").stdout


@pytest.mark.parametrize("name", ["corpora", "recipes", "cards"])
def test_packages_of_the_users_own_are_named_in_an_error(project: Path, name: str) -> None:
    (project / name / "__init__.py").touch()
    for arguments in (["script.py"], ["-m", "builders", "list"], ["-m", "trainer", "--help"], ["-c", "import trainer"]):
        done = run(project, *arguments)
        assert done.returncode != 0
        assert f"hides the package '{name}' of coit-builders" in done.stderr
        assert str(project / name) in done.stderr


@pytest.mark.parametrize("package", COMMANDS)
def test_python_m_runs_the_command(package: str, tmp_path: Path) -> None:
    done = run(tmp_path, "-m", package, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_one_recipe_gives_one_result_and_a_list_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    import builders.api as module

    results: dict[str, Any] = {"published": ["release"]}
    monkeypatch.setattr(module, "run_build", lambda options, progress: results["published"] * len(options.recipes))
    assert module.build("coit") == "release"
    assert module.build({"name": "mine"}) == "release"
    assert module.build(["coit"]) == ["release"]
    assert module.build(None) == ["release", "release"]
