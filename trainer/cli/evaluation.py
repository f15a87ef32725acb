"""The verbs of the command `trainer` that evaluate: each parses its options, calls one function, and prints."""

from pathlib import Path
from typing import Any

import click

from corpora.cli import FILE, FOLDER, NAMES, assignments, option, options, report_progress, verb
from corpora.options import CORPORA_LOCK, JSON, MIRROR, OFFLINE, WITH, datasets_lock_option, registry_option
from corpora.printing import print_text

SKIPPED = 1  # the exit code if models were left out
LANGS = option("--langs", type=NAMES, default=(), metavar="A,B", group="Items", help="Only these languages.")
LIMIT = option(
    "--limit", type=click.IntRange(1), metavar="N", group="Items", help="Only the first N items of each language."
)
BATCH_SIZE = option(
    "--batch-size", type=click.IntRange(1), default=32, show_default=True, metavar="N", group="Model",
    help="Texts at once.",
)  # fmt: skip
CONCURRENT = option(
    "--concurrency", type=click.IntRange(1), default=32, show_default=True, metavar="N", group="Model",
    help="Requests that a server works on at once.",
)  # fmt: skip
NAME = option("--name", metavar="NAME", group="Model", help="The model's name in results; by default its folder's.")
METRIC_OPTION = option(
    "--metric-option", "metric_options", multiple=True, metavar="NAME=VALUE", group="Metrics",
    help="An option of a metric: comet=wmt22-comet-da, spm=flores200, arabic=fixed. Repeatable.",
)  # fmt: skip
OUTPUT = option(
    "--output", type=FOLDER, default="evaluations", show_default=True, metavar="FOLDER", group="Output",
    help="The folder of outputs.",
)  # fmt: skip
RESULTS = option(
    "--results", type=FILE, default="results.jsonl", show_default=True, metavar="FILE", group="Output",
    help="The file of results.",
)  # fmt: skip
SOURCE = [
    option("--data", type=FOLDER, metavar="FOLDER", group="Data", help="Files of benchmarks, read before upstream."),
    option(
        "--allow-size-mismatch", is_flag=True, group="Data",
        help="Accept a benchmark with another number of items than upstream's.",
    ),
    MIRROR,
    OFFLINE,
    option(
        "--work", type=FOLDER, default="work", show_default=True, metavar="FOLDER", group="Data",
        help="The folder of downloads.",
    ),
    CORPORA_LOCK,
    WITH,
]  # fmt: skip
RELEASE = [
    option("--release", metavar="RELEASE", group="Data", help="The release of the benchmark validation."),
    registry_option("Data"),
    datasets_lock_option("Data"),
]  # fmt: skip


@verb("evaluate")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@option("--benchmarks", type=NAMES, required=True, metavar="A,B", group="Items", help="Such as flores,xquad.")
@LANGS
@option(
    "--directions", type=NAMES, default=(), metavar="A,B", group="Items",
    help="Of translations: en-xx, xx-en; by default both.",
)  # fmt: skip
@LIMIT
@option(
    "--metrics", type=NAMES, default=(), metavar="A,B", group="Metrics",
    help="Such as chrf++,token_accuracy; by default those of each benchmark.",
)  # fmt: skip
@METRIC_OPTION
@option(
    "--prompt", metavar="NAME", group="Model",
    help="The prompt template; by default the one of the model's run, else alpaca.",
)  # fmt: skip
@option(
    "--max-new-tokens", type=click.IntRange(1), metavar="N", group="Model",
    help="The longest answer; by default each benchmark's own.",
)  # fmt: skip
@BATCH_SIZE
@NAME
@option(
    "--endpoint", metavar="URL", group="Model",
    help="An OpenAI-compatible server that answers, such as http://127.0.0.1:8000/v1.",
)  # fmt: skip
@option(
    "--served-model-name", metavar="NAME", group="Model", help="The model's name at the endpoint; by default its own."
)
@CONCURRENT
@option(
    "--serve", metavar="NAME", group="Model",
    help="Start a server for each model and stop it after it: vllm or transformers.",
)  # fmt: skip
@option("--serve-env", type=FOLDER, metavar="FOLDER", group="Model", help="The virtual environment with the server.")
@options(SOURCE, RELEASE)
@OUTPUT
@RESULTS
@option(
    "--cluster", metavar="auto|ADDRESS", group="Model",
    help="Evaluate on a Ray cluster, a model on a benchmark in a language where there is room; all nodes share the "
    "folders.",
)  # fmt: skip
@JSON
def evaluate_verb(models: tuple[str, ...], metric_options: tuple[str, ...], as_json: bool, **arguments: Any) -> None:
    """Evaluate models on benchmarks.

    MODEL is a run, a folder with a model, or ORG/NAME[@REVISION] on the Hub.
    """
    from trainer.evaluation import evaluate

    chosen = assignments(metric_options, "--metric-option", "NAME=VALUE, such as comet=wmt22-comet-da")
    with report_progress() as progress:
        table = evaluate(models, metric_options=chosen, progress=progress, **arguments)
    print_text(table.to_json() if as_json else table.to_text())
    if table.skipped:
        raise SystemExit(SKIPPED)


