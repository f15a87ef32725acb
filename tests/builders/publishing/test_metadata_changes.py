"""The keys of two manifests that differ, from what to what."""

from builders.publishing.metadata_changes import metadata_changes
from tests.builders.conftest import described


def low_margin(**limits):
    return {"name": "low_margin", "reject": "margin < $min", "description": "Low.", "thresholds": {"min": limits}}


def changes(before, after):
    return [str(change) for change in metadata_changes(described(**before), described(**after))]


def test_equal_manifests_have_no_changes():
    assert changes({}, {}) == []


def test_threshold_of_all_languages_is_one_change():
    before = {"langs": ["el", "hi"], "filters": [low_margin(el=1.04, hi=1.04)]}
    after = {"langs": ["el", "hi"], "filters": [low_margin(el=1.06, hi=1.06)]}
    assert changes(before, after) == ["filters.low_margin.thresholds.min: 1.04 -> 1.06"]


def test_threshold_of_one_language_is_named():
    before = {"langs": ["el", "hi"], "filters": [low_margin(el=1.04, hi=1.04)]}
    after = {"langs": ["el", "hi"], "filters": [low_margin(el=1.04, hi=1.1)]}
    assert changes(before, after) == ["filters.low_margin.thresholds.min.hi: 1.04 -> 1.1"]


def test_thresholds_of_an_added_language_are_left_out():
    before = {"langs": ["el"], "filters": [low_margin(el=1.04)]}
    after = {"langs": ["el", "hi"], "filters": [low_margin(el=1.04, hi=1.1)]}
    assert changes(before, after) == ['langs: ["el"] -> ["el", "hi"]']


def test_recipe_keys_models_and_removed_filters_are_named():
    before, after = described(filters=[low_margin(el=1.04)]), described()
    after["recipe"] = after["recipe"] | {"seed": 7}
    after["models"] = [after["models"][0] | {"sha256": "1" * 64}]
    found = [str(change) for change in metadata_changes(before, after)]
    assert found[0] == "recipe.seed: 0 -> 7"
    assert found[1].startswith('filters.low_margin: {"name": "low_margin"')
    assert found[1].endswith("…} -> none") or found[1].endswith("-> none")
    assert found[2].startswith("models.language identification/none.sha256: ")


def test_ledger_is_only_said_to_have_changed():
    row = {"stage": "measured", "corpus": "a", "lang": "el", "reason": None, "num_in": 1, "num_kept": 1}
    assert changes({}, {"ledger": [row]}) == ["ledger"]
