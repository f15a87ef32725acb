"""What tells wrong translations from right ones: contrasts of measures, parts left out, and the clauses of a source."""

import pytest


def test_contrast_tells_kinds_apart_though_some_of_the_usual_ones_are_others() -> None:
    import numpy as np

    from builders.alignment.contrast import fit_contrast

    source = np.random.default_rng(1)
    right, wrong, hidden = (source.normal(mean, 1, (size, 3)) for mean, size in ((0, 900), (2, 1_000), (2, 100)))
    odds = fit_contrast(np.concatenate([right, hidden]), wrong).log_odds
    assert np.mean(odds(hidden) > 0) > 0.9
    assert np.mean(odds(right) > 0) < 0.1
    assert np.max(odds(hidden)) > 3  # though a tenth of the usual ones look like others


def test_kinds_that_are_equal_or_differ_everywhere_have_a_contrast() -> None:
    import numpy as np

    from builders.alignment.contrast import fit_contrast

    zeros, ones = np.zeros((60, 2)), np.ones((60, 2))
    assert np.all(np.abs(fit_contrast(zeros, zeros).log_odds(zeros)) < 1)
    assert np.all(fit_contrast(zeros, ones).log_odds(ones) > 3)


@pytest.mark.parametrize("by_clause", [False, True])
def test_parts_are_left_out_of_translations(by_clause: bool) -> None:
    from builders.alignment.cuts import leave_out_part

    for text in (
        "Ήρθε το πρωί, έφαγε κάτι, και έφυγε το βράδυ για την πόλη.",
        "他早上来了，吃了点东西，晚上就进城去了。",
    ):
        assert 0.2 * len(text) < len(leave_out_part(text, by_clause)) < 0.9 * len(text)
    assert leave_out_part("", by_clause) == leave_out_part("Α", by_clause) == ""


def test_sources_have_the_same_tokens_clause_by_clause() -> None:
    import pyarrow as pa

    from builders.alignment import tokenize
    from builders.alignment.measures import read_texts

    sources = ["He came (at 8:30), ate 1,500 beans; and left.", "", "...", "No marks", "a, b"]
    texts = read_texts(sources, ["Ήρθε."] * len(sources), "el")
    whole = tokenize(pa.array(sources), "en")
    assert texts.en.tokens.tolist() == whole.values.to_pylist()
    assert texts.en.ends.tolist() == whole.offsets.to_pylist()
    clauses = [False] * len(texts.en.tokens)
    for first in (0, 2, 5, 9, 11, 13, 14):
        clauses[first] = True
    assert texts.starts_clause.tolist() == clauses
