"""Releases by budget: exactly the counts of their mixture, nested, described, and refused where they cannot be."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import datasets
import polars as pl
import pytest

from builders.budget.format import mixture_lines
from builders.budget.subsample import Budget, mix
from builders.pipeline.build import Built
from builders.publishing import Published
from builders.run import Request, run_build, run_publish
from builders.workspace import Workspace
from corpora.errors import InputError
from recipes.scaling.law import Laws, ScalingLaw

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
LAWS = Laws(
    "comet",
    100.0,
    {
        "ar": ScalingLaw("ar", 100.0, 60.5567, -0.11),
        "el": ScalingLaw("el", 100.0, 71.1641, -0.140436),
        "hi": ScalingLaw("hi", 100.0, 128.9166, -0.15),
        "tr": ScalingLaw("tr", 100.0, 112.9395, -0.171009),
        "vi": ScalingLaw("vi", 100.0, 60.1153, -0.121466),
        "zh": ScalingLaw("zh", 100.0, 57.3984, -0.11099),
    },
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder and a registry for all tests here."""
    return tmp_path_factory.mktemp("budget")


def request(folder: Path, recipe: str = "muit", **changes: object) -> Request:
    """A request for the sample's release of a recipe."""
    asked = Request((recipe,), LANGS, sample=True, work=folder / "work", lock=folder / "lock", threads=1)
    return replace(asked, **changes)


def publish(folder: Path, budget: Budget, form: str = "instructions") -> Published:
    """The sample's release of muit by a budget."""
    (release,) = run_publish(request(folder, budget=budget), folder / "registry", form)
    return release


@pytest.fixture(scope="module")
def muit(folder: Path) -> Built:
    """The sample's build of muit, without a budget."""
    return run_build(request(folder))[0]


@pytest.fixture
def cut(muit: Built, folder: Path) -> Callable[..., Built]:
    """That build, or another, cut to a budget."""
    return lambda budget, built=muit: mix(built, budget, Workspace(folder / "work"))


def translations(built: Built) -> pl.DataFrame:
    """The translation rows of a build, over all its configs and splits."""
    rows = pl.concat([pl.read_parquet(path) for path in built.examples.values()])
    return rows.filter(pl.col("task") == "translation")


def counts(built: Built) -> dict[str, int]:
    """The translation rows for training, by language."""
    rows = translations(built).filter(pl.col("split") == "train")
    return dict(sorted(Counter(rows["lang"].to_list()).items()))


def test_a_release_has_the_counts_of_its_mixture_language_by_language(folder: Path, tmp_path: Path) -> None:
    release = publish(folder, Budget(300, laws=LAWS))
    assert release.manifest["name"] == "muit-sample-300"
    mixture = {row["lang"]: row["rows"] for row in release.manifest["budget"]["mixture"]}
    assert sum(mixture.values()) == 300
    loaded = datasets.load_dataset(str(release.folder), split="train", cache_dir=str(tmp_path))
    assert Counter(row["lang"] for row in loaded if row["task"] == "translation") == mixture
    printed = "\n".join(mixture_lines(release.manifest)).splitlines()
    for lang, rows in mixture.items():
        assert any(line.split()[:2] == [lang, str(rows)] for line in printed)


def test_a_smaller_budget_is_a_subset_of_a_larger_one(cut: Callable[..., Built]) -> None:
    for laws, name in ((LAWS, None), (None, "unimax"), (None, "temperature:0.3")):
        before: set[tuple[str, ...]] = set()
        for budget in (6, 100, 300, 301, 1000):
            rows = set(translations(cut(Budget(budget, laws=laws, named=name))).rows())
            assert before < rows
            before = rows


def test_mixtures_by_name_have_names_of_their_own(cut: Callable[..., Built]) -> None:
    uniform = cut(Budget(300, named="uniform"))
    assert uniform.recipe.name == "muit-sample-300-uniform"
    assert set(counts(uniform).values()) == {50}
    proportional = counts(cut(Budget(300, named="proportional")))
    assert proportional["zh"] > proportional["tr"]
    assert cut(Budget(300, named="temperature:0.3")).recipe.name == "muit-sample-300-temperature-0.3"
    assert cut(Budget(1000)).recipe.name == "muit-sample-1k"
    assert Budget(1_200_000).suffix() == "1200k"
    assert Budget(1_234_567).suffix() == "1234567"


def test_general_instructions_are_those_of_the_build_without_a_budget(muit: Built, cut: Callable[..., Built]) -> None:
    general = pl.col("task") == "instruction"
    few = pl.read_parquet(cut(Budget(120)).examples["all"]).filter(general)
    assert few.equals(pl.read_parquet(muit.examples["all"]).filter(general))


