"""The runs of a sweep: one recipe on nested subsets of a release, a run per language, size and seed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from corpora.errors import InputError
from trainer.preparation import TrainConfig, check_size
from trainer.rows import COUNTED_TASKS

FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_size(text: str | int) -> int:
    """Return `500`, `4k` or `1.2M` as a number.

    Raises:
        InputError: The text is not a size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([km]?)", str(text).strip().lower())
    size = round(float(match[1]) * FACTORS[match[2]]) if match else 0
    if size < 1:
        raise InputError(f"'{text}' is not a size. Sizes look like 500, 4k or 1.2M.")
    return size


def run_name(config: TrainConfig) -> str:
    """Return the name of a run's folder: recipe, release, and which part of the release."""
    release = config.release.describe()
    langs = "-".join(config.langs) if config.langs != (config.config_name,) else ""
    parts = [config.recipe.name, f"{release['name']}-{release['version']}", config.config_name, langs]
    parts += [str(config.size or ""), f"seed{config.recipe['seed']}"]
    return "-".join(part for part in parts if part)


def plan_runs(config: TrainConfig, sizes: Sequence[int], seeds: int, folder: Path) -> list[TrainConfig]:
    """Return the runs of every size, language and seed, smallest first.

    If a release has a config per language, each run takes that of its language; if one config has all languages, a
    run takes its language and English. With the same seed, a smaller subset is a part of every larger one.

    Args:
        config: The recipe and release; its languages are those of the sweep.
        sizes: Translations (or documents) per language.
        seeds: The number of runs of each size; their seeds follow the recipe's.
        folder: The folder of the runs' folders.

    Raises:
        InputError: The release has too few rows for a run.
    """
    first = config.recipe["seed"]
    runs = []
    for size in sorted(set(sizes)):
        for config_name, lang in _configs_and_langs(config):
            for seed in range(first, first + seeds):
                recipe = config.recipe.with_settings(seed=seed)
                run = replace(config, recipe=recipe, config_name=config_name, langs=(lang,), size=size)
                runs.append(replace(run, output=folder / run_name(run)))
    for run in runs:
        _check_available(run)
    return runs


def _configs_and_langs(config: TrainConfig) -> list[tuple[str, str]]:
    """Return config and language of each run."""
    configs = config.release.manifest["configs"]
    if config.config_name is None and len(configs) > 1:
        missing = [lang for lang in config.langs if lang not in configs]
        if missing:
            raise InputError(f"{config.release.origin} has no config {missing[0]}; it has {', '.join(configs)}.")
        return [(lang, lang) for lang in (config.langs or tuple(configs))]
    config_name = config.release.resolve_config(config.config_name)
    return [(config_name, lang) for lang in config.release.resolve_langs(config_name, config.langs)]


def _check_available(run: TrainConfig) -> None:
    """Raise InputError if a run needs more translations (or documents) than the manifest counts."""
    available = dict.fromkeys(COUNTED_TASKS, 0)
    for row in run.release.manifest["composition"]:
        if (row["config"], row["split"]) == (run.config_name, "train") and row["lang"] in run.langs:
            available[row["task"]] = available.get(row["task"], 0) + row["num_rows"]
    task = next((task for task in COUNTED_TASKS if available[task]), "translation")
    check_size(run.release.origin, task, run.langs[0], available[task], run.size or 0)
