"""sft(), sweep() and estimate(): the functions behind the verbs that train; keywords are named as the options."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from cards.releases import Release, open_release
from corpora.arguments import checked
from corpora.catalog import language_codes
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.progress import Progress, ProgressLike, as_progress, stage
from trainer.cluster_runs import train_on_cluster
from trainer.estimation import Estimate, estimate_run
from trainer.experiments import SweepParts, parse_mixture, parse_size, run_name
from trainer.launch import launch
from trainer.preparation import TrainConfig
from trainer.processes import choose_sharding, join_slurm, num_processes
from trainer.recipe import load_recipe
from trainer.resources import read_prices
from trainer.results import Run, Sweep
from trainer.run import RunMetadata
from trainer.run_commands import RunProcesses, as_shell, sft_command, visible_gpus
from trainer.run_progress import RunProgress
from trainer.sweep_runs import parse_array_index, run_status, train_runs

REGISTRY, LOCK, RUNS = "registry", "datasets.lock", "runs"
Dtype = Literal["float32", "bfloat16", "float16"]
ReleaseLike = str | Path | Release | None


@checked
def sft(
    recipe: str | Path,
    *,
    release: ReleaseLike = None,
    config: str | None = None,
    langs: Sequence[str] = (),
    size: int | str | None = None,
    mixture: Mapping[str, int | str] | None = None,
    registry: str | Path = REGISTRY,
    datasets_lock: str | Path = LOCK,
    offline: bool = False,
    with_: Sequence[str | Path] = (),
    set: Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    processes: int = 1,
    sharding: str | None = None,
    dtype: Dtype | None = None,
    keep_checkpoints: bool = False,
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
        mixture: The number of translations of each language, instead of `size`: `{"el": 500, "hi": "1k"}`; "1k/250"
            is 1,000 of 250 different ones, each seen four times in a pass.
        registry: The registry of releases: a folder, or hf://ORG.
        datasets_lock: The lock file of releases on the Hub.
        offline: Use only what is downloaded.
        with_: Folders with your own `training/` recipes and `prompts.toml`.
        set: Settings that differ from the recipe's.
        output: The folder of the run; by default `runs/` and a name of recipe, release and settings.
        processes: The number of processes on this machine that train together.
        sharding: `none`, or an accelerate file for FSDP2; by default `fsdp2` with several processes.
        dtype: The precision of the finished model; by default its base's.
        keep_checkpoints: Keep the checkpoints of a run that is finished.
        progress: Receives the progress: a `Progress`, or a function of a `Status`. None logs it.

    Returns:
        The finished run.

    Raises:
        InputError: The run cannot be trained as configured; the message says what to do.
        Diverged: A loss or gradient is not finite.
        Stopped: A signal ended the run; calling again continues it.
    """
    with extend(with_):
        train_config = _train_config(
            recipe, release, config, langs, size, registry, datasets_lock, offline, set, output, processes, sharding
        )
        train_config = replace(train_config, dtype=dtype, keep_checkpoints=keep_checkpoints)
        if mixture:
            train_config = _of_mixture(train_config, mixture, output)
        return Run(train_config.output, launch(train_config, processes, as_progress(progress)))


