"""The verbs that train models: sft and sweep."""

from pathlib import Path
from typing import Any

import click

from corpora.cli import FILE, FOLDER, NAMES, option, options, report_progress, verb
from corpora.options import JSON, OFFLINE, WITH, datasets_lock_option, registry_option
from corpora.printing import print_text

RELEASE = [
    option(
        "--release",
        metavar="RELEASE",
        group="Data",
        help="NAME[@VERSION] of the registry, hf://ORG/NAME[@VERSION], or a folder. Default: the recipe's.",
    ),
    option("--config", metavar="NAME", group="Data", help="Config of the release, if it has several."),
    option(
        "--langs", type=NAMES, default=(), metavar="A,B", group="Data", help="Languages beside English, such as el,hi."
    ),
    registry_option("Data"),
    datasets_lock_option("Data"),
    OFFLINE,
    WITH,
]
TRAINING = [
    option(
        "--set",
        "changes",
        multiple=True,
        metavar="KEY=VALUE",
        group="Training",
        help="Change a key of the recipe. Repeatable.",
    ),
    option(
        "--processes",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        metavar="N",
        group="Training",
        help="Processes on this machine that train together.",
    ),
    option(
        "--sharding",
        metavar="NAME|FILE",
        group="Training",
        help="'none' for full copies, or an accelerate file for FSDP2. Default with several processes: fsdp2.",
    ),
]


@verb("sft")
@click.argument("recipe")
@options(RELEASE)
@option("--size", metavar="SIZE", group="Data", help="Translations (or documents) per language, such as 4k.")
@options(TRAINING)
@option("--output", type=FOLDER, metavar="FOLDER", group="Training", help="Folder of the run. Default: below runs/.")
@option("--dry-run", is_flag=True, group="Dry run", help="Print what would be trained and needed, and stop.")
@option(
    "--device", metavar="NAME", group="Dry run", help="Estimate for h100, h200, a100, l40s or cpu. Default: this one."
)
@option(
    "--tokens-per-pair", type=FILE, metavar="FILE", group="Dry run", help="Write tokens per translation by language."
)
@JSON
def sft_verb(
    recipe: str,
    changes: tuple[str, ...],
    output: Path | None,
    dry_run: bool,
    device: str | None,
    tokens_per_pair: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Train a model on a release, or continue a run that was stopped.

    RECIPE is a name or a YAML file.
    """
    import trainer
    from trainer.format import to_json
    from trainer.processes import reports_result
    from trainer.recipe import parse_changes

    settings = parse_changes(changes)
    if dry_run:
        estimate = trainer.estimate(recipe, set=settings, device=device, tokens_per_pair=tokens_per_pair, **data)
        print_text(to_json(vars(estimate)) if as_json else estimate)
        return
    with report_progress() as progress:
        run = trainer.sft(recipe, set=settings, output=output, progress=progress, **data)
    if reports_result():
        print_text(to_json(run.metadata) if as_json else run)


@verb("sweep")
@click.argument("recipe")
@options(RELEASE)
@option(
    "--sizes",
    type=NAMES,
    required=True,
    metavar="A,B",
    group="Runs",
    help="Translations (or documents) per language, such as 1k,2k.",
)
@option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    group="Runs",
    help="Runs of each size.",
)
@option(
    "--runs",
    type=FOLDER,
    default="runs",
    show_default=True,
    metavar="FOLDER",
    group="Runs",
    help="Folder of the runs' folders.",
)
@options(TRAINING)
@JSON
def sweep_verb(recipe: str, changes: tuple[str, ...], as_json: bool, **data: Any) -> None:
    """Train a recipe on nested subsets of a release, for scaling laws.

    RECIPE is a name or a YAML file. There is a run per language, size and seed; finished runs are not repeated.
    """
    import trainer
    from trainer.format import to_json
    from trainer.processes import reports_result
    from trainer.recipe import parse_changes

    with report_progress() as progress:
        sweep = trainer.sweep(recipe, set=parse_changes(changes), progress=progress, **data)
    if reports_result():
        print_text(to_json(sweep.rows) if as_json else sweep)


VERBS = [sft_verb, sweep_verb]
