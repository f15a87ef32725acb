"""The manifest: what a release holds; its digest is the identity of the release."""

import hashlib
import json
from pathlib import Path

import pytest

from cards.manifest import (
    FILE,
    VersionInfo,
    count_rows,
    file_entry,
    get_content,
    identity,
    list_licences,
    make_manifest,
    parse_manifest,
    read_manifest,
    source_entry,
    to_text,
)
from cards.manifest_types import MANIFEST_VERSION, SCHEMA_FILE, format_schema
from corpora.catalog import SAMPLE, load_catalog, read_corpora
from corpora.errors import InputError
from tests.cards.test_dataset_card import manifest, totals

SPLIT = {"num_rows": 5, "num_bytes": 1, "content_sha256": "0" * 64, "files": []}
MANIFEST = manifest(
    title="Ελληνικά «ü»\u2028\n---",
    configs={
        "el": {"langs": ["el"], "splits": {"train": SPLIT, "validation": SPLIT | {"num_rows": 2}}},
        "hi": {"langs": ["hi"], "splits": {"train": SPLIT | {"num_rows": 4}}},
    },
    metadata_files=[{"path": "README.md", "size": 1, "sha256": "0" * 64}],
)
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


def test_identity_is_the_sha256_of_the_file(tmp_path):
    save(tmp_path, to_text(MANIFEST))
    assert identity(MANIFEST) == hashlib.sha256((tmp_path / FILE).read_bytes()).hexdigest()
    assert identity(read_manifest(tmp_path)) == identity(MANIFEST)


def test_written_manifest_is_read_back(tmp_path):
    assert read_manifest(save(tmp_path, to_text(MANIFEST))) == MANIFEST


def test_text_does_not_depend_on_the_order_of_keys():
    assert to_text(dict(reversed(MANIFEST.items()))) == to_text(MANIFEST)
    assert to_text(MANIFEST).endswith("}\n")
    assert "Ελληνικά" in to_text(MANIFEST)


def test_each_change_gives_another_identity():
    changes = ({}, {"summary": "Another."}, {"version": "v1.0.1"})
    assert len({identity(MANIFEST | change) for change in changes}) == 3


def test_content_is_the_manifest_without_its_version():
    added = {"version": "v2.0.0", "parent": {"version": "v1.0.0"}, "difference": "more", "metadata_files": []}
    assert get_content(MANIFEST | added) == get_content(MANIFEST)
    assert set(get_content(MANIFEST)) == set(MANIFEST) - set(added)
    assert get_content(MANIFEST | {"title": "other"}) != get_content(MANIFEST)


def test_manifest_is_made_from_content_and_version():
    version = VersionInfo("v1.2.0", None, "the first release")
    assert make_manifest(get_content(MANIFEST), version, MANIFEST["metadata_files"]) == MANIFEST


def test_manifest_of_wrong_types_is_not_made():
    wrong = get_content(MANIFEST) | {"langs": "el"}
    with pytest.raises(AssertionError, match="'langs': Input should be a valid list"):
        make_manifest(wrong, VersionInfo("v1.2.0", None, "the first release"))


def test_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no manifest\.json, so it is not a release"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "not JSON", '{"manifest_version": 1,}', f'{{"manifest_version": {MANIFEST_VERSION}}}']
)
def test_damaged_manifest_is_refused(tmp_path, text):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, text))


@pytest.mark.parametrize("value", [[], 1, {}, {"manifest_version": MANIFEST_VERSION + 1}])
def test_other_version_of_the_format_is_refused(tmp_path, value):
    with pytest.raises(InputError, match="is not a manifest of version"):
        read_manifest(save(tmp_path, json.dumps(value)))


def test_rows_of_all_configs_and_splits_are_counted():
    assert count_rows(MANIFEST) == 11


def test_licences_are_listed_once_in_order():
    terms = ("other", "cc-by-4.0", "other")
    assert list_licences([{"licence": licence} for licence in terms]) == ["cc-by-4.0", "other"]


def test_file_entry_has_path_size_and_digest(tmp_path):
    path = tmp_path / "data" / "el" / "train.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_entry(tmp_path, path) == {"path": "data/el/train.parquet", "size": 3, "sha256": digest}


