"""Paired differences against known ones: sacreBLEU's own test, simulated effects, and the same system twice."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from corpora.errors import InputError
from recipes.results import Result, append_results
from tests.trainer.models import make_data, make_model
from trainer.cli import cli
from trainer.evaluation import MetricOptions, compare, evaluate, get_metric, leaderboard, mean_percent
from trainer.evaluation.bootstrap import mean_of, paired
from trainer.evaluation.measurement import compute_statistics


def shares(num: int, share: float, seed: int) -> np.ndarray:
    hits = np.random.default_rng(seed).random(num) < share
    return np.stack([hits, np.ones(num)], axis=1).astype(float)


def test_a_system_does_not_differ_from_itself() -> None:
    same = paired([shares(200, 0.4, 1)], [shares(200, 0.4, 1)], mean_percent).difference()
    assert (same.value, same.interval, same.p) == (0.0, (0.0, 0.0), 1.0)


@pytest.mark.slow
def test_a_real_difference_is_significant_and_chance_is_not() -> None:
    real = paired([shares(1000, 0.4, 1)], [shares(1000, 0.5, 2)], mean_percent).difference()
    assert real.interval[0] > 0
    assert real.p < 0.01
    sides = [([shares(300, 0.4, seed)], [shares(300, 0.4, 1000 + seed)]) for seed in range(150)]
    found = [paired(*pair, mean_percent, 300).difference() for pair in sides]
    assert 0.01 <= np.mean([one.p < 0.05 for one in found]) <= 0.10
    assert 0.90 <= np.mean([one.interval[0] <= 0 <= one.interval[1] for one in found]) <= 0.99


def test_seeds_widen_the_interval() -> None:
    a = [shares(1000, share, seed) for seed, share in enumerate((0.3, 0.4, 0.5))]
    b = [shares(1000, share, 9 + seed) for seed, share in enumerate((0.35, 0.45, 0.55))]
    several, one = (paired(*sides, mean_percent).difference() for sides in ((a, b), ([a[1]], [b[1]])))
    assert np.ptp(several.interval) > 1.5 * np.ptp(one.interval)
    unequal = [paired([shares(n, 0.3, n)], [shares(n, 0.4, n + 1)], mean_percent) for n in (1000, 90)]
    few = mean_of(unequal)
    assert few.observed == pytest.approx(sum(one.observed for one in unequal) / 2)
    assert few.resampled.shape == (1000,)  # languages with other numbers of items count the same
    both = mean_of([paired([a[0]], [b[0]], mean_percent), paired([a[1]], [b[1]], mean_percent)])
    expected = [100 * (b[run][:, 0].mean() - a[run][:, 0].mean()) for run in (0, 1)]
    assert both.difference().value == pytest.approx(np.mean(expected))


@pytest.mark.slow
def test_p_is_near_sacrebleus() -> None:
    from sacrebleu.metrics import CHRF
    from sacrebleu.significance import PairedTest

    random = np.random.default_rng(5)
    words = ["dog", "cat", "bird", "runs", "sleeps", "red", "blue", "house"]
    references = [" ".join(random.choice(words, 8)) for _ in range(120)]

    def noisy(share: float) -> list[str]:
        return [" ".join(w if random.random() > share else random.choice(words) for w in r.split()) for r in references]

    systems = {"a": noisy(0.45), "b": noisy(0.38)}
    chrf = CHRF(word_order=2, references=[references])
    _, scores = PairedTest(list(systems.items()), {"chrF": chrf}, [references], "bs", 1000)()
    theirs = next(iter(value for name, value in scores.items() if name != "System"))[1]
    statistics = [
        compute_statistics(get_metric("chrf++"), table(texts, references), "en", MetricOptions())
        for texts in systems.values()
    ]
    ours = paired([statistics[0].counts], [statistics[1].counts], statistics[0].value).difference()
    assert ours.p == pytest.approx(theirs.p_value, abs=0.03)


def table(texts: list[str], references: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"text": texts, "references": [[reference] for reference in references]})


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two random models, evaluated on the small FLORES."""
    folder = tmp_path_factory.mktemp("compared")
    models = [make_model(folder / f"model-seed{seed}", seed) for seed in (0, 1)]
    evaluate(
        models, benchmarks=["flores"], langs=["el", "hi"], directions=["en-xx"], metrics=["token_accuracy"],
        data=make_data(folder / "data"), allow_size_mismatch=True, offline=True, output=folder / "evaluations",
        results=folder / "results.jsonl",
    )  # fmt: skip
    return folder


