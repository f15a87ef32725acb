"""The README: what it says is what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from builders.cli.main import cli as builders
from recipes.recipe import recipe_names
from trainer.cli import cli as trainer
from trainer.recipe import recipe_names as training_recipe_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {"builders": builders, "trainer": trainer}


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
