"""Corpora whose sides are swapped, or whose lines are shifted, are said with what to do; others are left alone."""

import random
from collections.abc import Callable, Sequence

import polars as pl
import pytest

from builders.pipeline.line_order import find_shift, swapped_share

RANDOM = random.Random(5)
PAIRS = [(length, max(1, round(length * RANDOM.gauss(1.2, 0.15)))) for length in RANDOM.choices(range(15, 250), k=3000)]
SHUFFLED = RANDOM.sample([xx for _, xx in PAIRS], len(PAIRS))


def shift(pairs: Sequence[tuple[int, int]], by: int, begin: int = 0) -> list[tuple[int, int]]:
    """Move the translations from a line on, as a missing line does (by < 0), or one too many."""
    en, xx = [own for own, _ in pairs], [other for _, other in pairs]
    moved = [*xx[:begin], *([30] * max(0, by)), *xx[begin + max(0, -by) :]]
    return list(zip(en, [*moved, *([30] * max(0, -by))], strict=False))


SHIFTED = [
    (shift(PAIRS[:30], 1), 1, 1),
    (shift(PAIRS[:60], -1), -1, 1),
    (shift(PAIRS[:300], 2), 2, 1),
    (shift(PAIRS, 1), 1, 1),
    (shift(PAIRS, -1, 1000), -1, 1001),
    (shift(PAIRS, -2, 1999), -2, 2001),
]
IN_ORDER = {
    "aligned": PAIRS,
    "aligned, few": PAIRS[:12],
    "a line missing at the end": shift(PAIRS, -1, 2990),
    "at random": [(en, xx) for (en, _), xx in zip(PAIRS, SHUFFLED, strict=True)],
    "sorted by length": sorted(PAIRS),
    "all as long": [(40, 50)] * 100,
    "a line": PAIRS[:1],
    "no line": [],
}


@pytest.fixture
def find(tmp_path) -> Callable[..., object]:
    def find(pairs: Sequence[tuple[int, int]]) -> object:
        rows = [(number, *lengths) for number, lengths in enumerate(pairs, 1)]
        schema = {"line_number": pl.Int64, "en_length": pl.Int64, "xx_length": pl.Int64}
        pl.DataFrame(rows, schema, orient="row").write_parquet(tmp_path / "measured.parquet")
        return find_shift([tmp_path / "measured.parquet"])

    return find


@pytest.mark.parametrize(("pairs", "by", "line"), SHIFTED)
def test_shifted_lines_are_found_with_the_line_where_they_begin(find, pairs, by, line):
    found = find(pairs)
    assert (found.num_off, abs(found.first_line - line) <= 200) == (by, True)


@pytest.mark.parametrize("pairs", IN_ORDER.values(), ids=IN_ORDER)
def test_lines_in_order_or_without_any_are_left_alone(find, pairs):
    assert find(pairs) is None


LABELS = {
    "swapped": ([("el", "en")] * 3, 1.0),
    "swapped in a part": ([("el", "en"), ("en", "el"), ("en", "el")], 1 / 3),
    "right": ([("en", "el")] * 3, 0.0),
    "English on both sides": ([("en", "en")] * 3, 0.0),
    "Greek on both sides": ([("el", "el")] * 3, 0.0),
    "another language": ([("de", "en")] * 3, 0.0),
    "not identified": ([(None, None), ("el", None)], 0.0),
    "no line": ([], 0.0),
}


@pytest.mark.parametrize(("labels", "share"), LABELS.values(), ids=LABELS)
def test_share_of_swapped_lines_counts_sides_in_each_others_language(tmp_path, labels, share):
    schema = {"en_label": pl.String, "xx_label": pl.String}
    pl.DataFrame(labels, schema, orient="row").write_parquet(tmp_path / "decisions.parquet")
    assert swapped_share([tmp_path / "decisions.parquet"], "el") == pytest.approx(share)


NAMES = [(12, "theatre"), (20, "library"), (31, "station"), (45, "hospital"), (57, "museum"), (63, "market")]
GREEK = "Το {} άνοιξε ξανά ύστερα από {} χρόνια στην παλιά πόλη του λιμανιού."


@pytest.mark.slow
def test_build_warns_of_swapped_and_shifted_files_with_the_remedy(build_small, caplog):
    english = [f"The {name} was opened again after {number} years in the old harbour town." for number, name in NAMES]
    greek = [
        f"Το {name} άνοιξε ξανά ύστερα από {number} χρόνια στην παλιά πόλη του λιμανιού." for number, name in NAMES
    ]
    swapped = [(1.2, xx, en) for en, xx in zip(english, greek, strict=True)]
    en, xx = (["word " * (length // 5) for length in side] for side in zip(*shift(PAIRS[:100], 1), strict=True))
    shifted = [(1.2, *pair) for pair in zip(en, xx, strict=True)]
    build_small({"turned": {"el": swapped}, "moved": {"el": shifted}})
    assert "turned looks swapped in el: in 100% of its lines the English side is Greek" in caplog.text
    assert (
        "moved looks shifted in el: from about line 1 on, in 100 lines, each translation stands 1 line" in caplog.text
    )
