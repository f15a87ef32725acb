"""The verbs `translate` and `tm` of the command `builders`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builders.run import Request

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
WORK = click.option(
    "--work", type=FOLDER, default="work", show_default=True, metavar="FOLDER", help="Work folder of the memory."
)


def translate_verb(run_options: Callable[[Any], Any], request: Callable[..., "Request"]) -> click.Command:
    """Return the verb `translate`, with the options of every verb that runs recipes."""

    @click.command("translate")
    @click.argument("source", required=False, metavar="[CORPUS|FILE]")
    @click.option(
        "--output", type=FOLDER, default="translated", show_default=True, metavar="FOLDER", help="Folder of the files."
    )
    @run_options
    @JSON
    def translate(source: str | None, output: Path, as_json: bool, **options: Any) -> None:
        """Translate the instructions of a corpus or a JSON file into --langs, one Parquet file for each language.

        The default corpus is alpaca; with --sample it is that of the sample.
        """
        from builders.run import run_translate
        from builders.translation import translate_json, translate_text

        source = source or ("sample-alpaca" if options["sample"] else "alpaca")
        result = run_translate(request((), **options), source, output)
        ledger, translator = result.built.ledger, result.built.translator.describe()
        text = translate_json(ledger, result.files, translator) if as_json else translate_text(ledger, result.files)
        click.echo(text)

    return translate


@click.group("tm")
def tm_verb() -> None:
    """Show, export and import the translation memory of a work folder."""


@tm_verb.command("list")
@WORK
@JSON
def list_verb(work: Path, as_json: bool) -> None:
    """Show the segments by translator and language, and how many the newest runs found."""
    from builders.translation import list_memory, memory_json, memory_text

    statistics = list_memory(work)
    click.echo(memory_json(statistics) if as_json else memory_text(statistics))


@tm_verb.command("export")
@click.argument("file", type=FILE, metavar="FILE")
@click.option("--langs", metavar="A,B", help="Only these languages.")
@WORK
def export_verb(file: Path, langs: str | None, work: Path) -> None:
    """Write the memory to FILE: .tmx for other programs, .parquet for another machine."""
    from builders.translation import export_memory

    count = export_memory(file, langs=langs.split(",") if langs else (), work=work)
    click.echo(f"{count:,} translations are in {file}.")


@tm_verb.command("import")
@click.argument("file", type=FILE, metavar="FILE")
@WORK
def import_verb(file: Path, work: Path) -> None:
    """Add the translations of FILE, a .parquet of `tm export` or a .tmx from English, to the memory."""
    from builders.translation import import_memory

    result = import_memory(file, work=work)
    failed = f" ({result.num_failed:,} of them fail a check and are not used)" if result.num_failed else ""
    click.echo(f"{result.num_added:,} translations were added from {file}{failed}, {result.num_known:,} were known.")
