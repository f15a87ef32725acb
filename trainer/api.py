"""sft(), sweep() and estimate(): the functions behind the verbs that train; keywords are named as the options."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cards.releases import Release, open_release
from corpora.arguments import checked
from corpora.catalog import language_codes
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.progress import ProgressLike, as_progress
from trainer.estimation import Estimate, estimate_run
from trainer.experiments import parse_size, plan_runs, run_name
from trainer.launch import launch
from trainer.preparation import TrainConfig
from trainer.recipe import load_recipe
from trainer.results import Run, Sweep
from trainer.run_progress import RunProgress

REGISTRY, LOCK, RUNS = "registry", "datasets.lock", "runs"
ReleaseLike = str | Path | Release | None


@checked
def sft(
    recipe: str | Path,
    *,
    release: ReleaseLike = None,
    config: str | None = None,
    langs: Sequence[str] = (),
    size: int | str | None = None,
    registry: str | Path = REGISTRY,
    datasets_lock: str | Path = LOCK,
    offline: bool = False,
    with_: Sequence[str | Path] = (),
    set: Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    processes: int = 1,
    sharding: str | None = None,
    progress: ProgressLike = None,
) -> Run:
    """Train a model on a release, or continue a run that was stopped. A finished run is returned as it is.

    Args:
        recipe: A training recipe: a name, or a YAML file.
        release: A release: NAME[@VERSION], hf://ORG/NAME[@VERSION], a folder, or an opened one. By default the
            recipe's.
        config: The config of the release; not needed if it has only one.
        langs: The languages to train on, beside English; by default all of the config.
        size: The number of translations (or documents) per language: `4000` or `"4k"`.
        registry: The registry of releases: a folder, or hf://ORG.
        datasets_lock: The lock file of releases on the Hub.
        offline: Use only what is downloaded.
        with_: Folders with your own `training/` recipes and `prompts.toml`.
        set: Settings that differ from the recipe's.
        output: The folder of the run; by default `runs/` and a name of recipe, release and settings.
        processes: The number of processes on this machine that train together.
        sharding: `none`, or an accelerate file for FSDP2; by default `fsdp2` with several processes.
        progress: Receives the progress: a `Progress`, or a function of a `Status`. None logs it.

    Returns:
        The finished run.

    Raises:
        InputError: The run cannot be trained as configured; the message says what to do.
        Stopped: A signal ended the run; calling again continues it.
    """
    with extend(with_):
        train_config = _train_config(
            recipe, release, config, langs, size, registry, datasets_lock, offline, set, output, processes, sharding
        )
        return Run(train_config.output, launch(train_config, processes, as_progress(progress)))


@checked
def sweep(
    recipe: str | Path,
    *,
    sizes: Sequence[int | str],
    seeds: int = 1,
    runs: str | Path = RUNS,
    release: ReleaseLike = None,
    config: str | None = None,
    langs: Sequence[str] = (),
    registry: str | Path = REGISTRY,
    datasets_lock: str | Path = LOCK,
    offline: bool = False,
    with_: Sequence[str | Path] = (),
    set: Mapping[str, Any] | None = None,
    processes: int = 1,
    sharding: str | None = None,
    progress: ProgressLike = None,
) -> Sweep:
    """Train a recipe on nested subsets of a release, a run per language, size and seed: the data of a scaling law.

    Finished runs are not repeated.

    Args:
        recipe: A training recipe: a name, or a YAML file.
        sizes: The numbers of translations (or documents) per language: `[1000, "2k"]`.
        seeds: The number of runs of each size.
        runs: The folder of the runs' folders.
        release: As in `sft`.
        config: As in `sft`; by default every language's own config.
        langs: The languages of the runs; by default all of the release.
        registry: As in `sft`.
        datasets_lock: As in `sft`.
        offline: As in `sft`.
        with_: As in `sft`.
        set: As in `sft`.
        processes: As in `sft`.
        sharding: As in `sft`.
        progress: As in `sft`.

    Returns:
        The finished runs, smallest first.

    Raises:
        InputError: A run cannot be trained as configured, or the release has too few rows for a size.
        Stopped: A signal ended a run; calling again continues it.
    """
    with extend(with_):
        train_config = _train_config(
            recipe, release, config, langs, None, registry, datasets_lock, offline, set, runs, processes, sharding
        )
        planned = plan_runs(train_config, [parse_size(size) for size in sizes], seeds, Path(runs))
        reported = as_progress(progress)
        return Sweep(
            tuple(
                Run(run.output, launch(run, processes, RunProgress(reported, run.output.name, number, len(planned))))
                for number, run in enumerate(planned, 1)
            )
        )


@checked
def estimate(
    recipe: str | Path,
    *,
    release: ReleaseLike = None,
    config: str | None = None,
    langs: Sequence[str] = (),
    size: int | str | None = None,
    registry: str | Path = REGISTRY,
    datasets_lock: str | Path = LOCK,
    offline: bool = False,
    with_: Sequence[str | Path] = (),
    set: Mapping[str, Any] | None = None,
    processes: int = 1,
    sharding: str | None = None,
    device: str | None = None,
    tokens_per_pair: str | Path | None = None,
) -> Estimate:
    """Return what `sft` would train on and need: rows, tokens, steps, memory and time. Nothing is trained.

    Args:
        recipe: A training recipe: a name, or a YAML file.
        release: As in `sft`.
        config: As in `sft`.
        langs: As in `sft`.
        size: As in `sft`.
        registry: As in `sft`.
        datasets_lock: As in `sft`.
        offline: As in `sft`.
        with_: As in `sft`.
        set: As in `sft`.
        processes: As in `sft`.
        sharding: As in `sft`.
        device: The processor to estimate for: `h100`, `h200`, `a100`, `l40s` or `cpu`; by default this machine's.
        tokens_per_pair: A CSV file to write with the tokens of a translation by language.

    Raises:
        InputError: The run cannot be trained as configured; the message says what to do.
    """
    with extend(with_):
        train_config = _train_config(
            recipe, release, config, langs, size, registry, datasets_lock, offline, set, None, processes, sharding
        )
        return estimate_run(train_config, processes, device, Path(tokens_per_pair) if tokens_per_pair else None)


def _train_config(
    recipe: str | Path,
    release: ReleaseLike,
    config: str | None,
    langs: Sequence[str],
    size: int | str | None,
    registry: str | Path,
    datasets_lock: str | Path,
    offline: bool,
    changes: Mapping[str, Any] | None,
    output: str | Path | None,
    processes: int,
    sharding: str | None,
) -> TrainConfig:
    """Return the run that the options describe, with its recipe and release found."""
    loaded = load_recipe(recipe, changes)
    name = release or loaded["release"]
    if not name:
        raise InputError("Name the release to train on with --release.")
    opened = open_release(name, registry, Path(datasets_lock), offline)
    train_config = TrainConfig(
        recipe=loaded,
        release=opened,
        output=Path(),
        config_name=config,
        langs=language_codes(langs),
        size=parse_size(size) if size is not None else None,
        sharding=sharding or ("fsdp2" if processes > 1 else "none"),
    )
    return replace(train_config, output=Path(output or Path(RUNS) / run_name(train_config)))
