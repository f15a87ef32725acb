"""The runs of a sweep: one recipe on nested subsets of a release, or on mixtures of its languages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.tables import check_reference
from trainer.preparation import TrainConfig, check_size
from trainer.recipe import digest
from trainer.rows import COUNTED_TASKS

if TYPE_CHECKING:
    from recipes.mixing import Mixture

MAX_EPOCHS = 100
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
    parts += [str(config.size or ""), mixture_name(config.mixture or {}, config.unique), f"seed{config.recipe['seed']}"]
    return "-".join(part for part in parts if part)


def mixture_name(mixture: Mapping[str, int], unique: Mapping[str, int]) -> str:
    """Return a name of a mixture: its pairs of each language, or of many languages their sum and a digest."""
    of = {lang: f"of{unique[lang]}" if lang in unique else "" for lang in mixture}
    parts = [f"{lang}{size}{of[lang]}" for lang, size in sorted(mixture.items())]
    if len(parts) <= MAX_NAMED_LANGS:
        return "-".join(parts)
    return f"mix{sum(mixture.values())}-{digest('-'.join(parts))[:8]}"


def parse_mixture(mixture: Mapping[str, int | str]) -> "MixtureRows":
    """Return the size of each language of a mixture; `1k/250` is 1,000 translations of 250 different ones.

    Raises:
        InputError: A language is unknown, or a size is not as expected.
    """
    sizes, unique = {}, {}
    for lang, text in mixture.items():
        check_reference(lang, set(languages()) - {"en"}, "language", "--mixture")
        size, slash, rows = str(text).partition("/")
        sizes[lang] = parse_size(size)
        if slash and parse_size(rows) < sizes[lang]:
            unique[lang] = parse_size(rows)
    return MixtureRows(sizes, unique)


@dataclass(frozen=True)
class MixtureRows:
    """How many translations of each language a run sees in a pass, and of how many where it repeats them."""

    sizes: Mapping[str, int]
    unique: Mapping[str, int] = field(default_factory=dict)


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


def plan_mixtures(config: TrainConfig, mixtures: Sequence[MixtureRows], seeds: int, folder: Path) -> list[TrainConfig]:
    """Return the runs of mixtures, each with every seed, smallest first.

    Args:
        config: The recipe and release.
        mixtures: Translations by language, and how many of them differ.
        seeds: The number of runs of each mixture; their seeds follow the recipe's.
        folder: The folder of the runs' folders.

    Raises:
        InputError: The release has too few translations in a language.
    """
    config_name = config.release.resolve_config(config.config_name)
    first = config.recipe["seed"]
    runs = []
    for mixture in sorted(mixtures, key=lambda own: sum(own.sizes.values())):
        sizes, unique = dict(mixture.sizes), dict(mixture.unique)
        langs = config.release.resolve_langs(config_name, sorted(lang for lang, size in sizes.items() if size))
        for seed in range(first, first + seeds):
            recipe = config.recipe.with_settings(seed=seed)
            run = replace(config, recipe=recipe, config_name=config_name, langs=langs, mixture=sizes, unique=unique)
            runs.append(replace(run, output=folder / run_name(run)))
    available = count_translations(config)
    for run in runs:
        for lang in run.langs:
            num_rows = run.unique.get(lang, (run.mixture or {})[lang])
            check_size(run.release.origin, "translation", lang, available.get(lang, 0), num_rows)
    return runs


def resolve_mixtures(config: TrainConfig, parts: "SweepParts") -> list[MixtureRows]:
    """Return the mixtures of a sweep: a design at each budget, then those of files, and those of names at each budget.

    Raises:
        InputError: A file, a name or a budget is not as expected.
    """
    from recipes.mixing import BASELINES, read_mixture

    names = [str(m) for m in parts.mixture if str(m).partition(":")[0] in BASELINES]
    files = [Path(m) for m in parts.mixture if str(m) not in names]
    if (parts.mixtures or names) and not parts.budgets:
        raise InputError("--mixtures and named mixtures are of --budgets: numbers of translations, such as 1500,3k.")
    if not 1 <= parts.epochs <= MAX_EPOCHS:
        raise InputError(f"--epochs takes a number from 1 to {MAX_EPOCHS}, not {parts.epochs:g}.")
    if not (parts.mixtures or parts.mixture):
        return []
    available = count_translations(config)
    resolved = []
    for number, budget in enumerate(parse_size(budget) for budget in parts.budgets):
        pools = _pools(available, budget, parts)
        resolved += _design(pools, budget, parts, config.recipe["seed"] + 7 * number)
        resolved += [_named(name, pools, budget, parts.epochs) for name in names]
    return resolved + [_mixture_rows(read_mixture(file, tuple(available), available)) for file in files]


def _pools(available: Mapping[str, int], budget: int, parts: "SweepParts") -> dict[str, int]:
    """Return of how many different rows of each language a budget is made: as small a part as it is of the target.

    So a scarce language is repeated as often as it would be at the target (arXiv 2606.07597).
    """
    if parts.target is None:
        return dict(available)
    target = parse_size(parts.target)
    if target < budget:
        raise InputError(f"--target is {target:,} translations, fewer than the budget of {budget:,}.")
    return {lang: max(1, round(rows * budget / target)) for lang, rows in available.items()}


def _design(pools: Mapping[str, int], budget: int, parts: "SweepParts", seed: int) -> list[MixtureRows]:
    from recipes.transfer import design_mixtures

    if not parts.mixtures:
        return []
    limits = {lang: int(rows * parts.epochs) for lang, rows in pools.items()}
    return [_repeated(sizes, pools) for sizes in design_mixtures(limits, [budget], parts.mixtures, seed)]


def _named(name: str, pools: Mapping[str, int], budget: int, epochs: float) -> MixtureRows:
    from recipes.mixing import allocation_problem, baseline

    limits = np.array(list(pools.values()), float)
    return _mixture_rows(baseline(name, allocation_problem(tuple(pools), budget, num_unique=limits, epochs=epochs)))


def _mixture_rows(mixture: "Mixture") -> MixtureRows:
    sizes = dict(zip(mixture.langs, mixture.pairs.tolist(), strict=True))
    return _repeated(sizes, dict(zip(mixture.langs, mixture.rows.tolist(), strict=True)))


def _repeated(sizes: Mapping[str, int], pools: Mapping[str, int]) -> MixtureRows:
    return MixtureRows(sizes, {lang: pools[lang] for lang, size in sizes.items() if size > pools[lang]})


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
    target: int | str | None = None
    epochs: float = 1.0

    def plan(self, config: TrainConfig, folder: Path) -> list[TrainConfig]:
        """Return the runs of one language, then those of mixtures, each smallest first.

        Raises:
            InputError: There is none, or the release has too few rows for one.
        """
        chosen = resolve_mixtures(config, self)
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
