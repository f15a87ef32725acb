"""The registry: a version follows from what changed, and never changes again."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from builders.publishing import Draft, PublishOptions, publish_draft
from builders.publishing.local_registry import LocalRegistry
from builders.run import run_build, run_publish
from builders.workspace import Workspace
from cards.manifest import VersionInfo, identity, make_manifest, read_manifest, to_text
from cards.releases import FolderReleases, open_release, parse_version, release_names
from corpora.errors import InputError
from tests.builders.conftest import described


@pytest.fixture
def registry(tmp_path):
    return tmp_path / "registry"


@pytest.fixture
def put(registry, tmp_path, tiny, writer):
    """Publish rows given as config -> split -> rows, with changes to the manifest."""

    def run(rows, options=None, **changes):
        draft = Draft(tiny(**changes), writer(rows))
        return publish_draft(LocalRegistry(registry, "tiny"), draft, Workspace(tmp_path / "work", threads=1), options)

    return run


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_first_release_is_version_one(put, row, registry):
    made = put({"el": {"train": [row("1")]}})
    assert (made.is_new, made.reason, made.folder()) == (True, "the first release", registry / "tiny" / "v1.0.0")
    assert (made.manifest["version"], made.manifest["parent"]) == ("v1.0.0", None)
    assert {"README.md", "manifest.json", "build.json"} <= set(files(made.folder()))


def test_unchanged_content_makes_no_version(put, row, registry):
    rows = {"el": {"train": [row("1")], "validation": [row("2", "validation")]}}
    first = put(rows)
    before = files(registry)
    again = put(rows)
    assert (again.is_new, again.reason, again.folder()) == (False, "nothing changed", first.folder())
    assert files(registry) == before
    assert put(rows, PublishOptions(as_version="v1.0.0")).reason == "nothing changed"
    assert put(rows, PublishOptions(as_version="v3.0.0")).reason == "nothing changed, so v3.0.0 was not made"
    assert files(registry) == before


def test_added_rows_make_a_minor_version(put, row):
    put({"el": {"train": [row("1")]}})
    made = put({"el": {"train": [row("1"), row("2"), row("3")]}})
    assert (made.manifest["version"], made.reason) == ("v1.1.0", "2 rows added, 0 removed, 0 changed")


def test_added_config_makes_a_minor_version(put, row):
    put({"el": {"train": [row("1")]}})
    made = put({"el": {"train": [row("1")]}, "hi": {"train": [row("1", lang="hi")]}})
    assert made.manifest["version"] == "v1.1.0"
    assert "configs added: hi" in made.reason


def test_first_validation_rows_make_a_minor_version(put, row):
    put({"el": {"train": [row("1")]}})
    made = put({"el": {"train": [row("1")], "validation": [row("2", "validation")]}})
    assert (made.manifest["version"], made.reason) == ("v1.1.0", "1 rows added, 0 removed, 0 changed")


def test_changed_row_makes_a_major_version(put, row):
    put({"el": {"train": [row("1"), row("2")]}})
    made = put({"el": {"train": [row("1"), row("2", output="other"), row("3")]}})
    assert (made.manifest["version"], made.reason) == ("v2.0.0", "1 rows added, 0 removed, 1 changed")


def test_removed_row_makes_a_major_version(put, row):
    put({"el": {"train": [row("1"), row("2")]}})
    made = put({"el": {"train": [row("1")]}})
    assert (made.manifest["version"], made.reason) == ("v2.0.0", "0 rows added, 1 removed, 0 changed")


def test_row_moved_to_another_split_makes_a_major_version(put, row):
    put({"el": {"train": [row("1"), row("2")]}})
    made = put({"el": {"train": [row("1")], "validation": [row("2", "validation")]}})
    assert (made.manifest["version"], made.reason) == ("v2.0.0", "0 rows added, 0 removed, 1 changed")


def test_direction_is_a_part_of_the_key(put, row):
    put({"el": {"train": [row("1")]}})
    made = put({"el": {"train": [row("1"), row("1", direction="xx-en")]}})
    assert (made.manifest["version"], made.reason) == ("v1.1.0", "1 rows added, 0 removed, 0 changed")


def test_removed_config_makes_a_major_version(put, row):
    put({"el": {"train": [row("1")]}, "hi": {"train": [row("1", lang="hi")]}})
    made = put({"el": {"train": [row("1")]}})
    assert (made.manifest["version"], made.reason) == ("v2.0.0", "configs removed: hi")


def test_changed_metadata_makes_a_patch(put, row):
    put({"el": {"train": [row("1")]}})
    made = put({"el": {"train": [row("1")]}}, summary="Other words.")
    assert made.manifest["version"] == "v1.0.1"
    assert made.reason == "the same rows, with other bytes or metadata"


def test_reordered_rows_make_a_patch(put, row):
    put({"el": {"train": [row("1"), row("2")]}})
    assert put({"el": {"train": [row("2"), row("1")]}}).manifest["version"] == "v1.0.1"


def test_human_written_part_makes_a_patch_and_is_kept(put, row):
    rows = {"el": {"train": [row("1")]}}
    card = put(rows).folder() / "README.md"
    marker = "<!-- human-written: about -->\n"
    card.write_text(card.read_text().replace(marker, f"{marker}Read *this* first.\n\nΔιάβασε.\n"))
    made = put(rows)
    assert (made.is_new, made.manifest["version"]) == (True, "v1.0.1")
    later = put({"el": {"train": [row("1"), row("2")]}})
    for version in (made, later):
        assert (
            f"{marker}Read *this* first.\n\nΔιάβασε.\n<!-- /human-written -->"
            in (version.folder() / "README.md").read_text()
        )
    assert not put({"el": {"train": [row("1"), row("2")]}}).is_new


def test_changed_card_template_makes_a_patch(put, row):
    rows = {"el": {"train": [row("1")]}}
    manifest = put(rows).folder() / "manifest.json"
    old = read_manifest(manifest.parent)
    card = next(entry for entry in old["metadata_files"] if entry["path"] == "README.md")
    card["sha256"] = "0" * 64  # as if an older template had been at work
    manifest.write_text(to_text(old))
    assert put(rows).manifest["version"] == "v1.0.1"


@pytest.mark.slow
def test_versions_follow_from_the_changes(put, row):
    one, two, three = ([row(str(number)) for number in range(1, last)] for last in (2, 3, 4))
    steps = [(one, "a"), (two, "a"), (two, "b"), (three, "b"), (one, "b"), (two, "b"), (two, "c")]
    made = [put({"el": {"train": rows}}, summary=words).manifest["version"] for rows, words in steps]
    assert made == ["v1.0.0", "v1.1.0", "v1.1.1", "v1.2.0", "v2.0.0", "v2.1.0", "v2.1.1"]


def test_version_has_the_digest_of_its_parent(put, row):
    first = put({"el": {"train": [row("1")]}})
    second = put({"el": {"train": [row("1"), row("2")]}})
    parent = {"version": "v1.0.0", "manifest_sha256": identity(read_manifest(first.folder()))}
    assert read_manifest(second.folder())["parent"] == parent


def test_publishing_does_not_change_earlier_releases(put, row):
    first = put({"el": {"train": [row("1")]}})
    before = files(first.folder())
    put({"el": {"train": [row("2")]}})
    assert files(first.folder()) == before


def test_datasets_loads_a_release(put, row, tmp_path):
    import datasets

    made = put({"el": {"train": [row("1"), row("2")], "validation": [row("3", "validation")]}})
    loaded = datasets.load_dataset(str(made.folder()), "el", cache_dir=tmp_path / "cache")
    assert loaded["train"]["input"] == ["in 1", "in 2"]
    assert loaded["validation"]["id"] == ["3"]


def published_in(registry: Path) -> list[str]:
    """All that stands below the registry, but for the files that locks are held by."""
    return sorted(str(path.relative_to(registry)) for path in registry.rglob("*") if path.name != ".lock")


def test_failed_write_leaves_no_trace(registry, tmp_path, tiny, put, row):
    def fail(folder: Path):
        (folder / "data").mkdir()
        (folder / "data" / "half.parquet").write_bytes(b"half")
        raise RuntimeError("the disk is full")

    put({"el": {"train": [row("1")]}})
    before = published_in(registry)
    with pytest.raises(RuntimeError):
        publish_draft(LocalRegistry(registry, "tiny"), Draft(tiny(), fail), Workspace(tmp_path / "work"))
    assert published_in(registry) == before


def test_release_that_does_not_load_leaves_no_trace(registry, tmp_path, tiny, writer, row):
    def one_row_too_many(folder: Path):
        configs = writer({"el": {"train": [row("1")]}})(folder)
        configs["el"]["splits"]["train"]["num_rows"] = 2
        return configs

    with pytest.raises(Exception, match=r"2|rows|split"):
        publish_draft(LocalRegistry(registry, "tiny"), Draft(tiny(), one_row_too_many), Workspace(tmp_path / "work"))
    assert published_in(registry) == ["tiny"]
    assert (release_names(registry), FolderReleases(registry / "tiny").versions()) == ([], [])


def test_config_without_training_rows_is_refused(put, row, registry):
    with pytest.raises(InputError, match="leaves no rows in config 'el'"):
        put({"el": {"validation": [row("1", "validation")]}})
    assert published_in(registry) == ["tiny"]


def test_leftovers_of_a_killed_run_are_removed(put, row, registry):
    left = registry / "tiny" / ".tmp-killed" / "data"
    left.mkdir(parents=True)
    (left / "half.parquet").write_bytes(b"half")
    put({"el": {"train": [row("1")]}})
    assert list(registry.rglob(".tmp-*")) == []


def make_version(registry: Path, name: str, version: str) -> None:
    folder = registry / name / version
    folder.mkdir(parents=True)
    content = described(name=name) | {"configs": {}, "statistics": [], "lengths": [], "examples": []}
    (folder / "manifest.json").write_text(
        to_text(make_manifest(content, VersionInfo(version.removesuffix("-backup"), None, "none")))
    )


def test_versions_are_sorted_by_number(registry):
    for version in ("v1.10.0", "v1.9.0", "v2.0.0", "v1.9.10", "v10.0.0", "v1.9.9"):
        make_version(registry, "tiny", version)
    assert FolderReleases(registry / "tiny").versions() == [
        "v1.9.0",
        "v1.9.9",
        "v1.9.10",
        "v1.10.0",
        "v2.0.0",
        "v10.0.0",
    ]
    assert open_release("tiny", registry).version == "v10.0.0"


def test_folder_without_manifest_is_not_a_version(registry):
    make_version(registry, "tiny", "v1.0.0")
    (registry / "tiny" / "v1.1.0").mkdir()
    (registry / "notes").mkdir()
    assert (release_names(registry), FolderReleases(registry / "tiny").versions()) == (["tiny"], ["v1.0.0"])


def test_copy_under_another_name_is_ignored(registry):
    make_version(registry, "tiny", "v1.0.0")
    make_version(registry, "tiny", "v1.0.0-backup")
    assert FolderReleases(registry / "tiny").versions() == ["v1.0.0"]


@pytest.mark.parametrize("text", ["v1.2.3", "1.2.3"])
def test_version_is_three_numbers(text):
    assert parse_version(text) == (1, 2, 3)


@pytest.mark.parametrize("text", ["", "v1", "v1.2", "v1.2.3.4", "v1.2.x", "latest", " v1.2.3"])
def test_malformed_version_is_refused(text):
    with pytest.raises(InputError, match=r"looks like v1\.2\.0"):
        parse_version(text)


def test_release_opens_by_name_version_and_folder(registry):
    for version in ("v1.0.0", "v1.1.0"):
        make_version(registry, "tiny", version)
    assert open_release("tiny", registry).uri == str(registry / "tiny" / "v1.1.0")
    for spelt in ("tiny@v1.0.0", "tiny@1.0.0", "tiny@v1.0"):
        assert open_release(spelt, registry).uri == str(registry / "tiny" / "v1.0.0")
    assert open_release("tiny@1", registry).version == "v1.1.0"
    assert open_release(str(registry / "tiny" / "v1.0.0"), Path("elsewhere")).version == "v1.0.0"


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ("tny", "Unknown release 'tny'. Did you mean tiny?"),
        ("tiny@v1.0.1", "Unknown version of tiny 'v1.0.1'. Did you mean v1.0.0"),
        ("tiny@9", "Unknown version of tiny 'v9'. Known: v1.0.0."),
    ],
)
def test_unknown_release_is_refused_with_a_hint(registry, release, said):
    make_version(registry, "tiny", "v1.0.0")
    with pytest.raises(InputError) as error:
        open_release(release, registry)
    assert said in str(error.value)


def test_empty_registry_is_an_error_message(registry):
    with pytest.raises(InputError, match=r"the registry .* is empty"):
        open_release("tiny", registry)


LINES = [
    (1.2, "The cat sleeps on the warm roof of the house.", "Η γάτα κοιμάται στη ζεστή στέγη του σπιτιού."),
    (1.1, "We will travel to the island in the summer.", "Θα ταξιδέψουμε στο νησί το καλοκαίρι."),
    (1.3, "The teacher reads a story to the children.", "Η δασκάλα διαβάζει μια ιστορία στα παιδιά."),
]


@pytest.mark.slow
def test_builds_follow_the_bump_rule(request_for, tmp_path):
    def release(lines, more=""):
        folder = tmp_path / "small"
        folder.mkdir(exist_ok=True)
        request = request_for({"small": {"el": lines}}, more, folder)
        return run_publish(request, tmp_path / "registry", "instructions")[0]

    steps = [
        (LINES[:2], "", "v1.0.0"),
        (LINES[:2], "", "v1.0.0"),
        (LINES, "", "v1.1.0"),
        (LINES, "[filters.low_margin]\nmin = 1.05", "v1.1.1"),
        (LINES, "[filters.low_margin]\nmin = 1.15", "v2.0.0"),
        (LINES, 'disable_filters = ["low_margin"]', "v2.1.0"),
    ]
    for lines, more, version in steps:
        (tmp_path / "small" / "corpora.lock").unlink(missing_ok=True)
        assert release(lines, more).manifest["version"] == version


@pytest.mark.slow
def test_ids_are_unique_without_the_duplicate_filter(request_for, tmp_path):
    import datasets

    lines = [LINES[0], (LINES[0][0] - 0.01, LINES[0][1].upper(), LINES[0][2])]
    lines.append(lines[1])
    request = replace(request_for({"small": {"el": lines}}), disable_filters=("duplicate_normalised",))
    folder = run_publish(request, tmp_path / "registry", "instructions")[0].folder()
    ids = datasets.load_dataset(str(folder), "el", cache_dir=tmp_path / "cache")["train"]["id"]
    assert (len(ids), len(set(ids))) == (2, 2)
    with pytest.raises(InputError, match="cannot be disabled"):
        run_build(replace(request, disable_filters=("duplicate_exact",)))


def test_registry_path_with_wildcards_is_refused(put, row, tmp_path, tiny, writer):
    draft = Draft(tiny(), writer({"el": {"train": [row("1")]}}))
    with pytest.raises(InputError, match="for patterns"):
        publish_draft(LocalRegistry(tmp_path / "reg [1]", "tiny"), draft, Workspace(tmp_path / "work"))


@pytest.mark.slow
def test_ids_are_unique_when_two_corpora_share_an_instruction(request_for, tmp_path):
    import datasets

    more = 'instructions = ["one", "two"]\ninstruction_langs = ["en"]\n'
    request = request_for({"small": {"el": LINES}}, more, tmp_path)
    with (request.with_[0] / "corpora.toml").open("a", encoding="utf-8") as catalog:
        for name in ("one", "two"):
            (tmp_path / f"{name}.json").write_text(
                json.dumps([{"instruction": "Say hi.", "input": "", "output": "Hi."}])
            )
            catalog.write(f'[{name}]\ntitle = "Same"\nkind = "instructions"\nversion = "1"\nformat = "alpaca-json"\n')
            catalog.write(f'url = "{name}.json"\nlangs = ["en"]\nlicence = "cc0-1.0"\n')
    folder = run_publish(request, tmp_path / "registry", "instructions")[0].folder()
    ids = datasets.load_dataset(str(folder), "el", cache_dir=tmp_path / "cache")["train"]["id"]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ["a [b]", "what?", "star*", "$HOME here", "a::b"])
def test_folder_that_datasets_cannot_load_from_is_refused_with_its_full_path(tmp_path, name):
    with pytest.raises(InputError, match=re.escape(str(tmp_path / name))):
        LocalRegistry(tmp_path / name, "mine").check_writable()


@pytest.mark.parametrize(
    "name", ['it\'s "q"', "sp ace ", "#hash", "50%25 {el}", "😀 é", "dot.", "n" * 250, "5 $", "-dash"]
)
def test_odd_folders_are_allowed(tmp_path, name):
    LocalRegistry(tmp_path / name, "mine").check_writable()
