"""The verbs of `builders languages`: the table of languages, and measuring a row on texts of one's own."""

import json
from pathlib import Path
from typing import Any

import click

from corpora.cli import FILE, NAMES, Program, option
from corpora.options import JSON, WITH
from corpora.printing import print_text


@click.group("languages", cls=Program)
def languages_verb() -> None:
    """Show the languages, and measure lengths, scripts and labels on texts of your own."""


@languages_verb.command("list")
@option("--langs", type=NAMES, default=(), metavar="A,B", group="Data", help="Only these languages.")
@WITH
@JSON
def list_verb(as_json: bool, **settings: Any) -> None:
    """Show codes, scripts, labels and ratios of lengths of languages."""
    import builders

    languages = builders.list_languages(**settings)
    print_text(json.dumps(languages.to_json(), indent=2, ensure_ascii=False) if as_json else repr(languages))


@languages_verb.command("measure")
@click.argument("files", nargs=-1, required=True, metavar="LANG=FILE...")
@option("--english", type=FILE, required=True, metavar="FILE", group="Data", help="The same lines in English.")
@WITH
@JSON
def measure_verb(files: tuple[str, ...], english: Path, as_json: bool, **settings: Any) -> None:
    """Measure lengths, scripts and labels on files that have the same lines as an English one."""
    import builders

    measured = builders.measure_languages(files, english=english, **settings)
    print_text(json.dumps(measured.to_json(), indent=2, ensure_ascii=False) if as_json else repr(measured))
