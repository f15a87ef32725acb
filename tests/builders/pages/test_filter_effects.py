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

    from builders.lines import effect_of, open_build, open_lines
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
    assert effect.num_moved == np.count_nonzero(
        (lines.reasons > lines.code(name)) & (after.reasons == lines.code(name))
    )
