"""Releases by budget have the counts of their mixture, are nested, and are described in manifest and card."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import polars as pl
import pytest

from builders.budget import Budget, mixture_lines, read_budget, subsample
from builders.options import BuildOptions
from builders.pipeline import BuildResult
from builders.publishing import Published
from builders.run import run_build, run_publish
from builders.workspace import Workspace
from corpora.catalog import language
from corpora.errors import InputError
from recipes.scaling import Laws, ScalingLaw
from recipes.transfer import Runs, TransferLaws, append_predictions, check_predictions, design_mixtures, fit_transfer
from tests.recipes.transfer.test_runs import result

pytestmark = pytest.mark.slow
LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
LAWS = Laws(
    "comet",
    100.0,
    {
        "ar": ScalingLaw("ar", 100.0, 60.5567, 0.11),
        "el": ScalingLaw("el", 100.0, 71.1641, 0.140436),
        "hi": ScalingLaw("hi", 100.0, 128.9166, 0.15),
        "tr": ScalingLaw("tr", 100.0, 112.9395, 0.171009),
        "vi": ScalingLaw("vi", 100.0, 60.1153, 0.121466),
        "zh": ScalingLaw("zh", 100.0, 57.3984, 0.11099),
    },
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder and a registry for all tests here."""
    return tmp_path_factory.mktemp("budget")


def request(folder: Path, recipe: str = "muit", **changes: object) -> BuildOptions:
    """A request for the sample's release of a recipe."""
    asked = BuildOptions((recipe,), LANGS, sample=True, work=folder / "work", corpora_lock=folder / "lock", threads=1)
    return replace(asked, **changes)


def publish(folder: Path, budget: Budget, form: str = "instructions") -> Published:
    """The sample's release of muit by a budget."""
    (release,) = run_publish(request(folder), folder / "registry", form, budget=budget)
    return release


@pytest.fixture(scope="module")
def muit(folder: Path) -> BuildResult:
    """The sample's build of muit, without a budget."""
    return run_build(request(folder))[0]


@pytest.fixture
def cut(muit: BuildResult, folder: Path) -> Callable[..., BuildResult]:
    """That build, or another, cut to a budget."""
    return lambda budget, built=muit: subsample(built, budget, Workspace(folder / "work"))


def translations(built: BuildResult) -> pl.DataFrame:
    """The translation rows of a build, over all its configs and splits."""
    rows = pl.concat([pl.read_parquet(path) for path in built.examples.values()])
    return rows.filter(pl.col("task") == "translation")


def counts(built: BuildResult) -> dict[str, int]:
    """The translation rows for training, by language."""
    rows = translations(built).filter(pl.col("split") == "train")
    return dict(sorted(Counter(rows["lang"].to_list()).items()))


def test_release_has_the_counts_of_its_mixture(folder: Path, tmp_path: Path) -> None:
    release = publish(folder, Budget(300, laws=LAWS))
    assert release.manifest["name"] == "muit-sample-300"
    mixture = {row["lang"]: row["num_rows"] for row in release.manifest["allocation"]["mixture"]}
    assert sum(mixture.values()) == 300
    loaded = datasets.load_dataset(str(release.folder()), split="train", cache_dir=str(tmp_path))
    assert Counter(row["lang"] for row in loaded if row["task"] == "translation") == mixture
    printed = "\n".join(mixture_lines(release.manifest)).splitlines()
    for lang, rows in mixture.items():
        assert any(line.split()[:2] == [lang, str(rows)] for line in printed)


def test_smaller_budget_is_a_subset_of_a_larger_one(cut: Callable[..., BuildResult]) -> None:
    for laws, name in ((LAWS, None), (None, "unimax"), (None, "temperature:0.3")):
        before: set[tuple[str, ...]] = set()
        for budget in (6, 100, 300, 301, 1000):
            rows = set(translations(cut(Budget(budget, laws=laws, baseline=name))).rows())
            assert before < rows
            before = rows


def test_baselines_are_in_the_release_name(cut: Callable[..., BuildResult]) -> None:
    uniform = cut(Budget(300, baseline="uniform"))
    assert uniform.recipe.name == "muit-sample-300-uniform"
    assert set(counts(uniform).values()) == {50}
    proportional = counts(cut(Budget(300, baseline="proportional")))
    assert proportional["zh"] > proportional["tr"]
    assert cut(Budget(300, baseline="temperature:0.3")).recipe.name == "muit-sample-300-temperature-0.3"
    assert cut(Budget(1000)).recipe.name == "muit-sample-1k"
    assert Budget(1_200_000).suffix() == "1200k"
    assert Budget(1_234_567).suffix() == "1234567"


