"""Read runs on mixtures from evaluation results: what each model was trained on, and its value in each language."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from corpora.errors import InputError
from recipes.results import Result
from recipes.scaling import Floats

TRANSLATION = "translation"
MAX_SAME_SEED = 1.0  # points of a hundredth of the range by which runs of one mixture and seed may differ


@dataclass(frozen=True)
class Runs:
    """What runs were trained on, and their values.

    Args:
        names: A name for each run, for messages.
        langs: The languages of the values.
        donors: The columns of `pairs`: languages, then other tasks such as `instruction/en`.
        pairs: Examples of each run by donor, shape (runs, donors).
        values: The values, shape (runs, languages); NaN where a run was not evaluated.
        seeds: The seed of each run.
    """

    names: tuple[str, ...]
    langs: tuple[str, ...]
    donors: tuple[str, ...]
    pairs: Floats
    values: Floats
    seeds: tuple[int, ...]

    @property
    def num_langs(self) -> int:
        """How many donors are languages."""
        return sum("/" not in donor for donor in self.donors)

    @property
    def sizes(self) -> Floats:
        """The translations of each run, in all languages."""
        return np.asarray(self.pairs[:, : self.num_langs].sum(axis=1))

    @property
    def is_mixed(self) -> Floats:
        """Whether each run holds several languages."""
        return np.asarray((self.pairs[:, : self.num_langs] > 0).sum(axis=1) > 1)

    def select(self, rows: Floats) -> "Runs":
        """Return some of the runs."""
        index = np.flatnonzero(rows)
        names, seeds = tuple(self.names[i] for i in index), tuple(self.seeds[i] for i in index)
        return replace(self, names=names, pairs=self.pairs[index], values=self.values[index], seeds=seeds)

    def repeated(self) -> list[list[int]]:
        """Return the indices of runs on equal mixtures, a list for each mixture with several."""
        groups: dict[bytes, list[int]] = {}
        for index, row in enumerate(self.pairs):
            groups.setdefault(row.tobytes(), []).append(index)
        return [group for group in groups.values() if len(group) > 1]


def is_mixed(result: Result) -> bool:
    """Return whether a result is of a model that was trained on translations with several languages."""
    return sum(count > 0 for count in result.composition.get(TRANSLATION, {}).values()) > 1


def has_mixtures(results: Sequence[Result]) -> bool:
    """Return whether results are of models on mixtures, so that a law with transfer is needed.

    Raises:
        InputError: Some results are of mixtures, and others do not say what the model was trained on.
    """
    if not any(map(is_mixed, results)):
        return False
    if unknown := [r for r in results if not r.composition]:
        raise InputError(
            f"{len(results) - len(unknown)} results are of models on mixtures of languages, but {len(unknown)} (such "
            f"as {unknown[0].lang}, {unknown[0].size:,} pairs, model '{unknown[0].model}') do not say what the model "
            "was trained on: their composition is empty. Fit them apart with --model, or add the composition."
        )
    return True


def runs_from_results(results: Sequence[Result]) -> Runs:
    """Return the runs of results of one metric, benchmark and direction.

    Counts of other tasks are donors only where they differ between runs: what is the same everywhere is a part of each
    law's offset.

    Raises:
        InputError: A composition contradicts the number of pairs, or two equal runs have different values.
    """
    for result in results:
        _check_composition(result)
    groups: dict[tuple[str, str, int, str], list[Result]] = {}
    for result in results:
        text = repr(sorted((task, sorted(langs.items())) for task, langs in result.composition.items()))
        groups.setdefault((result.model, result.release, result.seed, text), []).append(result)
    langs = tuple(sorted({result.lang for result in results}))
    donors = _donors([own[0] for own in groups.values()])
    pairs = np.array([[_count(own[0], donor) for donor in donors] for own in groups.values()], float)
    by_lang = [{result.lang: result.value for result in own} for own in groups.values()]
    values = np.array([[of_run.get(lang, math.nan) for lang in langs] for of_run in by_lang])
    names = tuple(f"{model or release} (seed {seed})" for model, release, seed, _ in groups)
    runs = Runs(names, langs, donors, pairs, values, tuple(seed for _, _, seed, _ in groups))
    _check_repeated(runs, (results[0].metric_max - results[0].metric_min) / 100)
    return runs


def _check_composition(result: Result) -> None:
    where = f"The result of {result.model or result.release or 'a model'} in {result.lang}"
    for task, langs in result.composition.items():
        for lang, count in langs.items():
            if count < 0:
                raise InputError(f"{where}: the composition has {count:,} examples of {task} in {lang}.")
    counted = result.composition.get(TRANSLATION, {}).get(result.lang, 0)
    if counted != result.num_pairs:
        raise InputError(
            f"{where}: num_pairs is {result.num_pairs:,}, but its composition has {counted:,} translations with "
            f"{result.lang}. Evaluate the model again, or correct the file."
        )


def _donors(results: Sequence[Result]) -> tuple[str, ...]:
    """Return the languages of translations, then other tasks whose counts differ between runs."""
    langs = sorted({lang for r in results for lang, count in r.composition.get(TRANSLATION, {}).items() if count})
    others = sorted(
        {f"{t}/{lang}" for r in results for t, of in r.composition.items() if t != TRANSLATION for lang in of}
    )
    return (*langs, *(donor for donor in others if len({_count(r, donor) for r in results}) > 1))


def _count(result: Result, donor: str) -> int:
    task, slash, lang = donor.partition("/")
    return result.composition.get(task if slash else TRANSLATION, {}).get(lang if slash else donor, 0)


def _check_repeated(runs: Runs, point: float) -> None:
    """Raise InputError if two runs that differ in nothing have values that differ by more than MAX_SAME_SEED."""
    for group in runs.repeated():
        for number, first in enumerate(group):
            for second in group[number + 1 :]:
                if runs.seeds[first] != runs.seeds[second]:
                    continue
                differences = np.nan_to_num(np.abs(runs.values[first] - runs.values[second]))
                if (most := differences.max()) > MAX_SAME_SEED * point:
                    raise InputError(
                        f"{runs.names[first]} and {runs.names[second]} were trained on the same examples with the same "
                        f"seed, but differ by {most:.2f} in {runs.langs[int(differences.argmax())]}. One of them was "
                        "trained or evaluated in another way: leave it out with --model, or give it another seed."
                    )


def check_varied(runs: Runs) -> None:
    """Raise InputError if all runs have the same mixture."""
    shares = runs.pairs / np.maximum(runs.pairs.sum(axis=1, keepdims=True), 1)
    if len(np.unique(np.round(shares, 3), axis=0)) == 1:
        raise InputError(
            f"All {len(runs.names)} runs have the same mixture, so nothing shows what another mixture would change. "
            "Train other mixtures: `trainer sweep RECIPE --mixtures 8 --budgets 1500,3000`."
        )
