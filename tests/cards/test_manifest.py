"""The manifest: what a release holds; its digest is the identity of the release."""

import hashlib
import json
from pathlib import Path

import pytest

from cards.manifest import (
    FILE,
    KEYS,
    MANIFEST_VERSION,
    content,
    file_entry,
    identity,
    licences,
    num_rows,
    read_manifest,
    source_entry,
    to_text,
)
from corpora.catalog import SAMPLE, load_catalog, read_corpora
from corpora.errors import InputError

SPLIT = {"num_bytes": 1, "rows_sha256": "0" * 64, "files": []}
MANIFEST = dict.fromkeys(KEYS, "") | {
    "manifest_version": MANIFEST_VERSION,
    "version": "v1.0.0",
    "parent": None,
    "title": "Ελληνικά «ü»\u2028\n---",
    "share": 0.1,
    "configs": {
        "el": {"langs": ["el"], "splits": {"train": SPLIT | {"rows": 5}, "validation": SPLIT | {"rows": 2}}},
        "hi": {"langs": ["hi"], "splits": {"train": SPLIT | {"rows": 4}}},
    },
    "name": "tiny",
    "beside": [{"path": "README.md", "size": 1, "sha256": "0" * 64}],
    **dict.fromkeys(("features", "sources", "filters", "ledger"), ()),
}
MANIFEST = json.loads(to_text(MANIFEST))
MINE = """
[mine]
title = "Mine"
kind = "bitext"
version = "1"
format = "moses-zip"
url = "{url}"
langs = ["el"]
licence = "cc0-1.0"
citation = "\\n@misc\\n"
"""


def save(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


def mine(folder: Path, url: str):
    (folder / "mine.toml").write_text(MINE.replace("{url}", url))
    return read_corpora(folder / "mine.toml")["mine"]


def test_the_identity_is_the_sha256_of_the_file(tmp_path):
    save(tmp_path, to_text(MANIFEST))
    assert identity(MANIFEST) == hashlib.sha256((tmp_path / FILE).read_bytes()).hexdigest()
    assert identity(read_manifest(tmp_path)) == identity(MANIFEST)


def test_what_is_written_is_read_again(tmp_path):
    assert read_manifest(save(tmp_path, to_text(MANIFEST))) == MANIFEST


def test_the_order_of_the_keys_does_not_matter():
    assert to_text(dict(reversed(MANIFEST.items()))) == to_text(MANIFEST)
    assert to_text(MANIFEST).endswith("}\n")
    assert "Ελληνικά" in to_text(MANIFEST)


def test_any_change_is_another_identity():
    assert (
        len({identity(MANIFEST), identity(MANIFEST | {"share": 0.2}), identity(MANIFEST | {"version": "v1.0.1"})}) == 3
    )


def test_the_content_is_all_but_what_a_version_adds():
    later = MANIFEST | {"version": "v2.0.0", "parent": {"version": "v1.0.0"}, "difference": "more", "beside": []}
    assert content(later) == content(MANIFEST)
    assert set(content(MANIFEST)) == set(MANIFEST) - {"version", "parent", "difference", "beside"}
    assert content(MANIFEST | {"title": "other"}) != content(MANIFEST)
    assert MANIFEST["version"] == "v1.0.0"


def test_no_manifest_is_no_release(tmp_path):
    with pytest.raises(InputError, match=r"holds no manifest\.json, so it is no release"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "not JSON", '{"manifest_version": 1,}', f'{{"manifest_version": {MANIFEST_VERSION}}}']
)
def test_a_damaged_manifest_is_a_sentence(tmp_path, text):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, text))


@pytest.mark.parametrize("value", [[], 1, {}, {"manifest_version": MANIFEST_VERSION + 1}])
def test_the_manifest_of_another_version_is_refused(tmp_path, value):
    with pytest.raises(InputError, match="is no manifest of version"):
        read_manifest(save(tmp_path, json.dumps(value)))


def test_rows_are_those_of_all_configs_and_splits():
    assert num_rows(MANIFEST) == 11


def test_licences_are_named_once_and_in_order():
    terms = ("other", "cc-by-4.0", "other")
    assert licences([{"licence": licence} for licence in terms]) == ["cc-by-4.0", "other"]


def test_a_file_is_named_by_its_place_in_the_release(tmp_path):
    path = tmp_path / "data" / "el" / "train.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_entry(tmp_path, path) == {"path": "data/el/train.parquet", "size": 3, "sha256": digest}


def test_a_source_is_told_with_its_url_and_terms():
    entry = source_entry(load_catalog()["news-commentary"], "zh", "0" * 64, 12)
    assert entry["url"] == "https://object.pouta.csc.fi/OPUS-News-Commentary/v16/moses/en-zh.txt.zip"
    assert (entry["corpus"], entry["lang"], entry["size"], entry["licence"]) == ("news-commentary", "zh", 12, "other")
    assert entry["licence_note"]
    assert entry["citation"] == entry["citation"].strip()


@pytest.mark.parametrize("url", ["{pair}.zip", "https-mirror/{pair}.zip", "http.d/{pair}.zip"])
def test_a_local_source_says_nothing_of_the_machine_that_it_lies_on(tmp_path, url):
    entry = source_entry(mine(tmp_path, url), "el", "0" * 64, 1)
    assert str(tmp_path) not in json.dumps(entry)


def test_a_source_of_the_sample_is_the_same_on_every_machine():
    corpus = load_catalog(sample=True)["sample-wikimatrix"]
    assert str(SAMPLE) not in json.dumps(source_entry(corpus, "el", "0" * 64, 1))


@pytest.mark.parametrize(
    "url", ["https://me:secret@example.org/{pair}.zip", "https://example.org/{pair}.zip?token=secret"]
)
def test_no_password_and_no_token_of_a_catalogue_is_published(tmp_path, url):
    assert "secret" not in json.dumps(source_entry(mine(tmp_path, url), "el", "0" * 64, 1))


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "data/../../x", "a//b", ".git/config", "a\\b", "a*b", "", "a/", "a\nb", "~/x", 3]
)
def test_a_manifest_from_outside_names_no_file_outside_its_release(tmp_path, path):
    hostile = MANIFEST | {"beside": [{"path": path, "size": 1, "sha256": "0" * 64}]}
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, to_text(hostile)))


@pytest.mark.parametrize("version", ["1.0.0", "v1", "v1.0.0-rc.1", "v01.0.0", "v1.0.0/../..", "main", None])
def test_a_manifest_from_outside_names_no_version_that_is_none(tmp_path, version):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, to_text(MANIFEST | {"version": version})))


@pytest.mark.parametrize(
    "changes",
    [
        {"title": 3},
        {"configs": []},
        {"configs": {"../x": {"langs": [], "splits": {}}}},
        {"configs": {"el": {"langs": ["el"], "splits": {"train": SPLIT | {"rows": "5"}}}}},
        {"configs": {"el": {"langs": ["el"], "splits": {"train": SPLIT | {"rows": 5, "rows_sha256": "x"}}}}},
        {"features": [1]},
        {"sources": [{"corpus": "x"}]},
        {"ledger": [{"rows": None}]},
        {"beside": [{"path": "README.md", "size": "1", "sha256": "0" * 64}]},
        {"beside": [{"path": "README.md", "size": 1, "sha256": "zz"}]},
    ],
)
def test_a_manifest_from_outside_that_says_something_else_is_damaged(tmp_path, changes):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, to_text(MANIFEST | changes)))


def test_a_manifest_without_end_is_damaged(tmp_path):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, "[" * 100_000))
