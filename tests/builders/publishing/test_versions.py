"""Versions and differences over many small pairs of releases: the rule, and that the difference is the real one."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.publishing.comparison import compare
from builders.publishing.difference import ConfigChange, Difference
from builders.publishing.versions import bump_version, next_version, required_bump
from builders.workspace import Workspace
from cards.releases import Release, parse_version
from corpora.errors import InputError

VERSION = st.tuples(*[st.integers(0, 30)] * 3).map(lambda numbers: "v" + ".".join(map(str, numbers)))
COUNT = st.integers(0, 5)
CHANGE = st.builds(
    lambda config, there, added, removed, changed: ConfigChange(config, there, there, added, removed, changed),
    st.sampled_from(["el", "hi", "tr"]),
    st.sampled_from([(5, 5), (None, 5), (5, None)]),
    COUNT,
    COUNT,
    COUNT,
)
COLUMNS = st.sampled_from([(), ("x",)])
DIFFERENCE = st.builds(Difference, st.tuples(CHANGE, CHANGE), COLUMNS, COLUMNS)


def bump_of(difference: Difference) -> str:
    """The rule of the README, word for word."""
    both = [change for change in difference.configs if None not in change.num_rows]
    if (
        difference.has_other_columns
        or difference.removed_configs()
        or any(change.removed or change.changed for change in both)
    ):
        return "major"
    return "minor" if difference.added_configs() or any(change.added for change in both) else "patch"


@given(DIFFERENCE)
def test_bump_follows_from_the_difference(difference):
    assert required_bump(difference)[0] == bump_of(difference)


@given(VERSION, DIFFERENCE, st.none() | VERSION | st.sampled_from(["patch", "minor", "major"]))
def test_next_version_is_at_least_the_required_one(latest, difference, asked):
    least = bump_version(latest, bump_of(difference))
    bump, as_version = (asked, None) if asked in ("patch", "minor", "major") else (None, asked)
    try:
        version, _ = next_version(latest, difference, bump, as_version)
    except InputError:
        wanted = bump_version(latest, asked) if asked in ("patch", "minor", "major") else asked
        assert parse_version(wanted) < parse_version(least)
        return
    assert parse_version(latest) < parse_version(least) <= parse_version(version)
    assert asked is not None or version == least


KEYS = st.sampled_from("abcd")
ROW = st.tuples(st.sampled_from(["x", "y"]), st.sampled_from(["train", "validation"]))
ROWS = st.dictionaries(KEYS, ROW, max_size=4)
CONFIGS = st.dictionaries(st.sampled_from(["el", "hi"]), ROWS.filter(bool), min_size=1)


@pytest.fixture(scope="module")
def release(tiny, row, writer):
    """A release of rows given as config -> id -> (text, split)."""

    def make(folder: Path, rows) -> Release:
        splits = {
            config: {
                split: [row(key, split, output=text) for key, (text, place) in sorted(own.items()) if place == split]
                for split in {place for _, place in own.values()}
            }
            for config, own in rows.items()
        }
        return Release(str(folder), tiny() | {"configs": writer(splits)(folder)}, lambda paths: folder)

    return make


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(CONFIGS, CONFIGS)
def test_difference_counts_rows_by_key(release, before, after):
    with TemporaryDirectory() as folder:
        old, new = (release(Path(folder) / name, rows) for name, rows in (("old", before), ("new", after)))
        difference = compare(old, new, Workspace(Path(folder), threads=1))
    for change in difference.configs:
        was, became = before.get(change.config), after.get(change.config)
        assert change.num_rows == (was and len(was), became and len(became))
        was, became = was or {}, became or {}
        both = was.keys() & became.keys()
        assert change.added == len(became.keys() - was.keys())
        assert change.removed == len(was.keys() - became.keys())
        assert change.changed == sum(was[key] != became[key] for key in both)
    assert {change.config for change in difference.configs} == before.keys() | after.keys()


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(CONFIGS)
def test_release_does_not_differ_from_itself(release, rows):
    with TemporaryDirectory() as folder:
        one = release(Path(folder), rows)
        difference = compare(one, one, Workspace(Path(folder), threads=1))
    assert required_bump(difference)[0] == "patch"
    assert not difference.has_other_columns
    assert not difference.metadata_changed


@pytest.mark.parametrize(("before", "after"), [([], ["el"]), (["el"], []), (["el", "hi"], ["hi", "el"])])
def test_columns_are_compared_by_name_type_and_order(release, tmp_path, before, after):
    rows = {"el": {"a": ("x", "train")}}
    old, new = release(tmp_path / "old", rows), release(tmp_path / "new", rows)
    for one, names in ((old, before), (new, after)):
        one.manifest["features"] = [*one.manifest["features"], *({"name": name, "dtype": "string"} for name in names)]
    assert required_bump(compare(old, new, Workspace(tmp_path, threads=1))) == ("major", "the columns changed")