@pytest.mark.slow
def test_comparison_has_a_row_per_language_and_their_mean(evaluated: Path) -> None:
    table = compare("model-seed0", "model-seed1", metric="token_accuracy", output=evaluated / "evaluations")
    rows = table.rows
    assert [(row.lang, row.num_items) for row in rows] == [("el", 4), ("hi", 4), ("mean", 8)]
    assert rows[2].difference.value == pytest.approx((rows[0].difference.value + rows[1].difference.value) / 2)
    assert rows[0].b - rows[0].a == pytest.approx(rows[0].difference.value)
    assert "B - A" in repr(table)
    assert table._repr_html_().startswith("<table>")


@pytest.mark.slow
def test_models_are_named_by_name_or_folder(evaluated: Path) -> None:
    output = evaluated / "evaluations"
    by_name = compare("model-seed0", "model-seed1", metric="token_accuracy", output=output)
    for folder in (evaluated, output):
        names = (f"{folder / 'model-seed0'}/", folder / "model-seed1" / "model")
        assert compare(*names, metric="token_accuracy", output=output) == by_name


@pytest.mark.slow
def test_models_without_comparable_outputs_are_an_error(evaluated: Path) -> None:
    output = evaluated / "evaluations"
    with pytest.raises(InputError, match=r"Unknown evaluated model 'model-seed7'. Did you mean model-seed"):
        compare("model-seed0", "model-seed7", metric="token_accuracy", output=output)
    with pytest.raises(InputError, match=r"No model has been evaluated in .*nowhere yet: `trainer evaluate runs/A"):
        compare("runs/A", "runs/B", metric="token_accuracy", output=output / "nowhere")
    with pytest.raises(InputError, match="have no outputs in common"):
        compare("model-seed0", "model-seed1", metric="chrf++", output=output)
    with pytest.raises(InputError, match="Unknown metric"):
        compare("model-seed0", "model-seed1", metric="bleu", output=output)


def test_leaderboard_separates_signatures_and_joins_seeds(tmp_path: Path) -> None:
    def score(model: str, lang: str, seed: int, value: float, signature: str = "x") -> Result:
        return Result(
            "r@v1", lang, 0, 0, seed, {}, model, "xquad", "", "contains", value, None, 9, signature, 0.0, 100.0
        )

    rows = [score(f"ours-seed{seed}", lang, seed, 50 + seed) for seed in (0, 2) for lang in ("el", "zh")]
    append_results(tmp_path / "s.jsonl", [*rows, score("base", "el", 0, 70.0), score("base", "el", 0, 1.0, "y")])
    (table,) = leaderboard(results=tmp_path / "s.jsonl").tables
    assert table.heads() == ["contains (1)", "contains (2)"]
    mean, greek, *_ = table.rows
    assert (mean["model"], mean["lang"], mean["values"][0]["value"], mean["values"][1]) == ("ours", "mean", 51.0, None)
    assert [(row["model"], row["lang"]) for row in table.rows] == [
        ("ours", "mean"),  # base lacks Chinese
        ("base", "el"),
        ("ours", "el"),
        ("ours", "zh"),
    ]
    assert greek["values"][0]["is_best"]
    with pytest.raises(InputError, match=r"Unknown metric in .* 'nosuch'. Known: contains"):
        leaderboard(results=tmp_path / "s.jsonl", metric="nosuch")
    with pytest.raises(InputError, match=r"Unknown benchmark in .* 'flores'. Known: xquad"):
        leaderboard(results=tmp_path / "s.jsonl", benchmark="flores")
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: x\n---\n\n# A model\n", encoding="utf-8")
    for _ in range(2):
        leaderboard(results=tmp_path / "s.jsonl", card=card, name="base")
    assert card.read_text(encoding="utf-8").count("## Results") == 1
    assert card.read_text(encoding="utf-8").startswith("---\nlicense: x\n---\n\n# A model\n\n<!-- results -->")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--benchmark", "floras"], "Unknown benchmark 'floras'. Did you mean flores"),
        (["--langs", "xx"], "Unknown language 'xx'"),
        (["--langs", "hi", "--metric", "em"], "have no outputs in common from which em can be computed"),
        (["--metric", "nosuch"], "Unknown metric 'nosuch'"),
    ],
)
@pytest.mark.slow
def test_wrong_arguments_of_compare_are_errors(arguments: list[str], message: str, evaluated: Path) -> None:
    models = ["compare", "model-seed0", "model-seed1", "--output", str(evaluated / "evaluations")]
    result = CliRunner().invoke(cli, [*models, *arguments], standalone_mode=False)
    assert isinstance(result.exception, InputError), result.output
    assert message in str(result.exception)
