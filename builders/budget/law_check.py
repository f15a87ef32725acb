"""Compare what laws predicted with what was measured afterwards: the verb `check`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from builders.budget.inputs import LawsLike, ResultSelection, ResultsLike, load_laws
from builders.budget.pictures import draw
from corpora.arguments import checked
from corpora.errors import InputError
from corpora.terminal_tables import format_table
from recipes.transfer import (
    Prediction,
    TransferLaws,
    append_predictions,
    calibration,
    check_predictions,
    read_predictions,
)


@dataclass(frozen=True, repr=False)
class CheckResult:
    """Predictions beside what was measured.

    Args:
        predictions: Those of this check.
        all_predictions: Those of the ledger, these among them.
        files: The files that were written.
    """

    predictions: tuple[Prediction, ...]
    all_predictions: tuple[Prediction, ...]
    files: tuple[Path, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return predictions and calibration as JSON values."""
        rows = [asdict(p) | {"is_covered": p.is_covered} for p in self.predictions]
        return {"predictions": rows, "calibration": asdict(calibration(self.all_predictions))}

    def __repr__(self) -> str:
        table = format_table(HEADERS, [_row(p) for p in self.predictions], drop=("seeds",), wrap=("mixture",))
        return "\n".join([table, "", str(calibration(self.all_predictions)), *(f"Written: {p}" for p in self.files)])

    def _repr_html_(self) -> str:
        return tabulate([_row(p) for p in self.predictions], HEADERS, tablefmt="html", disable_numparse=True)


HEADERS = ["mixture", "lang", "predicted [90%]", "measured [95%]", "seeds", "within"]


def _row(prediction: Prediction) -> tuple[str, ...]:
    mixture = " ".join(f"{lang}={count:,}" for lang, count in prediction.mixture.items())
    low, high = prediction.interval
    ends = prediction.measured_interval
    return (
        mixture,
        prediction.lang,
        f"{prediction.predicted:.2f} [{low:.2f}, {high:.2f}]",
        f"{prediction.measured:.2f}" + (f" [{ends[0]:.2f}, {ends[1]:.2f}]" if ends else ""),
        str(prediction.num_seeds),
        "yes" if prediction.is_covered else "no",
    )


@checked
def check(
    laws: LawsLike = "laws.json",
    *,
    results: ResultsLike = "results.jsonl",
    metric: str | None = None,
    benchmark: str | None = None,
    direction: str | None = None,
    model: str | None = None,
    langs: Sequence[str] = (),
    predictions: str | Path = "predictions.jsonl",
    picture: str | Path | None = None,
) -> CheckResult:
    """Compare what laws predicted of mixtures with the results of models trained on them, and add it to a ledger.

    Mixtures that the laws were fitted to are left out.

    Args:
        laws: The laws as they were before the models were trained: the result of `fit`, its laws, or its file.
        results: A `results.jsonl`, results, or a table of them.
        metric: The metric, where the results have several.
        benchmark: The benchmark, where the results have several.
        direction: `en-xx` or `xx-en`, where the results have both.
        model: Only models of this name; a pattern such as `final-*`.
        langs: Only these languages.
        predictions: The ledger of predictions, a file of JSON lines.
        picture: Draw predicted against measured values as a PNG.

    Raises:
        InputError: The laws are of one language each, or were fitted to all of these mixtures.
    """
    loaded = load_laws(laws)
    if not isinstance(loaded, TransferLaws):
        raise InputError("Laws of one language each predict no mixture. Fit laws to results of models on mixtures.")
    selection = ResultSelection(results, metric or loaded.metric or None, benchmark, direction, model, langs)
    made = check_predictions(loaded, selection.select(selection.read(), model))
    path = Path(predictions)
    append_predictions(path, made)
    ledger = read_predictions(path)
    files = [path]
    if picture:
        from cards.plots import draw_predictions

        rows = [asdict(p) for p in ledger if p.metric == loaded.metric]
        draw(Path(picture), lambda temporary: draw_predictions(rows, loaded.metric, temporary))
        files.append(Path(picture))
    return CheckResult(tuple(made), tuple(ledger), tuple(files))
