"""Fit scaling laws to evaluation results: the verb `fit`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.budget.format import equivalence_json, equivalence_text, laws_html, laws_text
from builders.budget.inputs import ResultSelection, ResultsLike, check_langs
from builders.budget.pictures import draw
from builders.budget.transfer_format import transfer_laws_html, transfer_laws_text
from cards.display_names import metric_name
from corpora.arguments import checked
from corpora.errors import InputError
from corpora.in_memory import Table, to_arrow
from recipes.mixing import laws_json
from recipes.results import Result, append_results
from recipes.results_csv import read_results_csv, results_from_rows
from recipes.scaling import Laws, fit_results, mean_gammas, write_laws
from recipes.transfer import (
    AnyLaws,
    NoiseFloor,
    Prediction,
    TransferLaws,
    calibration,
    fit_transfer,
    has_mixtures,
    noise_floor,
    read_predictions,
    runs_from_results,
    surface_table,
    transfer_laws_json,
    write_transfer_laws,
)


@dataclass(frozen=True, repr=False)
class FitResult:
    """Laws, and what they were fitted to.

    Args:
        laws: The laws by language.
        model: The name or pattern of the models.
        baseline: The laws of the baseline models, if any.
        baseline_model: Their name or pattern.
        imported: The rows of an imported CSV and how many of them were new, if any.
        files: The files that were written.
        noise: How much values of equal runs differ, where models were trained on mixtures.
        predictions: The ledger of earlier predictions.
    """

    laws: AnyLaws
    model: str = ""
    baseline: Laws | None = None
    baseline_model: str = ""
    imported: tuple[int, int] | None = None
    files: tuple[Path, ...] = ()
    noise: NoiseFloor | None = None
    predictions: tuple[Prediction, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return laws and equivalences as JSON values."""
        if isinstance(self.laws, TransferLaws):
            return transfer_json(self.laws, self.noise)
        table = {"laws": laws_json(list(self.laws.laws.values())), "not_fitted": dict(self.laws.not_fitted)}
        return table | (equivalence_json(self.laws, self.baseline) if self.baseline else {})

    def __repr__(self) -> str:
        parts = [f"{self.imported[1]:,} of {self.imported[0]:,} imported rows are new."] if self.imported else []
        if isinstance(self.laws, TransferLaws):
            parts.append(transfer_laws_text(self.laws, self.noise, self.files))
            return "\n\n".join([*parts, *([str(calibration(self.predictions))] if self.predictions else [])])
        parts.append(laws_text(self.laws, self.files))
        if self.baseline:
            parts.append(equivalence_text(self.laws, self.baseline, self.model, self.baseline_model))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        return transfer_laws_html(self.laws) if isinstance(self.laws, TransferLaws) else laws_html(self.laws)


def transfer_json(laws: TransferLaws, floor: NoiseFloor | None) -> dict[str, Any]:
    """Return laws with transfer and the noise floor as JSON values."""
    smallest = {str(seeds): floor.smallest(seeds) for seeds in (1, 3, 5)} if floor else {}
    return {
        "form": laws.form,
        "laws": transfer_laws_json(laws, laws.langs),
        "holdout_error": dict(laws.holdout_error),
        "not_fitted": dict(laws.not_fitted),
        "smallest_difference": {
            seeds: {**dict(zip(floor.langs, by_lang.tolist(), strict=True)), "mean": mean}
            for seeds, (by_lang, mean) in smallest.items()
            if floor
        },
    }


@checked
def fit(
    results: ResultsLike = "results.jsonl",
    *,
    metric: str | None = None,
    benchmark: str | None = None,
    direction: str | None = None,
    model: str | None = None,
    langs: Sequence[str] = (),
    gamma: Mapping[str, float] | None = None,
    baseline: str | None = None,
    import_: str | Path | Table | None = None,
    metric_range: tuple[float, float] = (0.0, 100.0),
    surface: Sequence[str] = (),
    predictions: str | Path = "predictions.jsonl",
    output: str | Path | None = None,
) -> FitResult:
    """Fit a scaling law to the results of each language, in the form that predicts larger sizes best.

    Args:
        results: A `results.jsonl`, results, or a table of them.
        metric: The metric, where the results have several.
        benchmark: The benchmark, where the results have several.
        direction: `en-xx` or `xx-en`, where the results have both.
        model: Only models of this name; a pattern such as `tiny-*`. Of imported rows, their model's name.
        langs: Only these languages.
        gamma: Similarities to English by language; with them the alpha of arXiv 2308.04948 is known.
        baseline: Models of this name or pattern get laws of their own, and the others are compared with them.
        import_: A CSV or a table of lang, num_pairs, value and perhaps std, whose rows are first added to the file
            `results`.
        metric_range: The least and the greatest value of an imported metric.
        surface: Two languages; beside the laws with transfer, draw the first one's law over the pairs of both.
        predictions: The ledger of `check`; where it exists, how honest its predictions were is shown.
        output: Write the laws to this JSON file, and a picture beside it.

    Raises:
        InputError: A file or option is not as expected, or no language has a law.
    """
    path = _check_output(output)
    selection = ResultSelection(results, metric, benchmark, direction, model, langs)
    imported = _import(import_, selection, metric_range) if import_ is not None else None
    rows = selection.read()
    chosen = selection.select(rows, model, without=baseline)
    if has_mixtures(chosen):
        return _fit_transfer(chosen, model, baseline, imported, path, _check_surface(surface), Path(predictions))
    laws = fit_results(chosen, {**mean_gammas(rows), **_check_gamma(gamma or {}, chosen)})
    others = fit_results(selection.select(rows, baseline)) if baseline else None
    files = _write(path, laws, others, baseline) if path else ()
    return FitResult(laws, model or "the others", others, baseline or "", imported, files)