@checked
def sweep(
    recipe: str | Path,
    *,
    sizes: Sequence[int | str] = (),
    mixtures: int = 0,
    budgets: Sequence[int | str] = (),
    mixture: Sequence[str | Path] = (),
    target: int | str | None = None,
    epochs: float = 1.0,
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
    dtype: Dtype | None = None,
    keep_checkpoints: bool = False,
    jobs: int = 1,
    cluster: str | None = None,
    array_index: str | None = None,
    progress: ProgressLike = None,
) -> Sweep:
    """Train a recipe on nested subsets of a release, or on mixtures of its languages: the data of scaling laws.

    Finished runs are not repeated. Several jobs may share the folder: each takes the next run that no other trains.

    Args:
        recipe: A training recipe: a name, or a YAML file.
        sizes: The numbers of translations (or documents) of runs of one language: `[1000, "2k"]`.
        mixtures: How many mixtures of all languages, which fill the space of shares, for each of `budgets`.
        budgets: The numbers of translations of `mixtures`, and of each `mixture` that is a name.
        mixture: Mixtures to train on: CSV files of lang,rows,epochs, or names such as `unimax`.
        target: The number of translations that the mixtures are tried for: of each language as small a part of its rows
            is used as a budget is of it, so that scarce languages are repeated as often.
        epochs: How often mixtures of a budget may repeat a row.
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
        dtype: As in `sft`.
        keep_checkpoints: As in `sft`.
        jobs: The number of runs that are trained at the same time, each in a process of its own.
        cluster: A Ray cluster, `auto` or its address, that trains the runs where there is room; all nodes share the
            folder of the runs, the registry and the current folder.
        array_index: `K/N`: only every N-th run, from the K-th (counted from 0), without waiting for others.
        progress: As in `sft`.

    Returns:
        The finished runs, smallest first.

    Raises:
        InputError: A run cannot be trained as configured, or the release has too few rows for a size.
        Stopped: A signal ended a run; calling again continues it.
    """
    with extend(with_):
        options = _options(
            release, registry, datasets_lock, offline, with_, processes, sharding, dtype, keep_checkpoints
        )
        planned = _plan(
            recipe,
            release,
            config,
            langs,
            registry,
            datasets_lock,
            offline,
            set,
            runs,
            processes,
            sharding,
            SweepParts(sizes, mixtures, budgets, mixture, seeds, target, epochs),
        )
        if num_processes() > 1:  # they would claim the runs from each other
            raise InputError(
                "A sweep starts the processes of each run itself. Start it once, with --processes N; under Slurm with "
                "one task in each job of an array."
            )
        chosen = _every_nth(planned, array_index)
        made = [replace(run, dtype=dtype, keep_checkpoints=keep_checkpoints) for run in chosen]
        commands = [sft_command(recipe, run, set or {}, options) for run in made]
        if cluster and made:
            results, failures = train_on_cluster(cluster, made, commands, processes, as_progress(progress))
        else:
            results, failures = _train_all(made, commands, processes, jobs, as_progress(progress))
        finished = tuple(Run(made[index].output, results[index]) for index in sorted(results))
        return Sweep(finished, {made[index].output.name: failures[index] for index in sorted(failures)})


@checked
def plan_sweep(
    recipe: str | Path,
    *,
    sizes: Sequence[int | str] = (),
    mixtures: int = 0,
    budgets: Sequence[int | str] = (),
    mixture: Sequence[str | Path] = (),
    target: int | str | None = None,
    epochs: float = 1.0,
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
    dtype: Dtype | None = None,
    keep_checkpoints: bool = False,
    array_index: str | None = None,
) -> list[dict[str, Any]]:
    """Return the runs that `sweep` would train: folder, language, size, seed, status, and the command for each.

    Args:
        recipe: As in `sweep`.
        sizes: As in `sweep`.
        mixtures: As in `sweep`.
        budgets: As in `sweep`.
        mixture: As in `sweep`.
        target: As in `sweep`.
        epochs: As in `sweep`.
        seeds: As in `sweep`.
        runs: As in `sweep`.
        release: As in `sweep`.
        config: As in `sweep`.
        langs: As in `sweep`.
        registry: As in `sweep`.
        datasets_lock: As in `sweep`.
        offline: As in `sweep`.
        with_: As in `sweep`.
        set: As in `sweep`.
        processes: As in `sweep`.
        sharding: As in `sweep`.
        dtype: As in `sweep`.
        keep_checkpoints: As in `sweep`.
        array_index: As in `sweep`.

    Raises:
        InputError: As in `sweep`.
    """
    with extend(with_):
        options = _options(
            release, registry, datasets_lock, offline, with_, processes, sharding, dtype, keep_checkpoints
        )
        planned = _plan(
            recipe,
            release,
            config,
            langs,
            registry,
            datasets_lock,
            offline,
            set,
            runs,
            processes,
            sharding,
            SweepParts(sizes, mixtures, budgets, mixture, seeds, target, epochs),
        )
        return [
            {
                "folder": str(run.output),
                "lang": ",".join(run.langs),
                "size": sum(run.mixture.values()) if run.mixture else run.size,
                "seed": run.recipe["seed"],
                "status": run_status(run.output),
                "command": as_shell(sft_command(recipe, run, set or {}, options)),
            }
            for run in _every_nth(planned, array_index)
        ]


def _plan(
    recipe: str | Path, release: ReleaseLike, config: str | None, langs: Sequence[str], registry: str | Path,
    datasets_lock: str | Path, offline: bool, changes: Mapping[str, Any] | None, runs: str | Path, processes: int,
    sharding: str | None, parts: SweepParts,
) -> list[TrainConfig]:  # fmt: skip
    """Return the runs of a sweep."""
    train_config = _train_config(
        recipe, release, config, langs, None, registry, datasets_lock, offline, changes, runs, processes, sharding
    )
    return parts.plan(train_config, Path(runs))


