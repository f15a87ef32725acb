"""Terminals are not written by data: what both commands print has no escape sequences and no control characters."""

import ast
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.visible_text import clean

ROOT = Path(__file__).parents[2]
ROOMS = ("corpora", "recipes", "cards", "builders", "trainer")
TITLE = "\x1b]0;owned\x07"  # sets the title of the window
HOSTILE = f"{TITLE}\x1b[2J\x9b31m\r\u202egnp.exe\x08\x00"
ALLOWED = "\n\t"


def is_control(character: str) -> bool:
    bidirectional = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in ALLOWED) or bidirectional


@given(st.text(st.characters()))
def test_cleaned_text_has_no_control_characters_and_all_others(text: str) -> None:
    assert not any(map(is_control, clean(text)))
    assert [c for c in text if not is_control(c) and not "\U000e0000" <= c <= "\U000e007f"] == [
        c for c in re.sub(r"\\u[0-9a-f]{4}", "", clean(text.replace("\\", ""))) if c != "\\"
    ] or "\\" in text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_cleaned_json_has_the_same_value(text: str) -> None:
    assert json.loads(clean(json.dumps({"key": text}, ensure_ascii=False))) == {"key": text}


def test_emoji_and_joiners_of_scripts_stay() -> None:
    text = "Ελληνικά, हिन्दी क्‍ष, فارسی می‌خواهم, 👩‍👩‍👧, \u200f(عربي)\u200f\tcell\n"
    assert clean(text) == text


def on_terminal(code: str, folder: Path) -> str:
    """Run Python with stdout and stderr on a terminal and return what the terminal receives."""
    main, side = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stdout=side, stderr=side
    ) as process:
        os.close(side)
        received = b""
        while True:
            try:
                received += os.read(main, 65536)
            except OSError:
                break
        process.wait()
    os.close(main)
    return received.decode().replace("\r\n", "\n")  # the terminal itself adds \r


COMMAND = """
import logging, sys, warnings, click
from corpora.cli import Program, run, verb, report_progress
from corpora.errors import InputError
hostile = {hostile!r}

@click.group(cls=Program)
def cli(): pass

@verb("go")
def go():
    {body}

cli.add_verbs("Go", [go])
sys.argv = ["x", "go"]
sys.exit(run(cli, "Again."))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "print(hostile)",
        "print('half', '\\ud800', hostile, file=sys.stderr)",
        "logging.getLogger('builders.x').warning('%s', hostile)",
        "logging.getLogger('transformers').warning('%s', hostile)",
        "warnings.warn(hostile)",
        "raise InputError(hostile)",
        "raise click.UsageError(hostile)",
        "raise FileNotFoundError(2, hostile, hostile)",
        "raise RuntimeError(hostile)",
        "sys.stderr.writelines([hostile, hostile])",
        "click.secho(hostile)",
    ],
)
def test_terminal_receives_no_escape_sequence_from_data(body: str, tmp_path: Path) -> None:
    received = on_terminal(COMMAND.format(hostile=HOSTILE, body=body), tmp_path)
    assert "\\u001b]0;owned\\u0007" in received
    assert not [c for c in received if is_control(c)]


@pytest.mark.slow
def test_progress_bar_is_drawn_and_its_texts_are_clean(tmp_path: Path) -> None:
    body = """
    from corpora.progress import stage
    import time
    with report_progress() as progress, stage(progress, 1, 1, "reading", 3, hostile):
        progress.advance(1)
        time.sleep(0.3)
        print(hostile)"""
    received = on_terminal(COMMAND.format(hostile=HOSTILE, body=body), tmp_path)
    assert "\x1b[2K" in received  # the bar's own
    assert "\x1b]0;" not in received
    assert "\x1b[2J" not in received
    assert "\x9b" not in received


def test_log_files_have_no_control_characters(tmp_path: Path) -> None:
    import logging

    from corpora.messages import log_messages

    with log_messages(tmp_path / "log", quiet=True):
        logging.getLogger("builders.x").warning("%s", HOSTILE)
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "owned" in text
    assert not [c for c in text if is_control(c)]


def test_everything_is_printed_in_one_place() -> None:
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.name != "printing.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                forbidden = ("print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write")
                assert called not in forbidden, f"{path.relative_to(ROOT)}:{node.lineno} calls {called}"


def test_nul_in_a_path_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    from corpora.cli import Program, run

    monkeypatch.setattr("sys.argv", ["program", "open"])
    command = click.Command("open", callback=lambda: (tmp_path / "a\0b").read_bytes())
    assert run(Program("program", commands=[command]), "Again.") == 2
    assert "holds a NUL character" in capsys.readouterr().err
