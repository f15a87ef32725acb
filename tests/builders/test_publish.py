"""From the bundled sample to a release that `load_dataset` reads: what is published, and that it is always the same."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from builders.options import BuildOptions
from builders.publishing import Published
from builders.run import run_build, run_publish
from corpora.catalog import SAMPLE

pytestmark = pytest.mark.slow
LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
COLUMNS = ["id", "lang", "task", "direction", "instruction", "input", "output", "corpus", "split"]
# What the sample's noise may be charged to; what is not named here no filter sees yet.
CAUGHT = {
    "bad_encoding": {"bad_encoding"},
    "contaminated": {"contaminated"},
    "copy": {"copy"},
    "duplicate_exact": {"duplicate_exact"},
    "duplicate_normalised": {"duplicate_normalised"},
    "duplicate_wikimatrix": {"duplicate_exact"},
    "empty": {"empty"},
    "hub": {"one_to_many"},
    "high_margin": {"high_margin", "too_short"},
    "invalid_margin": {"invalid_margin"},
    "invalid_utf8": {"invalid_utf8"},
    "length_ratio": {"length_ratio", "too_short"},
    "low_margin": {"low_margin"},
    "markup": {"markup"},
    "missing_column": {"missing_column"},
    "no_letters": {"too_short"},
    "nul_byte": {"nul_byte"},
    "too_long": {"too_long"},
    "wrong_language_en": {"wrong_language_en", "wrong_script", "length_ratio"},
    "wrong_language_xx": {"wrong_language_xx", "wrong_script"},
    "wrong_script": {"wrong_script"},
}


def request(folder: Path, **changes: object) -> BuildOptions:
    wanted = BuildOptions(langs=LANGS, sample=True, work=folder / "work", corpora_lock=folder / "corpora.lock")
    return replace(wanted, **changes)


def digests(release: Path) -> dict[str, str]:
    """The SHA-256 of every file of a release that belongs to its identity."""
    files = (path for path in sorted(release.rglob("*")) if path.is_file() and path.name != "build.json")
    return {str(path.relative_to(release)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows_of(release: Path, config: str) -> pl.DataFrame:
    return pl.read_parquet(release / "data" / config / "*.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def published(folder: Path) -> dict[str, Published]:
    """CoIT and MuIT, published from the sample."""
    return {p.manifest["name"]: p for p in run_publish(request(folder), folder / "registry", "instructions")}


def test_load_dataset_reads_every_config(published: dict[str, Published], tmp_path: Path) -> None:
    import datasets

    release = published["coit-sample"].folder()
    for lang in LANGS:
        loaded = datasets.load_dataset(str(release), lang, cache_dir=str(tmp_path))
        assert loaded["train"].column_names == COLUMNS
        assert loaded["train"].num_rows > 250
        assert loaded["validation"].num_rows >= 1
        assert set(loaded["train"]["split"]) == {"train"}


def test_only_config_needs_no_name(published: dict[str, Published], tmp_path: Path) -> None:
    import datasets

    loaded = datasets.load_dataset(str(published["muit-sample"].folder()), cache_dir=str(tmp_path))
    assert set(loaded["train"]["lang"]) == {"en", *LANGS}


def test_release_can_be_streamed(published: dict[str, Published]) -> None:
    import datasets

    stream = datasets.load_dataset(str(published["coit-sample"].folder()), "el", split="train", streaming=True)
    assert next(iter(stream))["split"] == "train"


def test_bytes_are_equal_on_any_number_of_threads(published: dict[str, Published], tmp_path: Path) -> None:
    for threads in (1, 8):
        again = run_publish(request(tmp_path / str(threads), threads=threads), tmp_path / f"r{threads}", "instructions")
        for release in again:
            assert digests(release.folder()) == digests(published[release.manifest["name"]].folder())


def test_second_run_publishes_no_version(published: dict[str, Published], folder: Path) -> None:
    again = list(run_publish(request(folder), folder / "registry", "instructions"))
    assert [(p.is_new, p.manifest["version"]) for p in again] == [(False, "v1.0.0")] * 2
    assert [path.name for path in (folder / "registry" / "coit-sample").glob("v*")] == ["v1.0.0"]


def test_changed_threshold_gives_a_new_version_beside_the_old_one(tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    few = request(tmp_path, recipes=("coit",), langs=("el",))
    (first,) = run_publish(few, registry, "instructions")
    before = digests(first.folder())
    (second,) = run_publish(replace(few, set={"one_to_many.max": 5}), registry, "instructions")
    assert (second.manifest["version"], second.reason[:12]) == ("v1.1.0", "5 rows added")
    assert second.manifest["parent"]["version"] == "v1.0.0"
    (third,) = run_publish(few, registry, "instructions")
    assert third.manifest["version"] == "v2.0.0"
    assert "5 removed" in third.reason
    assert digests(first.folder()) == before


def test_clean_lines_are_kept_and_noise_is_rejected_by_its_filter(
    published: dict[str, Published], folder: Path
) -> None:
    record = json.loads((folder / "work" / "builds" / "coit-sample.json").read_text())
    parts = [folder / "work" / part["decisions"] for parts in record["parts"].values() for part in parts]
    judged = pl.concat([pl.read_parquet(path) for path in parts], how="vertical_relaxed")
    labels = pl.read_csv(SAMPLE / "labels.tsv", separator="\t").with_columns(corpus="sample-" + pl.col("corpus"))
    both = judged.join(labels, on=["corpus", "lang", "line_number"], how="full", coalesce=True)
    assert both["label"].null_count() == 0, "every line of the files is judged"
    assert both.filter(pl.col("label") == "clean")["reject_reason"].null_count() == 1080
    for label, reasons in CAUGHT.items():
        found = set(both.filter(pl.col("label") == label)["reject_reason"].to_list())
        assert found <= reasons, (label, found)


def test_ledger_is_balanced_and_agrees_with_the_rows(published: dict[str, Published]) -> None:
    release = published["coit-sample"]
    ledger = pl.read_parquet(release.folder() / "ledger.parquet")
    for stage in ledger.partition_by("stage", "corpus", "lang"):
        assert stage["num_in"].sum() == stage["num_kept"].sum() + stage["num_rows"].sum()
    kept = ledger.filter(pl.col("stage") == "decisions")["num_kept"].sum()
    translations = sum(rows_of(release.folder(), lang).filter(pl.col("task") == "translation").height for lang in LANGS)
    assert kept == translations
    pairs = ledger.filter(pl.col("stage").is_in(["measured", "duplicates", "contaminated", "decisions"]))
    rejected = pairs.filter(pl.col("reason").is_not_null())
    assert (rejected["examples"].list.len() == rejected["num_rows"].clip(upper_bound=3)).all()


@pytest.mark.parametrize("name", ["coit-sample", "muit-sample"])
def test_no_sentence_is_in_both_splits_of_a_config(published: dict[str, Published], name: str) -> None:
    for config in published[name].manifest["configs"]:
        rows = rows_of(published[name].folder(), config)
        for column in ("input", "output"):
            sentences = rows.filter((pl.col(column) != "") & (pl.col("task") == "translation"))
            splits = sentences.group_by(column).agg(pl.col("split").n_unique())
            assert splits["split"].max() == 1
        records = rows.filter(pl.col("task") == "instruction").group_by("id").agg(pl.col("split").n_unique())
        assert records["split"].max() == 1


def test_rows_are_unique_and_ordered_by_key(published: dict[str, Published]) -> None:
    key = ["id", "lang", "task", "direction"]
    for name, config in (("coit-sample", "zh"), ("muit-sample", "all")):
        train = pl.read_parquet(published[name].folder() / "data" / config / "train-*.parquet")
        assert train.select(key).is_unique().all()
        assert train.select(key).equals(train.select(key).sort(key))


def test_translation_prompts_are_those_of_the_paper(published: dict[str, Published]) -> None:
    rows = rows_of(published["coit-sample"].folder(), "el").filter(pl.col("task") == "translation")
    assert set(rows["instruction"]) == {"Translate the following sentences from English to Greek."}
    assert set(rows["direction"]) == {"en-xx"}


def test_instruction_has_the_same_id_in_every_language(published: dict[str, Published]) -> None:
    rows = rows_of(published["muit-sample"].folder(), "all").filter(pl.col("task") == "instruction")
    sizes = rows.group_by("id").agg(pl.col("lang").n_unique())
    assert set(sizes["lang"]) == {7, 1}  # all languages, or English alone where the memory does not know it
    assert sizes.filter(pl.col("lang") == 1).height == 2  # the translation and the spelling task


def test_instructions_stay_english_without_a_translator(tmp_path: Path) -> None:
    few = request(tmp_path, recipes=("coit",), langs=("hi",), translator="none")
    (release,) = run_publish(few, tmp_path / "registry", "instructions")
    general = rows_of(release.folder(), "hi").filter(pl.col("task") == "instruction")
    assert set(general["lang"]) == {"en"}
    assert release.manifest["translator"]["name"] == "none"
    assert "no translated instructions" in (release.folder() / "README.md").read_text()


def test_messages_have_the_content_of_the_instructions(published: dict[str, Published], tmp_path: Path) -> None:
    import datasets

    few = request(tmp_path, recipes=("coit",), langs=("tr",))
    (release,) = run_publish(few, tmp_path / "registry", "messages")
    assert release.manifest["name"] == "coit-sample-messages"
    loaded = datasets.load_dataset(str(release.folder()), "tr", split="train", cache_dir=str(tmp_path))
    plain = {
        row["id"] + row["lang"]: row for row in rows_of(published["coit-sample"].folder(), "tr").iter_rows(named=True)
    }
    for row in loaded:
        asked = plain[row["id"] + row["lang"]]
        user, assistant = row["messages"]
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        assert assistant["content"] == asked["output"]
        assert user["content"] == "\n\n".join(t for t in (asked["instruction"], asked["input"]) if t)


def test_own_recipe_limits_pairs_in_both_directions_and_uses_all_prompts(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'title = "Mine"\nsummary = "A test."\nconfigs = "language"\nlangs = ["vi"]\nbitext = ["wikimatrix"]\n'
        'directions = ["en-xx", "xx-en"]\nmax_pairs = 60\nprompts = ["paper", "into", "say"]\nvalidation = 0\n'
    )
    (release,) = run_publish(request(tmp_path, recipes=(str(recipe),), langs=()), tmp_path / "registry", "instructions")
    rows = rows_of(release.folder(), "vi")
    assert dict(rows["direction"].value_counts().iter_rows()) == {"en-xx": 60, "xx-en": 60}
    assert not set(rows.filter(pl.col("direction") == "en-xx")["id"]) & set(
        rows.filter(pl.col("direction") == "xx-en")["id"]
    )
    assert rows["instruction"].n_unique() >= 5
    into_english = rows.filter(pl.col("direction") == "xx-en")["instruction"]
    assert all("English" in text for text in into_english)


def test_smaller_max_pairs_takes_a_subset(tmp_path: Path) -> None:
    found = []
    for pairs in (20, 50):
        recipe = tmp_path / f"cap-{pairs}.toml"
        recipe.write_text(
            'title = "Cap"\nsummary = "A test."\nconfigs = "language"\nlangs = ["el"]\nbitext = ["wikimatrix"]\n'
            f'directions = ["en-xx"]\nmax_pairs = {pairs}\n'
        )
        (built,) = run_build(request(tmp_path, recipes=(str(recipe),), langs=()))
        train = pl.read_parquet(built.examples["el"]).filter(pl.col("split") == "train")
        assert train.height == pairs
        found.append(set(train["id"]))
    assert found[0] < found[1]


def test_rerun_after_kills_gives_the_same_bytes(published: dict[str, Published], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "builders", "publish", "--sample", "--threads", "2"]
    command += ["--langs", ",".join(LANGS)]
    for moment in (1.0, 2.0, 3.0, 4.2):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for name, release in published.items():
        assert digests(tmp_path / "registry" / name / "v1.0.0") == digests(release.folder())
        assert [path.name for path in (tmp_path / "registry" / name).iterdir() if path.is_dir()] == ["v1.0.0"]
