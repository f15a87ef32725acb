"""The verbs `translate` and `tm` of the command `builders`."""

import json
from pathlib import Path
from typing import Any

import click

from builders.cli.run_options import RUN_OPTIONS, WORK, load_libraries
from corpora.cli import FILE, FOLDER, NAMES, Program, option, options, report_progress, verb
from corpora.options import JSON
from corpora.printing import print_text


@verb("translate")
@click.argument(
    "source",
    required=False,
    metavar="[CORPUS|FILE]",
    help="A corpus of the catalogue, or a JSON file; by default alpaca, and with --sample the sample's.",
)
@option(
    "--output",
    type=FOLDER,
    default="translated",
    show_default=True,
    metavar="FOLDER",
    group="Output",
    help="Folder of the files.",
)
@option(
    "--compare",
    type=NAMES,
    default=(),
    metavar="A,B",
    group="Translation",
    help="Compare translators on the first 200 instructions (or --max-instructions): checks failed, seconds, chrF.",
)
@option(
    "--bitext",
    type=NAMES,
    default=(),
    metavar="A,B",
    group="Translation",
    help="Judge translations by the words of these corpora of sentence pairs; builds do so by their own.",
)
@options(RUN_OPTIONS)
@JSON
def translate_verb(source: str | None, as_json: bool, **settings: Any) -> None:
    """Translate the instructions of a corpus or a JSON file into languages, one Parquet file for each."""
    import builders

    with report_progress() as progress:
        load_libraries(progress)
        result = builders.translate(source, progress=progress, **settings)
    if settings["compare"]:
        print_text(json.dumps(result.to_dict(), indent=2) if as_json else repr(result))
        return
    from builders.translation import translate_json, translate_text

    write = translate_json if as_json else translate_text
    print_text(write(result.built.ledger, result.files, result.translator))


@click.group("tm", cls=Program)
def tm_verb() -> None:
    """Show, export and import the translation memory of a work folder."""


@tm_verb.command("list")
@WORK
@JSON
def list_verb(work: Path, as_json: bool) -> None:
    """Show the segments by translator and language, and how many the newest runs found."""
    from builders.staging import local_work
    from builders.translation import list_memory, memory_json, memory_text

    statistics = list_memory(local_work(work))
    print_text(memory_json(statistics) if as_json else memory_text(statistics))


@tm_verb.command("export")
@click.argument("file", type=FILE, metavar="FILE")
@option("--langs", type=NAMES, default=(), metavar="A,B", help="Only these languages.")
@WORK
def export_verb(file: Path, langs: tuple[str, ...], work: Path) -> None:
    """Write the memory to FILE: .tmx for other programs, .parquet for another machine."""
    from builders.staging import local_work
    from builders.translation import export_memory

    count = export_memory(file, langs=langs, work=local_work(work))
    print_text(f"{count:,} translations are in {file}.")


@tm_verb.command("import")
@click.argument("file", type=FILE, metavar="FILE")
@WORK
def import_verb(file: Path, work: Path) -> None:
    """Add the translations of FILE, a .parquet of `tm export` or a .tmx from English, to the memory."""
    from builders.staging import changed_work
    from builders.translation import import_memory

    with changed_work(work) as folder:
        result = import_memory(file, work=folder)
    failed = f" ({result.num_failed:,} of them fail a check and are not used)" if result.num_failed else ""
    print_text(f"{result.num_added:,} translations were added from {file}{failed}, {result.num_known:,} were known.")
