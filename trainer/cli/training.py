"""The verbs that train models, show what runs are and share them: sft, sweep, list, show and push."""

from pathlib import Path
from typing import Any

import click

from corpora.cli import FILE, FOLDER, NAMES, assignments, option, options, report_progress, verb
from corpora.options import JSON, OFFLINE, WITH, datasets_lock_option, registry_option
from corpora.printing import print_text

FAILED = 1  # the exit code of a sweep in which a run failed
DTYPES = ("float32", "bfloat16", "float16")
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
    option(
        "--dtype",
        type=click.Choice(DTYPES),
        metavar="NAME",
        group="Training",
        help="Precision of the finished model: float32, bfloat16 or float16. Default: its base's.",
    ),
    option(
        "--keep-checkpoints", is_flag=True, group="Training", help="Keep the checkpoints of a run that is finished."
    ),
]


@verb("sft")
@click.argument("recipe")
@options(RELEASE)
@option("--size", metavar="SIZE", group="Data", help="Translations (or documents) per language, such as 4k.")
@option("--mixture", metavar="LANG=SIZE,...", group="Data", help="Translations of each language: el=500,hi=1k/250.")
@options(TRAINING)
@option("--output", type=FOLDER, metavar="FOLDER", group="Training", help="Folder of the run. Default: below runs/.")
@option("--dry-run", is_flag=True, group="Dry run", help="Print what would be trained and needed, and stop.")
@option(
    "--device",
    metavar="NAME",
    group="Dry run",
    help="Estimate for a row of devices.toml, such as h100 or rtx4090, or for cpu. Default: this one.",
)
@option(
    "--prices",
    multiple=True,
    metavar="DEVICE=PRICE",
    group="Dry run",
    help="The price of an hour of a device, such as h100=2.5, in any currency; may be repeated.",
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
    prices: tuple[str, ...],
    tokens_per_pair: Path | None,
    dtype: Any,
    keep_checkpoints: bool,
    as_json: bool,
    mixture: str | None,
    **data: Any,
) -> None:
    """Train a model on a release, or continue a run that was stopped.

    RECIPE is a name or a YAML file.
    """
    import trainer
    from trainer.experiments import parse_mixture_text
    from trainer.format import to_json
    from trainer.processes import reports_result
    from trainer.recipe import parse_changes

    if mixture is not None:
        data["mixture"] = parse_mixture_text(mixture)
    settings = parse_changes(changes)
    if dry_run:
        estimate = trainer.estimate(
            recipe,
            set=settings,
            device=device,
            prices=assignments(prices, "--prices", "DEVICE=PRICE, such as h100=2.5"),
            tokens_per_pair=tokens_per_pair,
            **data,
        )
        print_text(to_json(vars(estimate)) if as_json else estimate)
        return
    with report_progress() as progress:
        run = trainer.sft(
            recipe,
            set=settings,
            output=output,
            dtype=dtype,
            keep_checkpoints=keep_checkpoints,
            progress=progress,
            **data,
        )
    if reports_result():
        print_text(to_json(run.metadata) if as_json else run)


