"""Corpora in memory: tables of pairs and instructions stand wherever a corpus of the catalogue does."""

from pathlib import Path
from typing import Any

import pytest

import builders

PAIRS = {
    "en": [
        f"The {word} is by the door of the old house." for word in ("cat", "dog", "lamp", "chair", "table", "clock")
    ],
    "xx": [
        f"{words} είναι δίπλα στην πόρτα του παλιού σπιτιού."
        for words in ("Η γάτα", "Ο σκύλος", "Η λάμπα", "Η καρέκλα", "Το τραπέζι", "Το ρολόι")
    ],
}
RECIPE = {
    "name": "mine",
    "langs": ["el"],
    "bitext": ["my-pairs"],
    "directions": ["en-xx"],
    "decontaminate_against": [],
    "validation": 0.0,
}


def frame(kind: str) -> Any:
    import datasets
    import polars as pl
    import pyarrow as pa

    return {"polars": pl.DataFrame, "arrow": pa.table, "datasets": datasets.Dataset.from_dict}[kind](PAIRS)


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    return {"work": tmp_path / "work", "corpora_lock": tmp_path / "corpora.lock", "translator": "none", "threads": 1}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["polars", "arrow", "datasets"])
def test_pairs_in_memory_are_published(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    release = builders.publish(RECIPE, corpora={"my-pairs": frame(kind)}, registry=tmp_path / "registry", **options)
    assert (release.name, release.version, release.reason) == ("mine", "v1.0.0", "the first release")
    assert sorted(release.rows("el")["input"]) == sorted(PAIRS["en"])
    assert set(release.rows("el")["corpus"]) == {"my-pairs"}


@pytest.mark.slow
def test_equal_tables_are_one_corpus_and_others_are_built_again(options: dict[str, Any], tmp_path: Path) -> None:
    import polars as pl

    def publish(table: Any, **more: Any) -> Any:
        return builders.publish(
            RECIPE, corpora={"my-pairs": {"el": table}}, registry=tmp_path / "registry", **options, **more
        )

    assert publish(pl.DataFrame(PAIRS)).is_new
    assert not publish(pl.DataFrame(PAIRS).to_arrow()).is_new
    changed = publish(pl.DataFrame(PAIRS).head(5))
    assert (changed.is_new, changed.version) == (True, "v2.0.0")
    assert publish(pl.DataFrame(PAIRS), preview=True).is_preview


@pytest.mark.slow
def test_an_opened_release_stands_where_a_name_does(options: dict[str, Any], tmp_path: Path) -> None:
    corpora, registry, lock = {"my-pairs": frame("polars")}, tmp_path / "registry", tmp_path / "datasets.lock"
    release = builders.publish(RECIPE, corpora=corpora, registry=registry, **options)
    assert builders.open_release(release) is release
    assert [found.version for found in builders.versions(release, registry=registry)] == ["v1.0.0"]
    assert not builders.diff(release, release).difference.configs[0].added
    assert builders.verify(release).is_intact
    assert builders.verify(release)._repr_html_().startswith("<pre>")
    assert list(builders.lock(release, datasets_lock=lock)) == list(builders.lock([release], datasets_lock=lock))
    assert "<LockEntry " in repr(builders.lock(release, datasets_lock=lock))
    assert release.rows("el", langs="el").height == len(PAIRS["en"])
    with pytest.raises(builders.InputError, match=r"Unknown language of config 'el' of mine@v1\.0\.0 'hi'"):
        release.rows("el", langs=["hi"])
    assert builders.load(release, datasets_lock=lock, split="train").num_rows == len(PAIRS["en"])
    assert builders.yank(release, why="wrong", registry=registry).yanked == "wrong"


@pytest.mark.slow
def test_instructions_in_memory_are_built(options: dict[str, Any]) -> None:
    import polars as pl

    table = pl.DataFrame({"instruction": ["Name a colour.", "Count to two."], "output": ["Blue.", "One, two."]})
    recipe = {"name": "own", "langs": ["el"], "instructions": ["my-instructions"], "instruction_langs": ["en"]}
    built = builders.build(recipe | {"decontaminate_against": []}, corpora={"my-instructions": table}, **options)
    assert pl.read_parquet(built.examples["el"])["output"].sort().to_list() == ["Blue.", "One, two."]


def test_table_without_a_language_is_an_error(options: dict[str, Any]) -> None:
    with pytest.raises(builders.InputError, match="'my-pairs' is one table, but there are 2 languages"):
        builders.build(RECIPE | {"langs": ["el", "hi"]}, corpora={"my-pairs": frame("polars")}, **options)


def test_typo_in_a_recipe_in_memory_names_the_key(options: dict[str, Any]) -> None:
    with pytest.raises(builders.InputError, match=r"The recipe 'mine': Unknown key 'bitexts'\. Did you mean bitext"):
        builders.build(RECIPE | {"bitexts": []}, corpora={"my-pairs": {"el": frame("polars")}}, **options)


@pytest.mark.slow
def test_releases_published_before_a_failure_are_named(
    options: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty = RECIPE | {"name": "empty", "filters": {"too_short": {"min": 1000}}}
    settings = {"corpora": {"my-pairs": frame("polars")}, "registry": tmp_path / "registry", **options}
    with pytest.raises(builders.InputError, match="empty leaves no rows"), caplog.at_level("WARNING"):
        builders.publish([RECIPE, empty], **settings)
    assert "v1.0.0 was published before the run stopped." in caplog.text


def test_table_that_is_no_corpus_is_an_error(options: dict[str, Any]) -> None:
    import datasets
    import polars as pl
    import pyarrow as pa

    table = pl.DataFrame(PAIRS)
    for corpora, message in [
        ([table], r"corpora= takes a mapping"),
        ({"my-pairs": PAIRS}, "is a mapping of lists. Make a table"),
        ({"my-pairs": datasets.DatasetDict({"train": frame("datasets")})}, "has the splits train. Choose one"),
        ({"my-pairs": table.head(0)}, "has no rows"),
        ({"my-pairs": {1: table}}, "Unknown language '1'"),
        ({"my-pairs": pa.table([["a"], ["b"], ["c"]], ["en", "xx", "xx"])}, "there are several columns 'xx'"),
        ({"my-pairs": table, "others": table}, r"No recipe uses the corpus 'others' \(el\)"),
        ({"my-pairs": table.with_columns(margin=pl.lit("1.1"))}, "numbers were expected"),
    ]:
        with pytest.raises(builders.InputError, match=message):
            builders.build(RECIPE, corpora=corpora, **options)


def test_recipes_that_are_none_are_an_error() -> None:
    import polars as pl

    recipes: list[Any] = [5, pl.DataFrame(), [None], [], RECIPE | {"name": 5}]
    for recipe in recipes:
        with pytest.raises(builders.InputError, match="recipe"):
            builders.build(recipe)
