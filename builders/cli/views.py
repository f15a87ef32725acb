"""The verbs that look at corpora, releases and builds: list, audit, show, inspect and browse."""

from pathlib import Path
from typing import Any

import click

from builders.cli.releases import REGISTRY
from builders.cli.run_options import WORK
from corpora.cli import FILE, FOLDER, NAMES, Program, option, verb
from corpora.errors import InputError
from corpora.options import JSON, MIRROR, WITH
from corpora.printing import print_text

LABELS = option(
    "--labels", type=FILE, default="labels.csv", show_default=True, metavar="FILE", group="Data", help="File of labels."
)


@verb("list")
@option("--langs", type=NAMES, default=(), metavar="A,B", group="Data", help="Only these languages.")
@option("--opus", metavar="NAME", group="Data", help="List the corpora of OPUS whose names contain NAME instead.")
@MIRROR
@WITH
@JSON
def list_verb(as_json: bool, **settings: Any) -> None:
    """List the corpora by language: rows as upstream counts them, licences, and what does not exist."""
    import json

    import builders
    from builders.corpus_list import CorpusList, corpora_json

    corpora = builders.list_corpora(**settings)
    if not as_json:
        print_text(repr(corpora))
    else:
        print_text(
            corpora_json(corpora) if isinstance(corpora, CorpusList) else json.dumps(corpora.to_json(), indent=2)
        )


@verb("audit")
@click.argument("en_file", type=FILE, help="Text file of the English sentences.")
@click.argument("xx_file", type=FILE, help="Text file of their translations, line by line.")
@option("--lang", required=True, metavar="LANG", help="The language of the translations.")
@option("--worst", type=click.IntRange(0), default=10, show_default=True, metavar="N", help="Worst pairs to print.")
@JSON
def audit_verb(as_json: bool, **settings: Any) -> None:
    """Estimate the share of misaligned pairs of a bitext, with its interval, and show the worst pairs."""
    import json

    import builders

    result = builders.audit(**settings)
    print_text(json.dumps(result.to_dict(), ensure_ascii=False) if as_json else repr(result))


@verb("show")
@click.argument("release", help="NAME, NAME@VERSION, hf://ORG/NAME[@VERSION], or a folder.")
@REGISTRY
@JSON
def show_verb(release: str, as_json: bool, **settings: Any) -> None:
    """Show the configs, rows, ledger and sources of a release."""
    import builders
    from builders.format import release_text
    from cards.manifest import to_text

    opened = builders.open_release(release, **settings)
    print_text(to_text(opened.manifest).rstrip() if as_json else release_text(opened.uri, opened.manifest))


@verb("inspect")
@option("--lang", required=True, metavar="LANG", help="The language of the sentence pairs.")
@option("--reason", metavar="FILTER", help="Only lines that this filter rejected; 'kept' for those that are kept.")
@option("--sample-rejected", type=click.IntRange(1), metavar="N", help="N lines that each filter rejected.")
@option("--recipe", metavar="NAME", help="The build of this recipe. Default: the newest with the language.")
@option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="Lines to print.")
@option("--output", type=FILE, metavar="FILE", help="Write all lines to this Parquet file instead.")
@WORK
@option("--measures", is_flag=True, group="Output", help="Show all measures of a line, not only those that decided.")
@option("--json", "as_json", is_flag=True, group="Output", help="Print JSON Lines: an object for each line.")
def inspect_verb(output: Path | None, as_json: bool, measures: bool, **settings: Any) -> None:
    """Show lines of the newest build, kept or rejected, with the measures that decided, reason and match."""
    import json

    import builders
    from builders.lines_format import lines_json, lines_text
    from corpora.catalog import language

    if output:
        num = builders.inspect(output=output, **settings)
        print_text(json.dumps({"lines": num, "file": str(output)}) if as_json else f"{num:,} lines are in {output}.")
        return
    lines = builders.inspect(**settings)
    print_text(lines_json(lines) if as_json else lines_text(lines, language(settings["lang"].strip()).code, measures))


@verb("browse")
@WORK
@option("--registry", default="registry", show_default=True, metavar="URI", group="Data", help="Folder or hf://ORG.")
@option("--runs-folder", type=FOLDER, default="runs", show_default=True, metavar="FOLDER", group="Data", help="Runs.")
@LABELS
@option("--recipe-file", type=FILE, metavar="FILE", group="Data", help="The recipe to save changed thresholds in.")
@option("--annotator", metavar="NAME", group="Data", help="Who labels. Default: the name of the user.")
@option("--laws", type=FILE, default="laws.json", show_default=True, metavar="FILE", group="Data", help="Laws.")
@option(
    "--results", type=FILE, default="results.jsonl", show_default=True, metavar="FILE", group="Data", help="Results."
)
@option("--port", type=click.IntRange(0, 65535), default=0, help="The port. Default: a free one.", metavar="N")
@option("--no-browser", is_flag=True, help="Do not open the browser.")
def browse_verb(**settings: Any) -> None:
    """Look at corpora, filters, translations, releases and laws on pages that this machine alone can open."""
    import builders

    builders.browse(**settings)


@verb("report")
@click.argument("source", help="A build by its recipe, such as coit, or a release: NAME[@VERSION] or a folder.")
@option("--to", type=FILE, default="report.html", show_default=True, metavar="FILE", help="The file to write.")
@WORK
@REGISTRY
@LABELS
def report_verb(**settings: Any) -> None:
    """Write what the pages show of a build or a release as one HTML file, to mail or to put on a Space."""
    import builders

    path = builders.report(**settings)
    print_text(f"{path} has {path.stat().st_size:,} bytes.")


@click.group("labels", cls=Program)
def labels_verb() -> None:
    """Compare the labels of sentence pairs with what a build decides."""


@labels_verb.command("check")
@LABELS
@WORK
@option("--recipe", metavar="NAME", help="The build of this recipe. Default: the newest.")
@option("--update", is_flag=True, help="Write the new decisions into the file, for the next check.")
@JSON
def check_verb(as_json: bool, **settings: Any) -> None:
    """List the labelled lines that a build decides otherwise; exit code 2 if one contradicts its label."""
    import builders
    from builders.labels import check_json, check_text

    result = builders.check_labels(**settings)
    print_text(check_json(result) if as_json else check_text(result))
    if result.worse and not settings["update"]:
        raise InputError(
            f"{len(result.worse):,} labelled lines are decided against their label, which they were not. Change the "
            "recipe, correct the labels, or accept it with --update."
        )


VERBS = (list_verb, audit_verb, show_verb, inspect_verb, browse_verb, report_verb, labels_verb)