def test_budget_leaves_instructions_as_they_are(muit: BuildResult, cut: Callable[..., BuildResult]) -> None:
    general = pl.col("task") == "instruction"
    few = pl.read_parquet(cut(Budget(120)).examples["all"]).filter(general)
    assert few.equals(pl.read_parquet(muit.examples["all"]).filter(general))


def test_mixture_from_a_file_is_used_as_it_is(cut: Callable[..., BuildResult], folder: Path, tmp_path: Path) -> None:
    wanted = {"ar": 10, "el": 20, "hi": 30, "tr": 40, "vi": 50, "zh": 60}
    path = tmp_path / "mine.csv"
    path.write_text("lang,rows,epochs\n" + "".join(f"{lang},{rows},1\n" for lang, rows in wanted.items()))
    built = cut(Budget(210, file=path))
    assert counts(built) == wanted
    assert built.allocation is not None
    assert built.allocation["method"] == "mine.csv"
    with pytest.raises(InputError, match="is a mixture of 210 pairs, but the --budget is 300"):
        publish(folder, Budget(300, file=path))
    path.write_text("lang,rows,epochs\n" + "".join(f"{lang},{rows * 20},1\n" for lang, rows in wanted.items()))
    with pytest.raises(InputError, match=r"line 3: 'rows' must be .* pairs in el, of which there are 171"):
        cut(Budget(4200, file=path))


def test_repeated_rows_are_published_once_with_their_epochs(cut: Callable[..., BuildResult]) -> None:
    built = cut(Budget(2000, laws=LAWS, epochs=3))
    assert built.allocation is not None
    rows = built.allocation["mixture"]
    assert sum(row["num_pairs"] for row in rows) == 2000
    assert counts(built) == {row["lang"]: row["num_rows"] for row in rows}
    assert translations(built).select("id", "lang").is_unique().all()
    epochs = {row["lang"]: row["epochs"] for row in rows}
    assert 1 < max(epochs.values()) <= 3
    for row in built.composition.to_dicts():
        repeated = row["task"] == "translation" and row["split"] == "train"
        assert row["epochs"] == (epochs[row["lang"]] if repeated else 1.0)


