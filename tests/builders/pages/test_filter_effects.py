"""What a page says that another threshold would change is what a build with it changes."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("length_ratio", {"max": 1.5}),
        ("length_ratio", {"max": 4.0}),
        ("wrong_script", {"min": 0.999}),
        ("low_margin", {"min": 1.1}),
        ("too_long", {"max": 150.0}),
        ("wrong_language_xx", {"min_confidence": 0.99, "min_confidence_short": 0.995}),
    ],
)
def test_effect_is_what_a_build_does(built_sample: Path, tmp_path: Path, name: str, changes: dict[str, float]) -> None:
    import shutil

    import numpy as np

    from builders.lines import count_replaced, effect_of, open_build, open_lines, rerun_sample
    from builders.options import BuildOptions
    from builders.run import run_build

    lines = open_lines(open_build(built_sample / "work"), "el")
    rule = lines.build.filter(name)
    effect = effect_of(lines, rule, {key: rule.threshold(key, "el") for key in rule.thresholds} | changes)

    shutil.copytree(built_sample / "work", tmp_path / "work")
    thresholds = {f"{name}.{key}": value for key, value in changes.items()}
    run_build(
        BuildOptions(("coit",), ("el",), True, set=thresholds, work=tmp_path / "work", corpora_lock=tmp_path / "l")
    )
    after = open_lines(open_build(tmp_path / "work"), "el")
    assert np.array_equal(np.flatnonzero((lines.reasons == 0) & (after.reasons == lines.code(name))), effect.lost)
    released = np.flatnonzero((lines.reasons == lines.code(name)) & (after.reasons != lines.code(name)))
    assert np.array_equal(released, effect.released)
    rerun = rerun_sample(effect, {key: rule.threshold(key, "el") for key in rule.thresholds} | changes)
    change = rerun.num_kept + count_replaced(effect) - len(effect.lost)
    assert rerun.num_sampled == len(effect.released)
    freed = (lines.reasons == lines.code("one_to_many")) & (after.reasons == 0)  # what the sample does not compare
    num_kept = [np.count_nonzero(own.reasons == 0) for own in (lines, after)]
    assert change + np.count_nonzero(freed) == num_kept[1] - num_kept[0]
    assert effect.num_moved == np.count_nonzero(
        (lines.reasons > lines.code(name)) & (after.reasons == lines.code(name))
    )


def test_saving_changes_one_threshold_and_no_other_line(tmp_path: Path) -> None:
    from builders import InputError
    from builders.pages.recipe_file import save_thresholds

    recipe = tmp_path / "mine.toml"
    text = (
        '# mine\ntitle = "Mine"\n[filters.length_ratio]\nmax = 2.2\n# why\n[filters.low_margin]\nmin = { el = 1.05 }\n'
    )
    recipe.write_text(text)
    save_thresholds(recipe, "length_ratio", "el", {"max": 1.9}, ["ar", "el"])
    save_thresholds(recipe, "low_margin", "zh", {"min": 1.02}, ["ar", "el"])
    changed = text.replace("max = 2.2", "max = { ar = 2.2, el = 1.9 }").replace("1.05 }", "1.05, zh = 1.02 }")
    assert recipe.read_text() == changed
    recipe.write_text("filters = { length_ratio = { max = 2.2 } }\n")
    with pytest.raises(InputError, match="Copy the lines"):
        save_thresholds(recipe, "length_ratio", "el", {"max": 1.9}, ["el"])
    assert recipe.read_text() == "filters = { length_ratio = { max = 2.2 } }\n"
