"""A release that may be sold: the recipe coit-open, the gate of --licence, and licences checked when they are read."""

from pathlib import Path
from typing import Any

import pytest

import builders
from corpora.catalog import read_corpora
from corpora.errors import InputError
from corpora.licences import find_licence, licences

LANGS = ["el"]


def options(tmp_path: Path) -> dict[str, Any]:
    return {"langs": LANGS, "work": tmp_path / "work", "corpora_lock": tmp_path / "lock"}


def test_open_recipe_publishes_the_sample_with_the_demands_of_its_licences(tmp_path: Path) -> None:
    release = builders.publish("coit-open", sample=True, registry=tmp_path / "registry", **options(tmp_path))
    assert release.manifest["recipe"]["licence"] == "commercial"
    instructions = [row for row in release.manifest["composition"] if row["task"] == "instruction"]
    counts = {lang: sum(row["num_rows"] for row in instructions if row["lang"] == lang) for lang in ("en", "el")}
    assert counts == {"en": 30, "el": 30}
    (origin,) = release.manifest["translator"]["origins"]
    assert (origin["origin"], origin["name"], origin["licence"]) == ("human", "coit-builders", "cc0-1.0")
    card = (tmp_path / "registry" / "coit-open-sample" / "v1.0.0" / "README.md").read_text(encoding="utf-8")
    assert f"| people: coit-builders | cc0-1.0 | {origin['num_segments']} |" in card


@pytest.mark.parametrize(
    ("recipe", "more", "message"),
    [
        ("coit", {"licence": "commercial"}, r"news-commentary \(other: .*\); alpaca \(cc-by-nc-4.0\)"),
        ("coit-open", {"translator": "nllb-200-1.3B"}, r"nllb-200-1.3B \(cc-by-nc-4.0\)"),
    ],
)
def test_source_that_contradicts_the_licence_is_named_before_anything_is_downloaded(
    recipe: str, more: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=f"{recipe} cannot be published for commercial use: {message}"):
        builders.publish(recipe, registry=tmp_path / "registry", **options(tmp_path), **more)
    assert not (tmp_path / "work").exists()


def test_memory_of_a_non_commercial_model_is_refused(tmp_path: Path) -> None:
    from tests.sample.memory import write_memory

    key = {"sha256": "0" * 64, "lang": "el", "origin": "model", "model": "1" * 64, "name": "org/nllb-200", "text": "a"}
    write_memory([key | {"decoding": "", "flags": []}], tmp_path / "memory.parquet")
    memory = {"translator": tmp_path / "memory.parquet", "sample": True}
    with pytest.raises(InputError, match=r"org/nllb-200 \(cc-by-nc-4.0\)"):
        builders.publish("coit-open", registry=tmp_path / "registry", **options(tmp_path), **memory)
    builders.publish("coit-open", registry=tmp_path / "registry", licence="any", **options(tmp_path), **memory)


ROW = (
    '[a]\ntitle = "A"\nkind = "bitext"\nversion = "1"\nformat = "tmx"\nurl = "a.tmx"\nlangs = ["el"]\nlicence = "{}"\n'
)


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC-BY-SA-4.0", "cc-by-sa-4.0"),
        ("ODbL-1.0", "odbl"),
        ("BSD-4-Clause", "bsd-4-clause"),
        ("GPL v3", r"'GPL v3' is no licence of the Hub's list or of SPDX. Did you mean gpl-3.0"),
        ("proprietary", r"'proprietary' is no licence .*write 'other' and put them into 'licence_note'"),
    ],
)
def test_licence_of_a_corpus_is_checked_when_it_is_read(licence: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "corpora.toml").write_text(ROW.format(licence))
    if " " not in expected:
        assert read_corpora(tmp_path / "corpora.toml")["a"].licence == expected
        return
    with pytest.raises(InputError, match=expected):
        read_corpora(tmp_path / "corpora.toml")


def test_rows_of_licences_agree_with_their_names() -> None:
    for name, row in licences().items():
        assert ("-nc" in name or "-nd" in name) <= (row.commercial == "no"), name
        assert ("-sa-" in name) <= row.share_alike, name
        assert not row.spdx or find_licence(row.spdx) == row, name