@verb("sweep")
@click.argument("recipe")
@options(RELEASE)
@option(
    "--sizes",
    type=NAMES,
    default=(),
    metavar="A,B",
    group="Runs",
    help="Translations (or documents) of runs of one language, such as 1k,2k.",
)
@option(
    "--mixtures",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    group="Runs",
    help="Mixtures of all languages that fill the space of shares, for each of --budgets.",
)
@option(
    "--budgets",
    type=NAMES,
    default=(),
    metavar="A,B",
    group="Runs",
    help="Translations of --mixtures, and of each --mixture that is a name.",
)
@option(
    "--mixture",
    multiple=True,
    metavar="FILE|NAME",
    group="Runs",
    help="Train on a CSV of lang,rows,epochs, or on a mixture such as unimax. Repeatable.",
)
@option(
    "--target",
    metavar="SIZE",
    group="Runs",
    help="The translations that mixtures are tried for: rows are subsampled so that scarce languages repeat as often.",
)
@option(
    "--epochs",
    type=float,
    default=1.0,
    show_default=True,
    metavar="N",
    group="Runs",
    help="How often mixtures of --budgets may repeat a row.",
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
@option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    group="Jobs",
    help="Runs at the same time, each in a process of its own; they alternate over the GPUs.",
)
@option(
    "--cluster",
    metavar="auto|ADDRESS",
    group="Jobs",
    help="Train the runs on a Ray cluster, each where there is room; all nodes share the folder of the runs.",
)
@option(
    "--array-index",
    metavar="K/N",
    group="Jobs",
    help="Only every N-th run from the K-th, counted from 0, such as $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT.",
)
@option("--list", "list_runs", is_flag=True, group="Jobs", help="Print the runs and their status, and stop.")
@option("--commands", is_flag=True, group="Jobs", help="Print a command for each run, and stop.")
@JSON
def sweep_verb(
    recipe: str,
    changes: tuple[str, ...],
    list_runs: bool,
    commands: bool,
    jobs: int,
    cluster: str | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Train a recipe on nested subsets of a release or on mixtures, for scaling laws.

    RECIPE is a name or a YAML file. There is a run for each language and size, for each mixture, and for each seed;
    finished runs are not repeated.
    Several jobs may share the folder of the runs: each takes the next run that no other trains.
    """
    import trainer
    from trainer.format import sweep_table, to_json
    from trainer.processes import reports_result
    from trainer.recipe import parse_changes

    settings = parse_changes(changes)
    if list_runs or commands:
        rows = trainer.plan_sweep(recipe, set=settings, **data)
        columns = [{key: row[key] for key in row if key != "command"} for row in rows]
        lines = "\n".join(row["command"] for row in rows) if commands else sweep_table(columns)
        print_text(to_json(rows) if as_json else lines)
        return
    with report_progress() as progress:
        sweep = trainer.sweep(recipe, set=settings, jobs=jobs, cluster=cluster, progress=progress, **data)
    if reports_result():
        print_text(to_json(sweep.rows) if as_json else sweep)
        if sweep.failures:
            raise SystemExit(FAILED)


@verb("list")
@option(
    "--runs", type=FOLDER, default="runs", show_default=True, metavar="FOLDER", group="Runs",
    help="Folder of the runs' folders.",
)  # fmt: skip
@JSON
def list_verb(runs: Path, as_json: bool) -> None:
    """List the runs of a folder: status, steps, tokens and losses."""
    import trainer
    from trainer.format import to_json

    listed = trainer.list_runs(runs)
    print_text(to_json(listed.rows) if as_json else listed)


@verb("show")
@click.argument("run", type=click.Path(path_type=Path))
@JSON
def show_verb(run: Path, as_json: bool) -> None:
    """Show what a run was trained on, how, and what came of it.

    RUN is the folder of a run, or of its model.
    """
    import trainer
    from trainer.format import to_json

    summary = trainer.show_run(run)
    print_text(to_json(summary.metadata) if as_json else summary)


@verb("push")
@click.argument("run", type=click.Path(path_type=Path))
@option("--to", required=True, metavar="hf://ORG/NAME", group="Hub", help="The repository; it is made if need be.")
@option("--tag", metavar="NAME", group="Hub", help="The tag of the commit. Default: v1, v2 and so on.")
@option("--private", is_flag=True, group="Hub", help="Make a private repository.")
@option(
    "--results", type=FILE, default="results.jsonl", show_default=True, metavar="FILE", group="Hub",
    help="The file of results; those of the run are in the card.",
)  # fmt: skip
@JSON
def push_verb(run: Path, as_json: bool, **arguments: Any) -> None:
    """Push the model of a finished run to the Hub, with its card and results, in one commit with a tag."""
    import trainer
    from trainer.format import to_json

    pushed = trainer.push(run, **arguments)
    print_text(to_json(vars(pushed)) if as_json else pushed)


VERBS = [sft_verb, sweep_verb, list_verb, show_verb, push_verb]
