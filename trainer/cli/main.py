"""The command `trainer`: a skin; a verb parses, makes one call, and prints."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from trainer.cli.evaluation import VERBS

if TYPE_CHECKING:
    from trainer.preparation import TrainConfig

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(path_type=Path)
STOPPED = 143  # as a shell says of a process that SIGTERM ended
RELEASE_OPTIONS = [
    click.option("--release", help="A folder, NAME@v1.0.0 of the registry, or ORG/NAME@v1.0.0 of the Hub."),
    click.option("--registry", type=FOLDER, default="registry", show_default=True, help="The registry folder."),
    click.option(
        "--datasets-lock", type=FILE, default="datasets.lock", show_default=True, help="Pins of releases on the Hub."
    ),
    click.option("--offline", is_flag=True, help="Use what is downloaded already; never touch the network."),
    click.option("--config", help="The config of the release; not needed if it has only one."),
    click.option("--langs", help="Only these languages of the config, beside English, such as el,hi."),
    click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a setting of the recipe."),
]
LAUNCH_OPTIONS = [
    click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Processes to start."),
    click.option(
        "--sharding",
        help="'none' (copies), or an accelerate file for FSDP2; with several processes fsdp2.",
        default=None,
    ),
]
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")


def options(*groups: list[Any]) -> Any:
    """A decorator that gives a verb the options of some groups."""

    def give(verb: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            verb = option(verb)
        return verb

    return give


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coit-builders")
def cli() -> None:
    """Train models on releases: by a TRL recipe, from two CPU cores to FSDP2 on eight GPUs.

    \b
    trainer sft tiny --release coit-sample --config el          a first model, on a CPU
    trainer sft x-llama --release coit --config el --dry-run    what a run would learn from, and cost
    trainer sft m-llama --release muit --processes 8            FSDP2 on eight GPUs
    """


@cli.command("sft")
@click.argument("recipe")
@options(RELEASE_OPTIONS, LAUNCH_OPTIONS)
@click.option("--size", help="So many translations (or documents) a language, such as 4k: the first in a seeded order.")
@click.option("--output", type=FOLDER, help="The run's folder; by default one below runs/ that says what it is.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained and what it would take, and stop.")
@click.option("--device", help="What a dry run reckons with: h100, h200, a100, l40s or cpu; by default what is here.")
@click.option("--tokens-per-pair", type=FILE, help="Let a dry run write tokens per translation by language as CSV.")
@JSON
def sft_verb(
    recipe: str,
    dry_run: bool,
    device: str | None,
    tokens_per_pair: Path | None,
    as_json: bool,
    processes: int,
    **asked: Any,
) -> None:
    """Train a model by RECIPE (a name or a YAML file) on a release, or go on with a run that was stopped."""
    config = _config(recipe, processes, **asked)
    if dry_run:
        from trainer.estimation import estimate_run
        from trainer.format import to_json

        found = estimate_run(config, processes, device, tokens_per_pair)
        click.echo(to_json(vars(found)) if as_json else repr(found))
        return
    from trainer.format import run_text, to_json
    from trainer.launch import launch
    from trainer.processes import reports_result

    metadata = launch(config, processes)
    if reports_result():
        click.echo(to_json(metadata) if as_json else run_text(metadata, config.output))


@cli.command("sweep")
@click.argument("recipe")
@options(RELEASE_OPTIONS, LAUNCH_OPTIONS)
@click.option("--sizes", required=True, help="Translations a language in each run, such as 1k,2k,4k.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Runs of each size.")
@click.option("--runs", type=FOLDER, default="runs", show_default=True, help="Where the runs are kept.")
@JSON
def sweep_verb(recipe: str, sizes: str, seeds: int, runs: Path, as_json: bool, processes: int, **asked: Any) -> None:
    """Train RECIPE on nested subsets of a release, a run a language, size and seed: what a law is fitted on."""
    from trainer.experiments import parse_size, plan_runs
    from trainer.format import sweep_row, sweep_table, to_json
    from trainer.launch import launch

    config = _config(recipe, processes, output=runs, size=None, **asked)
    rows = []
    planned = plan_runs(config, [parse_size(size) for size in sizes.split(",")], seeds, runs)
    for number, run in enumerate(planned, 1):
        _hint(f"{number} of {len(planned)}: {run.output}")
        rows.append(sweep_row(launch(run, processes), run.output))
    click.echo(to_json(rows) if as_json else sweep_table(rows))


for verb in VERBS:
    cli.add_command(verb)


def _config(recipe: str, processes: int, **asked: Any) -> "TrainConfig":
    """What a user asks for, with the recipe and the release found."""
    from dataclasses import replace

    from cards.releases import open_release
    from corpora.catalog import language
    from corpora.errors import InputError
    from trainer.experiments import parse_size, run_name
    from trainer.preparation import TrainConfig
    from trainer.recipe import load_recipe, parse_changes

    loaded = load_recipe(recipe, parse_changes(asked["changes"]))
    release = asked["release"] or loaded["release"]
    if not release:
        raise InputError("Name the release to learn from with --release.")
    langs = tuple(language(lang.strip()).code for lang in asked["langs"].split(",")) if asked["langs"] else ()
    found = TrainConfig(
        recipe=loaded,
        release=open_release(release, asked["registry"], asked["datasets_lock"], asked["offline"]),
        output=Path(),
        config_name=asked["config"],
        langs=langs,
        size=parse_size(asked["size"]) if asked["size"] else None,
        sharding=asked["sharding"] or ("fsdp2" if processes > 1 else "none"),
    )
    return replace(found, output=asked["output"] or Path("runs") / run_name(found))


def main() -> NoReturn:
    """Run the command; what is wrong for a person to mend is a sentence and exit code 2."""
    # Threads that wait must sleep: where others use the cores too, spinning ones slow a run down tenfold.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(_exit_code())


def _exit_code() -> int:
    from corpora.errors import InputError
    from trainer.run import Stopped

    try:
        cli.main(standalone_mode=False)
    except InputError as error:
        return _say(f"Error: {error}", 2)
    except Stopped as stopped:
        step, of = stopped.args
        return _say(f"Stopped after step {step:,} of {of:,}; the same command goes on from there.", STOPPED)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return _say("Interrupted. The same command goes on from the last checkpoint.", 130)
    except ModuleNotFoundError as error:
        return _say(f"Error: {error.name} is not installed. Install the extra: pip install 'coit-builders[eval]'.", 2)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        return _say(f"Error: {error.strerror or error}{place}. Mend this and run it again.", 2)
    return 0


def _hint(sentence: str) -> None:
    click.echo(sentence, err=True)


def _say(sentence: str, code: int) -> int:
    from trainer.processes import reports_result

    if reports_result() or (code == 2 and _is_main()):
        click.echo(sentence, err=True)
    return code


def _is_main() -> bool:
    from trainer.processes import is_main

    return is_main()


if __name__ == "__main__":
    main()
