"""The verbs `translate` and `memory` of the command `builders`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builders.run import Request

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
WORK = click.option("--work", type=FOLDER, default="work", show_default=True, help="The work folder it is in.")


def translate_verb(run_options: Callable[[Any], Any], request: Callable[..., "Request"]) -> click.Command:
    """The verb `translate`, with the options of every verb that runs recipes."""

    @click.command("translate")
    @click.argument("corpus", required=False)
    @click.option("--to", "out", type=FOLDER, default="translated", show_default=True, help="Where the files go.")
    @run_options
    @JSON
    def translate(corpus: str | None, out: Path, as_json: bool, **options: Any) -> None:
        """Translate the instructions of CORPUS (of the catalogue, or a JSON file) into --langs, a Parquet file each.

        Without CORPUS it is alpaca, and with --sample the sample's.
        """
        from builders.run import run_translate
        from builders.translation.format import translated_json, translated_text

        corpus = corpus or ("sample-alpaca" if options["sample"] else "alpaca")
        made = run_translate(request((), **options), corpus, out)
        click.echo(translated_json(made) if as_json else translated_text(made))

    return translate


@click.group("memory", invoke_without_command=True)
@WORK
@JSON
@click.pass_context
def memory_verb(context: click.Context, work: Path, as_json: bool) -> None:
    """The translation memory: what it holds and how much of the last runs it answered; export and import."""
    if context.invoked_subcommand is None:
        from builders.translation.memory_export import shown_json, shown_text, statistics

        found = statistics(work)
        click.echo(shown_json(found) if as_json else shown_text(found))


@memory_verb.command("export")
@click.argument("file", type=FILE)
@click.option("--langs", help="Only these languages.")
@WORK
def export_verb(file: Path, langs: str | None, work: Path) -> None:
    """Write what the memory holds to FILE: .tmx for other programs, .parquet for another machine."""
    from builders.translation.memory_export import export_memory

    click.echo(export_memory(work, file, langs))


@memory_verb.command("import")
@click.argument("file", type=FILE)
@WORK
def import_verb(file: Path, work: Path) -> None:
    """Read FILE, a .parquet that `export` wrote or a .tmx from English, into the memory."""
    from builders.translation.memory_import import import_memory

    click.echo(import_memory(work, file))