def test_directions_share_the_pairs_of_a_language(
    cut: Callable[..., BuildResult], folder: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "both.toml"
    recipe.write_text(
        'title = "Both"\nsummary = "A test."\nconfigs = "language"\nlangs = ["el", "vi"]\nbitext = ["wikimatrix"]\n'
        'directions = ["en-xx", "xx-en"]\nvalidation = 0\n'
    )
    built = cut(Budget(101), run_build(request(folder, str(recipe), langs=()))[0])
    found = Counter(translations(built).select("lang", "direction").rows())
    assert counts(built) == {"el": 51, "vi": 50}
    assert (found["el", "en-xx"], found["el", "xx-en"]) == (26, 25)
    assert translations(built)["id"].is_unique().all()


def test_impossible_budget_is_an_error_with_the_sum(cut: Callable[..., BuildResult], folder: Path) -> None:
    for budget in (Budget(3000), Budget(3000, laws=LAWS), Budget(3000, baseline="proportional")):
        with pytest.raises(InputError, match="above the sum of the maximums, 1,113 pairs"):
            cut(budget)
    with pytest.raises(InputError, match="below the sum of the minimums, 6"):
        cut(Budget(5))
    with pytest.raises(InputError, match="el has only 171"):
        cut(Budget(1110, baseline="uniform"))


def test_impossible_recipe_is_an_error_before_any_work(tmp_path: Path) -> None:
    few = replace(LAWS, laws={lang: law for lang, law in LAWS.laws.items() if lang != "zh"})
    for recipe, budget, message in (
        ("alpaca-en", Budget(300), "alpaca-en-sample has no translation data"),
        ("muit", Budget(300, laws=few), "no law for zh"),
    ):
        with pytest.raises(InputError, match=message):
            run_publish(request(tmp_path, recipe), tmp_path / "registry", budget=budget)
    assert not list(tmp_path.rglob("*.parquet"))


def test_allow_partial_publishes_what_there_is(cut: Callable[..., BuildResult]) -> None:
    built = cut(Budget(3000, allow_partial=True))
    assert sum(counts(built).values()) == 1113
    assert built.allocation is not None
    assert (built.allocation["budget"], built.allocation["num_pairs"]) == (3000, 1113)


def test_budget_without_laws_is_unimax(folder: Path) -> None:
    release = publish(folder, Budget(100), "messages")
    assert release.manifest["name"] == "muit-sample-100-messages"
    rows = [row["num_rows"] for row in release.manifest["allocation"]["mixture"]]
    assert (sum(rows), max(rows) - min(rows)) == (100, 1)
    card = (release.folder() / "README.md").read_text()
    assert "by the mixture UniMax" in card
    assert not (release.folder() / "laws.png").exists()


def test_card_shows_mixture_laws_and_baselines(folder: Path) -> None:
    release = publish(folder, Budget(300, laws=LAWS))
    card = (release.folder() / "README.md").read_text()
    for row in release.manifest["allocation"]["mixture"]:
        assert f"| {language(row['lang']).name} | {row['num_pairs']} | {row['num_pairs'] / 300:.1%} |" in card
    for shown in ("| UniMax |", "| proportional |", "100 - 60.56 D^-0.110", "laws.png", "neither transfer"):
        assert shown in card
    assert (release.folder() / "laws.png").read_bytes().startswith(b"\x89PNG")


def test_same_budget_publishes_nothing_new_and_other_laws_a_major_version(folder: Path) -> None:
    first = publish(folder, Budget(300, laws=LAWS))
    assert first.manifest["version"] == "v1.0.0"
    assert not publish(folder, Budget(300, laws=LAWS)).is_new
    better = replace(LAWS, laws={**LAWS.laws, "zh": ScalingLaw("zh", 100.0, 57.3984, 0.2)})
    again = publish(folder, Budget(300, laws=better))
    assert (again.is_new, again.manifest["version"]) == (True, "v2.0.0")
    assert json.loads((first.folder() / "manifest.json").read_text())["version"] == "v1.0.0"


def transfer_laws() -> TransferLaws:
    """Laws with transfer of the sample's six languages, made of runs with known values."""
    rng = np.random.default_rng(0)
    available = dict.fromkeys(LANGS, 171)
    design = design_mixtures(available, [150, 300], 10)
    pairs = np.array([list(mixture.values()) for mixture in design], float)
    values = 10 + np.arange(6) + 4 * np.log(pairs + 0.2 * pairs.sum(axis=1, keepdims=True))
    names = tuple(map(str, range(len(pairs))))
    runs = Runs(names, LANGS, LANGS, pairs, values + rng.normal(0, 0.2, pairs.shape), (0,) * len(pairs))
    return fit_transfer(runs, "chrf++", form="shared")


def by_laws(pairs: int, laws: TransferLaws, **options: Any) -> Budget:
    """A budget as the options describe it."""
    budget = read_budget(pairs, laws, **options)
    assert budget
    return budget


def test_laws_allocate_for_the_worst_language_and_the_card_shows_what_was_measured(
    folder: Path, tmp_path: Path
) -> None:
    laws, ledger = transfer_laws(), tmp_path / "predictions.jsonl"
    first = publish(folder, by_laws(400, laws, objective="worst"))
    assert first.manifest["name"] == "muit-sample-400-worst"
    card = (first.folder() / "README.md").read_text()
    assert "it is the optimum for the worst language" in card
    assert "The laws say: Take " in card
    assert "measured" not in card.split("## The mixture")[1].split("<details>")[0]
    mixture = {row["lang"]: row["num_pairs"] for row in first.manifest["allocation"]["mixture"]}
    assert mixture["ar"] > mixture["zh"], "the language with the least values has most pairs"
    results = [result(lang, 40.0, {"translation": mixture}, "final") for lang in LANGS]
    append_predictions(ledger, check_predictions(laws, results))
    again = publish(folder, by_laws(400, laws, objective="worst", predictions=ledger))
    assert again.manifest["version"] == "v1.0.1", "the rows are the same"
    card = (again.folder() / "README.md").read_text()
    assert "Models were trained on this mixture afterwards (1 seed) and evaluated in 6 languages" in card
    assert "| 40.00 † | 1 |" in card
    with pytest.raises(InputError, match=r"has 6 predictions, 6 of them by these laws, and none of the mixture ar="):
        publish(folder, by_laws(300, laws, objective="worst", predictions=ledger))
    weighted = publish(folder, by_laws(400, laws, weight={"zh": 3}, no_worse_than=["unimax:1"]))
    assert weighted.manifest["name"] == "muit-sample-400-weighted"
    card = (weighted.folder() / "README.md").read_text()
    assert "optimum for the weighted mean, no language losing more than 1 against UniMax" in card


def test_objective_without_laws_is_an_error() -> None:
    for budget, options, message in (
        (None, {"objective": "worst"}, "are of a --budget"),
        (400, {"objective": "worst"}, "are for the --laws"),
        (400, {"laws": LAWS, "objective": "best"}, "Unknown objective 'best'"),
    ):
        with pytest.raises(InputError, match=message):
            read_budget(budget, **options)
