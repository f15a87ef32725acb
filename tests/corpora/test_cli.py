"""What both commands share: lists, grouped help, messages, builders.toml, and exit codes."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from corpora.cli import NAMES, Program, option, options, report_progress, run, verb
from corpora.errors import InputError
from corpora.extensions import current_extensions
from corpora.options import JSON
from corpora.progress import stage

logger = logging.getLogger("builders.test")
DATA = [
    option("--langs", type=NAMES, default=(), metavar="A,B", group="Data", help="Languages."),
    option("--work", default="work", metavar="FOLDER", group="Data", help="Work folder."),
]
SUMMARY = "Say how many languages there are, in a sentence that is so long that click would cut it with an ellipsis."


@pytest.fixture
def program() -> Program:
    found = Program("program")

    @verb("count", help=f"{SUMMARY}\n\nMore of it.")
    @options(DATA)
    @JSON
    def count(langs: tuple[str, ...], work: str, as_json: bool) -> None:
        folders = [folder.name for folder in current_extensions().folders]
        click.echo(f"{len(langs)} {work} {as_json} {folders} {len(current_extensions().code)}")

    @verb("work")
    def work_verb() -> None:
        logger.warning("A warning.")
        logger.info("Information.")
        logger.debug("A detail.")
        with report_progress() as progress, stage(progress, "read", 1, 1, 10, "pairs"):
            progress.advance(10)

    found.add_verbs("Numbers", [count])
    found.add_command(work_verb)
    return found


@pytest.fixture
def invoke(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(program, arguments, catch_exceptions=False)


def test_lists_are_joined_by_commas(invoke: Callable[..., Result]) -> None:
    assert invoke("count", "--langs", "el, hi", "--json").stdout == "2 work True [] 0\n"


def test_empty_name_in_a_list_is_refused(invoke: Callable[..., Result]) -> None:
    with pytest.raises(InputError, match="--langs holds an empty name in 'el,'"):
        invoke("count", "--langs", "el,")


def test_help_has_groups_and_whole_summaries(invoke: Callable[..., Result]) -> None:
    text = invoke("count", "--help").stdout
    assert text.index("Data:") < text.index("--langs A,B") < text.index("Output:") < text.index("--log-file FILE")
    listed = " ".join(invoke("--help").stdout.split())
    assert "Numbers: count " + SUMMARY in listed
    assert "..." not in listed.removeprefix("Usage: program [OPTIONS] COMMAND [ARGS]...")


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ([], ["A warning.", "stage 1 of 1"]),
        (["-v"], ["A warning.", "Information.", "stage 1 of 1"]),
        (["-vv"], ["A warning.", "Information.", "A detail.", "stage 1 of 1"]),
        (["-q"], []),
    ],
)
def test_messages_follow_the_flags(invoke: Callable[..., Result], flags: list[str], shown: list[str]) -> None:
    lines = invoke("work", *flags).stderr.splitlines()
    assert [line.split(",")[0] for line in lines] == shown


def test_log_file_has_messages_and_progress_even_when_quiet(invoke: Callable[..., Result], tmp_path: Path) -> None:
    assert invoke("work", "-q", "--log-file", "logs/run.log").stderr == ""
    text = (tmp_path / "logs" / "run.log").read_text()
    assert "WARNING builders.test: A warning." in text
    assert "INFO corpora.progress: stage 1 of 1, read: 10 of 10 pairs (100%)" in text
    assert logging.getLogger("builders").handlers == []


def test_project_file_gives_defaults_that_the_command_line_overrides(
    invoke: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "builders.toml").write_text('langs = ["el", "hi", "zh"]\nwith = ["mine"]\nwork = "elsewhere"\n')
    assert invoke("count").stdout == "3 elsewhere False ['mine'] 0\n"
    assert invoke("count", "--langs", "el").stdout == "1 elsewhere False ['mine'] 0\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('lang = ["el"]', ["builders.toml", "key 'lang'", "langs"]),
        ('langs = "el"', ["builders.toml", "'langs'"]),
        ('with = ["nowhere"]', ["builders.toml names nowhere", "not a folder"]),
        ("langs = [", ["builders.toml", "not valid TOML"]),
        ('recipes = ["coit"]', ["key 'recipes'"]),
    ],
)
def test_project_file_is_strict(invoke: Callable[..., Result], tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "builders.toml").write_text(text + "\n")
    with pytest.raises(InputError) as error:
        invoke("count")
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("No such file."), 2, "Error: No such file."),
        (OSError(28, "No space left on device", "x.parquet"), 2, "No space left on device (x.parquet)"),
        (KeyboardInterrupt(), 130, "Interrupted. Run it again."),
        (click.UsageError("Wrong."), 2, "Wrong."),
    ],
)
def test_errors_become_sentences_and_exit_codes(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["program", "fail"])
    program = Program("program", commands=[click.Command("fail", callback=fail)])
    assert run(program, "Run it again.") == code
    assert sentence in capsys.readouterr().err


def test_other_errors_are_ours_and_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("ours")

    monkeypatch.setattr("sys.argv", ["program", "fail"])
    with pytest.raises(AssertionError, match="ours"):
        run(Program("program", commands=[click.Command("fail", callback=fail)]), "Run it again.")