def test_a_mixture_from_a_file_is_taken_as_it_stands(cut: Callable[..., Built], folder: Path, tmp_path: Path) -> None:
    wanted = {"ar": 10, "el": 20, "hi": 30, "tr": 40, "vi": 50, "zh": 60}
    path = tmp_path / "mine.csv"
    path.write_text("lang,rows,epochs\n" + "".join(f"{lang},{rows},1\n" for lang, rows in wanted.items()))
    built = cut(Budget(210, file=path))
    assert counts(built) == wanted
    assert built.budget is not None
    assert built.budget["by"] == "mine.csv"
    with pytest.raises(InputError, match="is a mixture of 210 pairs, not of the --budget of 300"):
        publish(folder, Budget(300, file=path))
    path.write_text("lang,rows,epochs\n" + "".join(f"{lang},{rows * 20},1\n" for lang, rows in wanted.items()))
    with pytest.raises(InputError, match=r"line 3: 'rows' must be .* pairs in el, of which there are 171"):
        cut(Budget(4200, file=path))


def test_repeated_pairs_stay_unique_and_their_epochs_are_a_column(cut: Callable[..., Built]) -> None:
    built = cut(Budget(2000, laws=LAWS, epochs=3))
    assert built.budget is not None
    rows = built.budget["mixture"]
    assert sum(row["pairs"] for row in rows) == 2000
    assert counts(built) == {row["lang"]: row["rows"] for row in rows}
    assert translations(built).select("id", "lang").is_unique().all()
    epochs = {row["lang"]: row["epochs"] for row in rows}
    assert 1 < max(epochs.values()) <= 3
    for row in built.mixture.to_dicts():
        repeated = row["task"] == "translation" and row["split"] == "train"
        assert row["epochs"] == (epochs[row["lang"]] if repeated else 1.0)


def test_both_directions_share_a_languages_pairs(cut: Callable[..., Built], folder: Path, tmp_path: Path) -> None:
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


def test_a_budget_that_cannot_be_is_refused_with_the_sum(cut: Callable[..., Built], folder: Path) -> None:
    for budget in (Budget(3000), Budget(3000, laws=LAWS), Budget(3000, named="proportional")):
        with pytest.raises(InputError, match="above the sum of the caps, 1,113 pairs"):
            cut(budget)
    with pytest.raises(InputError, match="below what the floors take, 6"):
        cut(Budget(5))
    with pytest.raises(InputError, match="el has only 171"):
        cut(Budget(1110, named="uniform"))


def test_what_no_build_would_change_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    few = replace(LAWS, laws={lang: law for lang, law in LAWS.laws.items() if lang != "zh"})
    for recipe, budget, told in (
        ("alpaca-en", Budget(300), "alpaca-en-sample has no translation data"),
        ("muit", Budget(300, laws=few), "no law for zh"),
    ):
        with pytest.raises(InputError, match=told):
            list(run_publish(request(tmp_path, recipe, budget=budget), tmp_path / "registry", "instructions"))
    assert not list(tmp_path.rglob("*.parquet"))


def test_at_most_takes_what_there_is(cut: Callable[..., Built]) -> None:
    built = cut(Budget(3000, at_most=True))
    assert sum(counts(built).values()) == 1113
    assert built.budget is not None
    assert (built.budget["asked"], built.budget["pairs"]) == (3000, 1113)


def test_without_laws_it_is_unimax_and_the_card_says_so(folder: Path) -> None:
    release = publish(folder, Budget(100), "messages")
    assert release.manifest["name"] == "muit-sample-100-messages"
    rows = [row["rows"] for row in release.manifest["budget"]["mixture"]]
    assert (sum(rows), max(rows) - min(rows)) == (100, 1)
    card = (release.folder / "README.md").read_text()
    assert "by the mixture unimax" in card
    assert not (release.folder / "laws.png").exists()


def test_the_card_shows_mixture_laws_and_alternatives(folder: Path) -> None:
    release = publish(folder, Budget(300, laws=LAWS))
    card = (release.folder / "README.md").read_text()
    for row in release.manifest["budget"]["mixture"]:
        assert f"(`{row['lang']}`) | {row['pairs']} | {row['rows']} | 1.00 |" in card
    for shown in ("| unimax |", "| proportional |", "100 - 60.56 X^-0.110", "laws.png", "neither transfer"):
        assert shown in card
    assert (release.folder / "laws.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_budget_again_publishes_nothing_and_a_better_law_is_a_new_version(folder: Path) -> None:
    first = publish(folder, Budget(300, laws=LAWS))
    assert first.manifest["version"] == "v1.0.0"
    assert not publish(folder, Budget(300, laws=LAWS)).is_new
    better = replace(LAWS, laws={**LAWS.laws, "zh": ScalingLaw("zh", 100.0, 57.3984, -0.2)})
    again = publish(folder, Budget(300, laws=better))
    assert (again.is_new, again.manifest["version"]) == (True, "v2.0.0")
    assert json.loads((first.folder / "manifest.json").read_text())["version"] == "v1.0.0"
