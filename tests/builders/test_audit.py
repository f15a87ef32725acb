"""builders audit: the share of misaligned pairs of two text files, with its interval."""

import pytest

import builders
from corpora.errors import InputError
from tests.builders.alignment.toy_language import toy_pairs


@pytest.fixture
def write(tmp_path):
    def files(pairs):
        paths = tmp_path / "toy.en", tmp_path / "toy.el"
        for side, path in enumerate(paths):
            path.write_text("".join(f"{pair[side]}\n" for pair in pairs), encoding="utf-8")
        return paths

    return files


@pytest.mark.slow
def test_share_and_worst_pairs_of_a_bitext_with_known_noise(write):
    pairs, is_wrong = toy_pairs(3_000, 0.2)
    result = builders.audit(*write(pairs), lang="el", worst=20)
    assert result.share_low - 0.05 < 0.2 < result.share_high + 0.05
    assert (result.num_pairs, len(result.worst)) == (3_000, 20)
    assert all(is_wrong[row.line_number - 1] for row in result.worst)
    assert f"{result.share:.1%} of {result.num_judged:,} pairs are misaligned" in repr(result)
    assert result.to_dict()["worst"][0]["en"] == pairs[result.worst[0].line_number - 1][0]


def test_files_of_different_lengths_are_no_bitext(write, tmp_path):
    en, xx = write([("one", "ένα"), ("two", "δύο")])
    xx.write_text("ένα\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"has 2 lines and .* has 1"):
        builders.audit(en, xx, lang="el")


def test_too_few_lines_are_not_audited(write):
    with pytest.raises(InputError, match="needs at least 2,000"):
        builders.audit(*write([("one", "ένα")] * 50), lang="el")


def test_bytes_that_are_no_text_are_named(write):
    en, xx = write([("one", "ένα")])
    xx.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not valid UTF-8 at line 1"):
        builders.audit(en, xx, lang="el")


@pytest.mark.slow
def test_one_sentence_repeated_is_not_judged(write):
    result = builders.audit(*write([("same words here", "ίδια λόγια εδώ")] * 2_500), lang="el")
    assert (result.num_judged, result.share_high) == (0, 1.0)


@pytest.mark.slow
def test_sentences_that_are_nearly_alike_are_not_judged(write):
    pairs = [(f"Line {n} of these words and more words here", f"Γραμμή {n} με αυτά τα λόγια") for n in range(2_500)]
    result = builders.audit(*write(pairs), lang="el")
    assert result.num_judged == 0
    assert repr(result).startswith("None of 2,500 pairs is judged")
