"""The runs of a sweep: one recipe on nested subsets of a release, or on mixtures of its languages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.tables import check_reference
from trainer.preparation import TrainConfig, check_size
from trainer.recipe import digest
from trainer.rows import COUNTED_TASKS

MAX_NAMED_LANGS = 8  # in the name of a run's folder
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
    if config.mixture:
        parts[-1] = ""
    parts += [str(config.size or ""), mixture_name(config.mixture or {}), f"seed{config.recipe['seed']}"]
    return "-".join(part for part in parts if part)


def mixture_name(mixture: Mapping[str, int]) -> str:
    """Return a name of a mixture: its pairs of each language, or of many languages their sum and a digest."""
    parts = [f"{lang}{size}" for lang, size in sorted(mixture.items())]
    if len(parts) <= MAX_NAMED_LANGS:
        return "-".join(parts)
    return f"mix{sum(mixture.values())}-{digest('-'.join(parts))[:8]}"


def parse_mixture(mixture: Mapping[str, int | str]) -> dict[str, int]:
    """Return the size of each language of a mixture.

    Raises:
        InputError: A language is unknown, or a size is not as expected.
    """
    for lang in mixture:
        check_reference(lang, set(languages()) - {"en"}, "language", "--mixture")
    return {lang: parse_size(size) for lang, size in mixture.items()}


def parse_mixture_text(text: str) -> dict[str, str]:
    """Return the parts of a text such as `el=771,hi=1k`."""
    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    if not parts or not all(equals and lang.strip() and size.strip() for lang, equals, size in parts):
        raise InputError(f"--mixture takes sizes by language such as el=771,hi=1k, not '{text}'.")
    mixture = {lang.strip(): size for lang, _, size in parts}
    if len(mixture) < len(parts):
        raise InputError(f"--mixture names a language twice: '{text}'. Keep one.")
    return mixture


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


def plan_mixtures(
    config: TrainConfig, mixtures: Sequence[Mapping[str, int]], seeds: int, folder: Path
) -> list[TrainConfig]:
    """Return the runs of mixtures, each with every seed, smallest first.

    Args:
        config: The recipe and release.
        mixtures: Translations by language.
        seeds: The number of runs of each mixture; their seeds follow the recipe's.
        folder: The folder of the runs' folders.

    Raises:
        InputError: The release has too few translations in a language.
    """
    config_name = config.release.resolve_config(config.config_name)
    first = config.recipe["seed"]
    runs = []
    for mixture in sorted(mixtures, key=lambda own: sum(own.values())):
        langs = config.release.resolve_langs(config_name, sorted(lang for lang, size in mixture.items() if size))
        for seed in range(first, first + seeds):
            recipe = config.recipe.with_settings(seed=seed)
            run = replace(config, recipe=recipe, config_name=config_name, langs=langs, mixture=dict(mixture))
            runs.append(replace(run, output=folder / run_name(run)))
    available = count_translations(config)
    for run in runs:
        for lang in run.langs:
            check_size(run.release.origin, "translation", lang, available.get(lang, 0), (run.mixture or {})[lang])
    return runs


def resolve_mixtures(
    config: TrainConfig, num_mixtures: int, budgets: Sequence[int], mixtures: Sequence[str | Path]
) -> list[dict[str, int]]:
    """Return the mixtures of a sweep: a design at each budget, then those of files, and those of names at each budget.

    Args:
        config: The release and its languages.
        num_mixtures: Mixtures of the design at each budget.
        budgets: Numbers of translations.
        mixtures: CSV files of lang,rows,epochs, or names such as unimax.

    Raises:
        InputError: A file, a name or a budget is not as expected.
    """
    if not num_mixtures and not mixtures:
        return []
    from recipes.mixing import BASELINES, allocation_problem, baseline, read_mixture
    from recipes.transfer import design_mixtures

    available = count_translations(config)
    if (num_mixtures or any(str(m).partition(":")[0] in BASELINES for m in mixtures)) and not budgets:
        raise InputError("--mixtures and named mixtures are of --budgets: numbers of translations, such as 1500,3k.")
    resolved = design_mixtures(available, budgets, num_mixtures, config.recipe["seed"]) if num_mixtures else []
    for mixture in mixtures:
        if str(mixture).partition(":")[0] not in BASELINES:
            chosen = [read_mixture(Path(mixture), tuple(available), available)]
        else:
            limits = np.array(list(available.values()), float)
            problems = [allocation_problem(tuple(available), budget, num_unique=limits) for budget in budgets]
            chosen = [baseline(str(mixture), problem) for problem in problems]
        resolved += [dict(zip(own.langs, own.rows.tolist(), strict=True)) for own in chosen]
    return resolved


def count_translations(config: TrainConfig) -> dict[str, int]:
    """Return how many translations for training the release has in each language of the sweep."""
    config_name = config.release.resolve_config(config.config_name)
    langs = config.release.resolve_langs(config_name, config.langs)
    counts = dict.fromkeys(langs, 0)
    for row in config.release.manifest["composition"]:
        if (row["config"], row["split"], row["task"]) == (config_name, "train", "translation") and row[
            "lang"
        ] in counts:
            counts[row["lang"]] += row["num_rows"]
    return counts


@dataclass(frozen=True)
class SweepParts:
    """What a sweep trains; the values of each field are those of the option of the same name."""

    sizes: Sequence[int | str] = ()
    mixtures: int = 0
    budgets: Sequence[int | str] = ()
    mixture: Sequence[str | Path] = ()
    seeds: int = 1

    def plan(self, config: TrainConfig, folder: Path) -> list[TrainConfig]:
        """Return the runs of one language, then those of mixtures, each smallest first.

        Raises:
            InputError: There is none, or the release has too few rows for one.
        """
        budgets = [parse_size(budget) for budget in self.budgets]
        chosen = resolve_mixtures(config, self.mixtures, budgets, self.mixture)
        sizes = [parse_size(size) for size in self.sizes]
        planned = plan_runs(config, sizes, self.seeds, folder) if sizes else []
        planned += plan_mixtures(config, chosen, self.seeds, folder) if chosen else []
        if not planned:
            raise InputError("A sweep needs --sizes, --mixtures with --budgets, or a --mixture.")
        return planned


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
