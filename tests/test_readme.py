"""The documentation: commands, options, examples and links in every README are true."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from builders.cli import cli as builders
from trainer.cli import cli as trainer

ROOT = Path(__file__).parent.parent
ROOMS = ("corpora", "recipes", "cards", "builders", "trainer", "tests")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted(path for room in ROOMS for path in (ROOT / room).rglob("README.md"))]
COMMANDS = {"builders": builders, "trainer": trainer}
OTHER_OPTIONS = {
    "--config_file",
    "--scol",
    "--tcol",
    "--nproc-per-node",
    "--nnodes",
    "--rdzv-backend",
    "--rdzv-endpoint",
    "--ntasks-per-node",
    "--gpus-per-node",
    "--nodes",
    "--ntasks",
    "--cpus-per-task",
    "--time",
    "--head",
    "--port",
    "--address",
    "--min-nodes",
    "--signal",
    "--signals-to-handle",
    "--twin",
    "--requeue",
    "--array",
    "--data-parallel-size",
    "--include_path",
    "--tasks",
    "--model_args",
    "--hypothesis-profile",
    "--metadata",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def verbs(command: click.Group) -> Iterator[tuple[str, click.Command]]:
    """The verbs of a command by their full names, such as `tm export`."""
    for name, verb in command.commands.items():
        yield name, verb
        if isinstance(verb, click.Group):
            yield from ((f"{name} {below}", child) for below, child in verbs(verb))


def verb_rows(command: str) -> str:
    """The rows of a command's verbs in the README's table."""
    verbs = COMMANDS[command].commands.items()
    return "\n".join(f"| `{command} {name}` | {verb.get_short_help_str()} |" for name, verb in verbs)


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a document that are marked as runnable."""
    return re.findall(rf"^```{language} run\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("path", DOCUMENTS[1:], ids=name_of)
def test_long_pages_have_contents(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    if path.read_text(encoding="utf-8").count("\n") <= 200:
        assert "Contents: " not in text
        return
    contents = " ".join(text.split("Contents: ")[1].split("\n\n")[0].split())
    assert all(
        f"[{heading.replace('`', '')}](#" in contents for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)
    )


def test_glossary_has_at_most_25_terms() -> None:
    rows = README.split("## Glossary")[1].split("\n## ")[0].strip().splitlines()
    assert 15 <= len(rows) - 2 <= 25


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_lists_every_verb_with_its_summary(command: str) -> None:
    assert verb_rows(command) in README


@pytest.mark.parametrize("command", COMMANDS)
def test_every_verb_has_help(command: str) -> None:
    for name, verb in verbs(COMMANDS[command]):
        result = CliRunner().invoke(COMMANDS[command], [*name.split(), "--help"])
        assert result.exit_code == 0, result.output
        assert verb.help, name
        assert "…" not in result.output
        unnamed = [p.opts[0] for p in verb.params if isinstance(p.type, click.types.StringParamType) and not p.metavar]
        assert not [p for p in unnamed if p.startswith("--")], f"options of {name} without a metavar"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_option_in_a_document_exists(path: Path) -> None:
    parameters = [p for command in COMMANDS.values() for _, verb in verbs(command) for p in verb.params]
    known = {option for p in parameters for option in (*p.opts, *p.secondary_opts)} | {"--help"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z_-]*", path.read_text(encoding="utf-8")))
    if path.is_relative_to(ROOT / "tests"):
        return  # benchmarks have options of their own
    assert named - OTHER_OPTIONS <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_in_a_document_exists(path: Path) -> None:
    known = {command: {name.split()[0] for name, _ in verbs(cli)} for command, cli in COMMANDS.items()}
    for command, verb in re.findall(
        r"(?:^|`|&& |bin/)(builders|trainer) ([a-z][a-z-]*)", path.read_text(encoding="utf-8"), re.MULTILINE
    ):
        assert verb in known[command], f"{command} {verb}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        if re.match(r"https?:|mailto:", target):
            continue
        linked = path.parent / file if file else path
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_keys_of_the_project_file_are_documented() -> None:
    from corpora.project import Project
    from corpora.tables import keys_table

    text = (ROOT / "builders" / "README.md").read_text(encoding="utf-8")
    table = text.split("<!-- project keys -->\n")[1].split("<!-- /project keys -->")[0]
    assert table == keys_table(Project).replace("`with_`", "`with`")


RUNNABLE = [path for path in DOCUMENTS if blocks(path, "sh") or blocks(path, "python")]


@pytest.mark.slow
@pytest.mark.parametrize("path", RUNNABLE, ids=name_of)
def test_runnable_examples_run(path: Path, tmp_path: Path) -> None:
    scripts = re.findall(r"^```(sh|python) run\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # of this environment
    for language, code in scripts:
        command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        environment = os.environ | {"PATH": commands}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_answers_at_once_because_nothing_heavy_is_imported(command: str) -> None:
    heavy = ("duckdb", "polars", "pyarrow", "datasets", "torch", "transformers", "trl", "pydantic", "rich")
    code = f"import sys, {command}.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