def test_source_entry_has_url_and_licence():
    entry = source_entry(load_catalog()["news-commentary"], "zh", "0" * 64, 12)
    assert entry["url"] == "https://object.pouta.csc.fi/OPUS-News-Commentary/v16/moses/en-zh.txt.zip"
    assert (entry["corpus"], entry["lang"], entry["size"], entry["licence"]) == ("news-commentary", "zh", 12, "other")
    assert entry["licence_note"]
    assert entry["citation"] == entry["citation"].strip()


@pytest.mark.parametrize("url", ["{pair}.zip", "https-mirror/{pair}.zip", "http.d/{pair}.zip"])
def test_local_source_does_not_state_its_folder(tmp_path, url):
    entry = source_entry(mine(tmp_path, url), "el", "0" * 64, 1)
    assert str(tmp_path) not in json.dumps(entry)


def test_source_of_the_sample_does_not_state_its_folder():
    corpus = load_catalog(sample=True)["sample-wikimatrix"]
    assert str(SAMPLE) not in json.dumps(source_entry(corpus, "el", "0" * 64, 1))


@pytest.mark.parametrize(
    "url", ["https://me:secret@example.org/{pair}.zip", "https://example.org/{pair}.zip?token=secret"]
)
def test_passwords_and_tokens_are_not_published(tmp_path, url):
    assert "secret" not in json.dumps(source_entry(mine(tmp_path, url), "el", "0" * 64, 1))


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "data/../../x", "a//b", ".git/config", "a\\b", "a*b", "", "a/", "a\nb", "~/x", 3]
)
def test_path_outside_the_release_is_refused(tmp_path, path):
    hostile = MANIFEST | {"metadata_files": [{"path": path, "size": 1, "sha256": "0" * 64}]}
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, to_text(hostile)))


@pytest.mark.parametrize("version", ["1.0.0", "v1", "v1.0.0-rc.1", "v01.0.0", "v1.0.0/../..", "main", None])
def test_malformed_version_is_refused(tmp_path, version):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, to_text(MANIFEST | {"version": version})))


@pytest.mark.parametrize(
    "changes",
    [
        {"title": 3},
        {"configs": []},
        {"configs": {"../x": {"langs": [], "splits": {}}}},
        {"configs": {"el": {"langs": ["el"], "splits": {"train": SPLIT | {"num_rows": "5"}}}}},
        {"configs": {"el": {"langs": ["el"], "splits": {"train": SPLIT | {"content_sha256": "x"}}}}},
        {"configs": {"el": {"langs": ["el"], "splits": {"test": SPLIT}}}},
        {"unknown": 1},
        {"features": [1]},
        {"sources": [{"corpus": "x"}]},
        {"ledger": [{"num_rows": None}]},
        {"metadata_files": [{"path": "README.md", "size": "1", "sha256": "0" * 64}]},
        {"metadata_files": [{"path": "README.md", "size": 1, "sha256": "zz"}]},
    ],
)
def test_manifest_of_wrong_types_is_refused(tmp_path, changes):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, to_text(MANIFEST | changes)))


def test_deeply_nested_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(save(tmp_path, "[" * 100_000))


def test_schema_file_is_generated_from_the_types():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == format_schema(), "run `python -m cards.manifest_types`"


def test_schema_accepts_a_manifest_and_refuses_a_wrong_one():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.validate(MANIFEST, schema)
    for wrong in (MANIFEST | {"version": "1.0"}, MANIFEST | {"unknown": 1}, MANIFEST | {"langs": "el"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ledger": [totals("measured", 1, 1, lang="xx")]}, "the ledger has rows in 'xx'"),
        (
            {"filters": [{"name": "short", "reject": "x", "description": "x", "thresholds": {"min": {}}}]},
            "the threshold 'min' of the filter 'short' has no value",
        ),
    ],
)
def test_numbers_that_do_not_belong_together_are_refused(change, sentence):
    with pytest.raises(InputError, match=sentence):
        parse_manifest(to_text(MANIFEST | change).encode(), "manifest.json")