def _check_surface(surface: Sequence[str]) -> tuple[str, ...]:
    langs = check_langs(surface)
    if langs and len(langs) != 2:
        raise InputError(f"--surface takes two languages, such as el,tr, not {', '.join(langs)}.")
    return langs


def _fit_transfer(
    results: Sequence[Result],
    model: str | None,
    baseline: str | None,
    imported: tuple[int, int] | None,
    path: Path | None,
    surface: Sequence[str],
    predictions: Path,
) -> FitResult:
    """Fit laws with transfer to results of models on mixtures."""
    if baseline:
        raise InputError("--baseline compares models of one language each; leave models on mixtures out with --model.")
    runs = runs_from_results(results)
    first = results[0]
    laws = fit_transfer(runs, first.metric, (first.metric_min, first.metric_max))
    floor = noise_floor(runs, [law.noise for law in laws.laws.values()]) if laws.langs == runs.langs else None
    files = _write_transfer(path, laws, surface) if path else ()
    known = tuple(p for p in read_predictions(predictions) if p.metric == laws.metric) if predictions.is_file() else ()
    return FitResult(laws, model or "the others", imported=imported, files=files, noise=floor, predictions=known)


def _write_transfer(path: Path, laws: TransferLaws, surface: Sequence[str]) -> tuple[Path, ...]:
    """Write laws with transfer, a picture of their curves over own pairs, and perhaps one of a surface."""
    from cards.plots import draw_laws, draw_surface

    table = surface_table(laws, surface[0], surface[1]) if surface else None
    write_transfer_laws(path, laws)
    picture = path.with_suffix(".png")
    title = f"Laws of {laws.metric}: models of one language"
    draw(picture, lambda temporary: draw_laws(transfer_laws_json(laws, laws.langs), title, temporary))
    if table is None:
        return path, picture
    of_surface = path.with_name(f"{path.stem}-{'-'.join(surface)}.png")
    draw(of_surface, lambda temporary: draw_surface(table, temporary))
    return path, picture, of_surface


def _check_output(output: str | Path | None) -> Path | None:
    if output is None:
        return None
    if Path(output).suffix in ("", ".png"):
        raise InputError(f"--output takes a JSON file, such as laws.json, not '{output}'; the picture goes beside it.")
    return Path(output)


def _import(
    table: str | Path | Table, selection: ResultSelection, metric_range: tuple[float, float]
) -> tuple[int, int]:
    """Add the rows of a CSV to the results; return how many there are, and how many were new."""
    if not selection.metric:
        raise InputError("--import needs --metric: the metric of its values, such as comet.")
    if not selection.model or set(selection.model) & set("*?["):
        raise InputError("--import needs --model: the name of the model that its values are of, such as my-model-7b.")
    if not isinstance(selection.results, str | Path):
        raise InputError("--import adds rows to a file; give the path of a results.jsonl as 'results'.")
    details = (selection.model, selection.metric, selection.benchmark or "", selection.direction or "", metric_range)
    if isinstance(table, str | Path):
        rows = read_results_csv(Path(table), *details)
    else:
        rows = results_from_rows(to_arrow(table, "import_").to_pylist(), *details)
    return len(rows), append_results(Path(selection.results), rows)


def _check_gamma(gamma: Mapping[str, float], results: Sequence[Result]) -> Mapping[str, float]:
    langs = sorted({r.lang for r in results})
    for lang in gamma:
        if lang not in langs:
            raise InputError(f"--gamma names {lang}, which is not one of the languages {', '.join(langs)}.")
    return gamma


def _write(path: Path, laws: Laws, baseline: Laws | None, name: str | None) -> tuple[Path, ...]:
    from cards.plots import draw_laws

    picture = path.with_suffix(".png")
    write_laws(path, laws)
    title = f"Scaling laws of {metric_name(laws.metric)}" + (f", compared with {name}" if baseline else "")
    others = laws_json(list(baseline.laws.values())) if baseline else ()
    own = laws_json(list(laws.laws.values()))
    draw(picture, lambda temporary: draw_laws(own, title, temporary, others=others, metric=laws.metric))
    return path, picture