def _every_nth(runs: list[TrainConfig], array_index: str | None) -> list[TrainConfig]:
    if array_index is None:
        return runs
    index, count = parse_array_index(array_index)
    return runs[index::count]


def _options(
    release: ReleaseLike, registry: str | Path, datasets_lock: str | Path, offline: bool,
    with_: Sequence[str | Path], processes: int, sharding: str | None, dtype: str | None, keep_checkpoints: bool,
) -> dict[str, object]:  # fmt: skip
    """Return the options of `trainer sft` that are the same for all runs of a sweep."""
    named = release.uri if isinstance(release, Release) else release
    options: dict[str, object] = {"--release": named, "--with": [str(folder) for folder in with_]}
    options |= {"--registry": None if str(registry) == REGISTRY else registry}
    options |= {"--datasets-lock": None if str(datasets_lock) == LOCK else datasets_lock, "--offline": offline}
    options |= {"--processes": processes if processes > 1 else None, "--sharding": sharding, "--dtype": dtype}
    return options | {"--keep-checkpoints": keep_checkpoints}


def _train_all(
    runs: Sequence[TrainConfig], commands: Sequence[Sequence[str]], processes: int, jobs: int, progress: Progress
) -> tuple[dict[int, RunMetadata], dict[int, str]]:
    """Train the runs of a sweep here one by one, or several at a time in processes of their own."""
    if jobs == 1:
        return train_runs(
            runs, lambda n, run: launch(run, processes, RunProgress(progress, run.output.name, n, len(runs)))
        )
    running = RunProcesses(visible_gpus())

    def train(number: int, run: TrainConfig) -> RunMetadata:
        metadata = running.train(commands[number - 1], run.output)
        progress.advance()
        return metadata

    with running.forward_signals(), stage(progress, "training runs", 1, 1, len(runs), "runs"):
        return train_runs(runs, train, jobs)


@checked
def estimate(
    recipe: str | Path,
    *,
    release: ReleaseLike = None,
    config: str | None = None,
    langs: Sequence[str] = (),
    size: int | str | None = None,
    mixture: Mapping[str, int | str] | None = None,
    registry: str | Path = REGISTRY,
    datasets_lock: str | Path = LOCK,
    offline: bool = False,
    with_: Sequence[str | Path] = (),
    set: Mapping[str, Any] | None = None,
    processes: int = 1,
    sharding: str | None = None,
    device: str | None = None,
    prices: Mapping[str, float | str] | None = None,
    tokens_per_pair: str | Path | None = None,
) -> Estimate:
    """Return what `sft` would train on and need: rows, tokens, steps, memory and time. Nothing is trained.

    Args:
        recipe: A training recipe: a name, or a YAML file.
        release: As in `sft`.
        config: As in `sft`.
        langs: As in `sft`.
        size: As in `sft`.
        mixture: As in `sft`.
        registry: As in `sft`.
        datasets_lock: As in `sft`.
        offline: As in `sft`.
        with_: As in `sft`.
        set: As in `sft`.
        processes: As in `sft`.
        sharding: As in `sft`.
        device: The processor to estimate for: `h100`, `h200`, `a100`, `l40s` or `cpu`; by default this machine's.
        prices: The price of an hour by device, in any currency; the estimate then has what the run costs.
        tokens_per_pair: A CSV file to write with the tokens of a translation by language.

    Raises:
        InputError: The run cannot be trained as configured; the message says what to do.
    """
    with extend(with_):
        train_config = _train_config(
            recipe, release, config, langs, size, registry, datasets_lock, offline, set, None, processes, sharding
        )
        if mixture:
            train_config = _of_mixture(train_config, mixture, None)
        return estimate_run(
            train_config,
            processes,
            device,
            read_prices(prices or {}),
            Path(tokens_per_pair) if tokens_per_pair else None,
        )


def _of_mixture(config: TrainConfig, mixture: Mapping[str, int | str], output: str | Path | None) -> TrainConfig:
    """Return the run with a size for each language."""
    if config.size is not None or (config.langs and sorted(config.langs) != sorted(mixture)):
        raise InputError("--mixture has the languages and their sizes; leave out --size and --langs.")
    rows = parse_mixture(mixture)
    chosen = replace(config, mixture=rows.sizes, unique=rows.unique, langs=tuple(mixture))
    return replace(chosen, output=Path(output or Path(RUNS) / run_name(chosen)))


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
    join_slurm()
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
        sharding=choose_sharding(sharding, processes),
    )
    return replace(train_config, output=Path(output or Path(RUNS) / run_name(train_config)))
