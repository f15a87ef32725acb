"""A release opens by folder, name and version; its rows are read from files that are checked."""

import json
import logging

import pytest

from cards.releases import open_release
from corpora.errors import InputError


@pytest.fixture
def registry(write_release, tmp_path):
    for version in ("v1.0.0", "v1.1.0", "v1.10.0"):
        write_release(version)
    return tmp_path / "registry"


@pytest.mark.parametrize(
    ("release", "version"),
    [("tiny", "v1.10.0"), ("tiny@v1.0.0", "v1.0.0"), ("tiny@1.1", "v1.1.0"), ("tiny@v1", "v1.10.0")],
)
def test_release_opens_by_name_and_version(registry, release, version):
    assert open_release(release, registry).version == version


def test_release_opens_by_folder(registry):
    found = open_release(registry / "tiny" / "v1.1.0", "elsewhere")
    assert (found.version, found.origin) == ("v1.1.0", "tiny@v1.1.0")


@pytest.mark.parametrize(
    ("release", "message"),
    [
        ("tny", "Unknown release 'tny'. Did you mean tiny?"),
        ("tiny@v1.0.1", "Unknown version of tiny 'v1.0.1'. Did you mean v1.0.0"),
        ("org/tiny", "There is no folder org/tiny. A release of the Hub is written hf://org/tiny."),
        ("org/tiny@v1.0.0", "A release of the Hub is written hf://org/tiny."),
        ("hf:/org/tiny", "There is no folder hf:/org/tiny. A release of the Hub is written hf://org/tiny."),
        ("some/deep/folder", "There is no folder some/deep/folder."),
        ("hf://a/b/c", "is not a registry"),
        ("hf://org/my--data", "'org/my--data' is no name of a repository"),
        ("hf://org/my..data", "'org/my..data' is no name of a repository"),
        ("hf://org/.data", "'org/.data' is no name of a repository"),
        ("hf://org/data-", "'org/data-' is no name of a repository"),
        ("hf://org/data.git", "'org/data.git' is no name of a repository"),
        ("hf://org/" + "a" * 93, "at most 96 characters"),
    ],
)
def test_unknown_release_is_refused_with_a_hint(registry, release, message):
    with pytest.raises(InputError) as error:
        open_release(release, registry)
    assert message in str(error.value)


def test_folder_without_manifest_is_refused(registry):
    with pytest.raises(InputError, match=r"holds no manifest\.json, so it is not a release"):
        open_release(str(registry / "tiny"))


def test_yanked_version_is_skipped_and_warned_about(registry, caplog):
    (registry / "tiny" / "registry.json").write_text(json.dumps({"yanked": {"v1.10.0": "shifted by a line"}}))
    assert open_release("tiny", registry).version == "v1.1.0"
    with caplog.at_level(logging.WARNING):
        assert open_release("tiny@v1.10.0", registry).yanked == "shifted by a line"
    assert "is yanked: shifted by a line" in caplog.text
    assert open_release(registry / "tiny" / "v1.10.0").yanked == "shifted by a line"


def test_rows_are_filtered_by_language(registry):
    release = open_release("tiny", registry)
    assert release.rows()["output"].to_list() == ["ένα", "δύο", "three"]
    assert release.rows("el", langs=["el"])["output"].to_list() == ["ένα", "δύο"]


def test_unknown_config_and_split_are_refused(registry):
    release = open_release("tiny", registry)
    with pytest.raises(InputError, match=r"Unknown config of tiny@v1\.10\.0 'eel'\. Did you mean el"):
        release.rows("eel")
    with pytest.raises(InputError, match="Unknown split of config 'el'"):
        release.rows("el", split="validation")


def test_config_must_be_named_where_there_are_several(write_release):
    release = open_release(write_release(configs=("el", "hi")))
    with pytest.raises(InputError, match=r"has the configs el, hi\. Name one"):
        release.rows()


def test_changed_file_is_not_read(registry):
    release = open_release("tiny", registry)
    path = next((registry / "tiny" / "v1.10.0" / "data").rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="has been changed: its sha256"):
        release.rows()
    with pytest.raises(InputError, match="has been changed: its sha256"):
        release.load()


def test_release_shows_what_it_holds(registry):
    release = open_release("tiny", registry)
    assert repr(release) == "<Release tiny@v1.10.0: 3 rows in el>"
    assert "<td>el</td><td>el</td><td>3</td><td>0</td>" in release._repr_html_()
    assert release.describe()["origin"] == "tiny@v1.10.0"


@pytest.mark.slow
def test_release_loads_as_a_dataset(registry, tmp_path):
    loaded = open_release("tiny", registry).load("el", cache_dir=str(tmp_path / "cache"))
    assert {split: rows["output"][:] for split, rows in loaded.items()} == {"train": ["ένα", "δύο", "three"]}
