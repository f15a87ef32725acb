"""The README: what it says is what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from builders.cli import cli as builders
from recipes.recipe import recipe_names
from trainer.cli import cli as trainer
from trainer.recipe import recipe_names as training_recipe_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {"builders": builders, "trainer": trainer}


def tracked() -> set[str]:
    """The files of the checkout, as git or, outside a clone, the folder itself has them."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return set(listed.stdout.split())
    hidden = {".venv", "__pycache__", "registry", "work", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache"}
    files = (p.relative_to(ROOT) for p in ROOT.rglob("*") if p.is_file())
    return {str(p) for p in files if not set(p.parts) & hidden and p.name != "corpora.lock"}


def tree() -> list[str]:
    """The paths of the README's tree."""
    block = README.split("<!-- tree -->")[1].split("<!-- /tree -->")[0]
    paths, folder = [], ""
    for indent, name in re.findall(r"^ {4}( *)(\S+)", block, re.MULTILINE):
        folder = folder if indent else name
        paths.append(folder + name if indent else name)
    return paths


def test_the_tree_of_the_readme_is_the_tree() -> None:
    named = tree()
    for path in named:
        assert list(ROOT.glob(path)), f"the README names {path}, which is not there"
    rooms = ("corpora/", "recipes/", "cards/", "builders/", "trainer/")
    for path in sorted(tracked()):
        if path.startswith(rooms) and path.endswith(".py") and not path.endswith("__init__.py"):
            covered = path in named or any(
                name.endswith("/") and path.startswith(name) for name in named if name not in rooms
            )
            assert covered, f"{path} is missing in the README's tree"
    tops = {path.split("/")[0] + ("/" if "/" in path else "") for path in tracked()}
    assert {top for top in tops if not top.startswith(".")} <= set(named)


def test_every_verb_stands_in_the_readme_and_has_help() -> None:
    for command, cli in COMMANDS.items():
        for name, verb in cli.commands.items():
            assert f"`{command} {name}" in README
            assert verb.help
            result = CliRunner().invoke(cli, [name, "--help"])
            assert result.exit_code == 0, result.output


def test_every_option_named_in_the_readme_exists() -> None:
    verbs = [verb for cli in COMMANDS.values() for verb in cli.commands.values()]
    known = {option for verb in verbs for p in verb.params for option in p.opts} | {"--help"}
    others = {"--config_file", "--nproc-per-node"}  # accelerate's and torchrun's
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z_-]*", README)) - others <= known


def test_every_recipe_stands_in_the_readme() -> None:
    for name in [*recipe_names(), *training_recipe_names()]:
        assert f"`{name}`" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_help_answers_at_once_because_nothing_heavy_is_imported(command: str) -> None:
    heavy = ("duckdb", "polars", "pyarrow", "datasets", "torch", "transformers", "trl")
    code = f"import sys, {command}.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
