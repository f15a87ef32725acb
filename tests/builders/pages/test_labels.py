"""Labels: their file, the intervals they give, and the check of a build against them."""

import math
import threading
from dataclasses import replace
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def label(line: int, label: str = "right", annotator: str = "ann", decision: str = "kept", slice: str = "kept"):
    from builders.labels import Label

    return Label("el", "sample-wikimatrix", line, annotator, label, decision, "0" * 16, slice, "", "2026-01-01")


def test_labels_of_two_annotators_at_once_are_all_kept(tmp_path: Path) -> None:
    from builders.labels import add_label, read_labels

    path = tmp_path / "labels.csv"

    def add(annotator: str) -> None:
        for line in range(15):
            add_label(path, label(line, annotator=annotator))

    threads = [threading.Thread(target=add, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_labels(path)) == 30
    assert path.read_text().count("\n") == 31


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n", "line 1: the columns are a,b"),
        ("HEADER\nel,c,x,ann,right,kept,0,kept,,d\n", "line 2: line_number is 'x'"),
        ("HEADER\nel,c,1,ann,good,kept,0,kept,,d\n", "line 2: the label is 'good'"),
        ("HEADER\nel,c\n", "line 2: 2 columns"),
        ("HEADER\n" + 2 * "el,c,1,ann,right,kept,0,kept,,d\n", "line 3: ann has labelled this pair in line 2 too"),
        ('HEADER\nel,"c\n', "line 2: "),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    from builders import InputError
    from builders.labels import read_labels
    from builders.labels.labels_file import COLUMNS

    path = tmp_path / "labels.csv"
    path.write_text(text.replace("HEADER", ",".join(COLUMNS)))
    with pytest.raises(InputError, match=r"labels\.csv, ") as error:
        read_labels(path)
    assert sentence in str(error.value)


def test_exact_intervals_are_those_of_scipy_for_many_lines() -> None:
    from scipy.stats import binomtest

    from builders.labels import exact_interval

    for wrong, num in ((0, 20), (1, 20), (10, 20), (20, 20), (3, 150)):
        expected = binomtest(wrong, num).proportion_ci(method="exact")
        interval = exact_interval(wrong, num, 10_000_000)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=2e-5)
    assert exact_interval(3, 10, 10) == type(interval)(0.3, 0.3, 0.3)
    assert math.isnan(exact_interval(0, 0, 10).value)


def test_kappa_is_that_of_scikit_learn() -> None:
    import random

    metrics = pytest.importorskip("sklearn.metrics")
    from builders.labels import measure_agreement

    random.seed(1)
    first = [random.choice(["right", "wrong", "unsure"]) for _ in range(80)]
    second = [one if random.random() < 0.6 else "right" for one in first]
    rows = [label(n, one, "ann") for n, one in enumerate(first)] + [label(n, o, "bob") for n, o in enumerate(second)]
    (agreement,) = measure_agreement(rows)
    assert agreement.kappa.value == pytest.approx(metrics.cohen_kappa_score(first, second))
    assert agreement.kappa.low < agreement.kappa.value < agreement.kappa.high


def test_intervals_cover_the_truth_in_nine_of_ten_labellings() -> None:
    import numpy as np

    from builders.labels.estimates import combine
    from builders.labels.intervals import Cell

    rng = np.random.default_rng(7)
    covered, num = np.zeros(3), 60
    for _ in range(num):
        sizes = {
            "kept": int(rng.integers(2_000, 50_000)),
            "a": int(rng.integers(50, 5_000)),
            "b": int(rng.integers(5, 500)),
        }
        wrong = {
            name: int(rng.binomial(size, rng.beta(0.5, 6) if name == "kept" else rng.beta(3, 1)))
            for name, size in sizes.items()
        }
        cells = {}
        for name, size in sizes.items():
            n = min(size, 40)
            cells[name] = [Cell(size, n, int(rng.hypergeometric(wrong[name], size - wrong[name], n)))]
        estimates = combine(cells)
        rows = {row.decision: row for row in estimates.strata}
        total = sum(wrong.values())
        for n, (interval, truth) in enumerate(
            (
                (rows["a"].share_wrong, wrong["a"] / sizes["a"]),
                (rows["a"].recall, wrong["a"] / total),
                (estimates.recall, (total - wrong["kept"]) / total),
            )
        ):
            covered[n] += interval.low - 1e-9 <= truth <= interval.high + 1e-9
    assert (covered >= 0.9 * num).all(), covered


def test_check_finds_lines_that_a_recipe_decides_otherwise(built_sample: Path, tmp_path: Path) -> None:
    from builders.labels import add_label, check_labels, check_text, draw_lines, pair_digest, read_labels, slice_of
    from builders.lines import open_build, open_lines, read_lines_at

    lines, path = open_lines(open_build(built_sample / "work"), "el"), tmp_path / "labels.csv"
    rows = read_lines_at(lines, draw_lines(lines, slice_of(lines, "kept"), 4))
    rows += read_lines_at(lines, draw_lines(lines, slice_of(lines, "wrong_script"), 2))
    for n, line in enumerate(rows):
        own = label(
            line.line_number, "wrong" if n in (3, 5) else "right", decision="low_margin" if n < 1 else line.reason
        )
        if n == 3:
            own = replace(own, decision="wrong_script")
        add_label(path, replace(own, pair=pair_digest(line.en, line.xx) if n != 2 else "f" * 16))
    result = check_labels(labels=path, work=built_sample / "work")
    assert [row.label.line_number for row in result.better] == [rows[0].line_number]
    assert [row.label.line_number for row in result.worse] == [rows[3].line_number]
    assert [row.label.line_number for row in result.stale] == [rows[2].line_number]
    assert "1 worse, 1 better, 1 without their line" in check_text(result)
    check_labels(labels=path, work=built_sample / "work", update=True)
    assert not check_labels(labels=path, work=built_sample / "work").worse
    assert len(read_labels(path)) == 6


def test_labels_of_a_slice_count_in_their_cell_alone(built_sample: Path) -> None:
    from builders.labels import Slice, estimate, lines_in, slice_of
    from builders.lines import line_id, open_build, open_lines

    lines = open_lines(open_build(built_sample / "work"), "el")
    edge = Slice("kept", "length_ratio", 1.2, 2.6)
    own = lines_in(lines, edge)
    assert 0 < len(own) < len(lines_in(lines, slice_of(lines, "kept")))
    labels = [label(line_id(lines, int(index))[1], "wrong", slice=edge.text) for index in own]
    kept = next(row for row in estimate(lines, labels).strata if row.decision == "kept")
    assert kept.num_wrong == len(own)
    assert kept.share_wrong.low <= len(own) / kept.num_lines <= kept.share_wrong.high
    assert kept.share_wrong.high > 0.9  # nothing is known of the others
