"""The experiments of a scaling law: one recipe on nested subsets of a release, a run a language, size and seed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from corpora.errors import InputError
from trainer.release import SIZED, choose_config, choose_langs
from trainer.run import Record
from trainer.training.prepare import Request

FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_size(text: str) -> int:
    """`500`, `4k` or `1.2M` as a number of translations; InputError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([km]?)", text.strip().lower())
    size = round(float(match[1]) * FACTORS[match[2]]) if match else 0
    if size < 1:
        raise InputError(f"'{text}' is no size; one looks like 500, 4k or 1.2M.")
    return size


def run_name(request: Request) -> str:
    """The name of a run's folder: recipe, release, and what of the release it learns from."""
    said = request.release.said()
    parts = [request.recipe.name, f"{said['name']}-{said['version']}", request.config or ""]
    parts += ["-".join(request.langs), str(request.size or ""), f"seed{request.recipe['seed']}"]
    return "-".join(part for part in parts if part)


def plan_runs(request: Request, sizes: Sequence[int], seeds: int, runs: Path) -> list[Request]:
    """The runs of every language, size and seed, smallest first; InputError if the release holds too little for one.

    The configs of one language each are taken by language; a config of all is narrowed to the language and English.
    For a seed, a smaller subset is a part of every larger one.
    """
    first = request.recipe["seed"]
    planned = []
    for size in sorted(set(sizes)):
        for config, lang in _languages(request):
            for seed in range(first, first + seeds):
                recipe = request.recipe.with_settings(seed=seed)
                run = replace(request, recipe=recipe, config=config, langs=(lang,), size=size)
                planned.append(replace(run, out=runs / run_name(run)))
    _check_sizes(planned)
    return planned


def _languages(request: Request) -> list[tuple[str, str]]:
    """Config and language of each run."""
    configs = request.release.manifest["configs"]
    if request.config is None and len(configs) > 1:
        missing = [lang for lang in request.langs if lang not in configs]
        if missing:
            raise InputError(f"{request.release.origin} has no config {missing[0]}; it has {', '.join(configs)}.")
        return [(lang, lang) for lang in (request.langs or tuple(configs))]
    config = choose_config(request.release, request.config)
    return [(config, lang) for lang in choose_langs(request.release, config, request.langs)]


def _check_sizes(planned: Sequence[Request]) -> None:
    """InputError if a run asks for more translations (or documents) than the release's own account says there are."""
    for run in planned:
        there = dict.fromkeys(SIZED, 0)
        for row in run.release.manifest["mixture"]:
            if (row["config"], row["split"]) == (run.config, "train") and row["lang"] in run.langs:
                there[row["task"]] = there.get(row["task"], 0) + row["rows"]
        task = next((task for task in SIZED if there[task]), "translation")
        if run.size is not None and there[task] < run.size:
            raise InputError(
                f"{run.release.origin} has {there[task]:,} {SIZED[task]} in {run.langs[0]}, fewer than {run.size:,}."
            )


def train_runs(planned: Sequence[Request], processes: int, tell: Callable[[str], None]) -> list[Record]:
    """Train every run that is not done yet; their records."""
    from trainer.launch import train
    from trainer.training.prepare import is_main

    records = []
    for number, run in enumerate(planned, 1):
        if is_main():
            tell(f"{number} of {len(planned)}: {run.out}")
        records.append(train(run, processes) | {"folder": str(run.out)})
    return records