@verb("compare")
@click.argument("a", type=NAMES, metavar="A[,A...]")
@click.argument("b", type=NAMES, metavar="B[,B...]")
@option("--metric", default="chrf++", show_default=True, metavar="NAME", group="Metrics", help="The metric.")
@METRIC_OPTION
@option("--benchmark", metavar="NAME", group="Items", help="Only this benchmark.")
@LANGS
@WITH
@OUTPUT
@JSON
def compare_verb(
    a: tuple[str, ...], b: tuple[str, ...], metric_options: tuple[str, ...], as_json: bool, **arguments: Any
) -> None:
    """Compare two evaluated models on the same items, with intervals.

    A and B are models by name or folder; several of one side, joined by commas, are runs with different seeds.
    """
    from trainer.evaluation import compare

    chosen = assignments(metric_options, "--metric-option", "NAME=VALUE, such as spm=flores200=FILE")
    comparison = compare(a, b, metric_options=chosen, **arguments)
    print_text(comparison.to_json() if as_json else comparison.to_text())


@verb("leaderboard")
@option("--metric", metavar="NAME", group="Items", help="Only this metric.")
@option("--benchmark", metavar="NAME", group="Items", help="Only this benchmark.")
@option(
    "--card", type=FILE, metavar="FILE", group="Output",
    help="Write its own model's results into a model card, such as runs/RUN/model/README.md.",
)  # fmt: skip
@NAME
@option("--markdown", is_flag=True, group="Output", help="Print the tables as Markdown.")
@RESULTS
@JSON
def leaderboard_verb(card: Path | None, markdown: bool, as_json: bool, **arguments: Any) -> None:
    """Show results as tables: a row for each language and model, a column for each metric."""
    from trainer.evaluation import leaderboard

    tables = leaderboard(card=card, **arguments)
    print_text(tables.to_json() if as_json else tables.to_markdown() if markdown else tables.to_text())


@verb("align")
@click.argument("model")
@option(
    "--langs",
    type=NAMES,
    required=True,
    metavar="A,B",
    group="Items",
    help="The languages to compare with English.",
)
@option(
    "--benchmark",
    default="flores",
    show_default=True,
    metavar="NAME",
    group="Items",
    help="A benchmark with the same sentences in all languages.",
)
@LIMIT
@option("--layer", type=click.IntRange(0), metavar="N", group="Model", help="The layer of gamma; by default the last.")
@BATCH_SIZE
@NAME
@options(SOURCE)
@OUTPUT
@RESULTS
@JSON
def align_verb(model: str, as_json: bool, **arguments: Any) -> None:
    """Measure how similar a model's states are for translations, layer by layer, and gamma for the laws."""
    from trainer.evaluation import align

    with report_progress() as progress:
        alignment = align(model, progress=progress, **arguments)
    print_text(alignment.to_json() if as_json else alignment.to_text())


@verb("judge")
@click.argument("models", nargs=-1, required=True, metavar="MODEL [MODEL]")
@option("--benchmark", required=True, metavar="NAME", group="Items", help="The benchmark whose answers are judged.")
@LANGS
@LIMIT
@option(
    "--endpoint", required=True, metavar="URL", group="Judge",
    help="The judge's OpenAI-compatible server, such as http://127.0.0.1:8000/v1.",
)  # fmt: skip
@option("--judge", required=True, metavar="NAME", group="Judge", help="The judge's name there.")
@option(
    "--timeout", type=click.FloatRange(1), default=300, show_default=True, metavar="SECONDS", group="Judge",
    help="How long to wait for an answer of the judge.",
)  # fmt: skip
@CONCURRENT
@WITH
@OUTPUT
@RESULTS
@JSON
def judge_verb(models: tuple[str, ...], as_json: bool, **arguments: Any) -> None:
    """Let a language model judge the answers of one evaluated model, or say which of two answers better."""
    from trainer.evaluation import judge

    with report_progress() as progress:
        table = judge(models, progress=progress, **arguments)
    print_text(table.to_json() if as_json else table.to_text())


VERBS = [evaluate_verb, compare_verb, leaderboard_verb, align_verb, judge_verb]
