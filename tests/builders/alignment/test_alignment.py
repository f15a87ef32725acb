"""Word alignment: tokens, links, and pairs judged by what another half has taught."""

import numpy as np
import pytest

from tests.builders.alignment.toy_language import ENGLISH, GREEK, toy_pairs

NUM_PAIRS = 2_400


@pytest.fixture(scope="module")
def halves():
    """Return the sides of two halves of a corpus with wrong pairs, and which pairs of each are wrong."""
    pairs, is_wrong = toy_pairs(NUM_PAIRS, 0.3)
    middle = NUM_PAIRS // 2
    return [(sides(pairs[rows]), np.array(is_wrong[rows])) for rows in (slice(middle), slice(middle, None))]


def sides(pairs, lang="el"):
    import pyarrow as pa

    from builders.alignment import side_of, tokenize

    en, xx = zip(*pairs, strict=True)
    return side_of(tokenize(pa.array(en), "en")), side_of(tokenize(pa.array(xx), lang))


def judge(own, others):
    from builders.alignment import learn_links, link_table, make_judge

    links = learn_links(*others)
    return make_judge(link_table(links.en, links.xx, links.evidence), *own, *others)


def recall(own, others, is_wrong):
    """Return the share of wrong pairs that are aligned worse than all but one in a hundred of the good ones."""
    aligned = judge(own, others).align(*own, np.ones(len(is_wrong), np.bool_))
    return np.mean(aligned[is_wrong] < np.nanquantile(aligned[~is_wrong], 0.01))


@pytest.mark.slow
def test_pairs_are_not_judged_by_what_they_have_taught_themselves(halves):
    (own, is_wrong), (others, _) = halves
    assert recall(own, others, is_wrong) > 0.85
    assert recall(own, own, is_wrong) < 0.4  # rare words of a wrong pair explain each other


@pytest.mark.slow
def test_random_pairs_are_aligned_like_wrong_ones_and_tell_their_share(halves):
    from builders.alignment import WRONG_CHANCE, random_pairs, wrong_share

    (own, is_wrong), (others, _) = halves
    judging = judge(own, others)
    aligned = judging.align(*own, np.ones(len(is_wrong), np.bool_))
    random = random_pairs(*judging.align_random(*own, np.arange(len(is_wrong))))
    chance = random.chances(aligned, np.diff(own[0].ends))
    assert np.mean(chance[is_wrong] > 0.05) > 0.9
    assert np.mean(chance[~is_wrong] > 0.05) < 0.05
    _, low, high = wrong_share(len(chance), int(np.sum(chance > WRONG_CHANCE)))
    assert low < np.mean(is_wrong) < high


@pytest.mark.slow
def test_alignment_of_a_pair_is_the_same_whichever_pairs_are_around_it(halves):
    from builders.alignment import make_side

    (own, is_wrong), (others, _) = halves
    judging, is_counted = judge(own, others), np.ones(len(is_wrong), np.bool_)
    whole = judging.align(*own, is_counted)
    start = 700
    rest = [make_side(side.tokens[side.ends[start] :], side.ends[start:] - side.ends[start]) for side in own]
    assert np.array_equal(judging.align(*rest, is_counted[start:]), whole[start:], equal_nan=True)


@pytest.mark.slow
def test_names_that_no_other_pair_has_do_not_spare_a_pair_whose_other_side_is_known(halves):
    own, others = (pairs for pairs, _ in halves)
    known = " ".join(GREEK[:9])
    aligned = judge(own, others).align(*sides([("Xyxyx Wqwqw", known), ("Xyxyx", "Ψψψψ")]), np.zeros(2, np.bool_))
    assert aligned[0] < -2
    assert np.isnan(aligned[1])


@pytest.mark.slow
def test_a_side_that_says_much_more_than_the_other_counts_against_a_pair(halves):
    own, others = (pairs for pairs, _ in halves)
    en, xx = " ".join(ENGLISH[:8]), " ".join(GREEK[:8])
    names = " ".join(f"Xyx{n}" for n in range(30))
    pairs = sides([(en, xx), (f"{en} {names}", xx), (en, f"{xx} {names}")])
    whole, *longer = judge(own, others).align(*pairs, np.zeros(3, np.bool_))
    assert max(longer) < whole - 1


def test_chance_is_the_share_of_random_pairs_aligned_as_well():
    from builders.alignment import chances

    random = np.array([-4.0, -3.0, -2.0, -1.0])
    assert chances(np.array([-5.0, -4.0, -2.5, -1.0, 0.0]), random).tolist() == [1.0, 1.0, 0.5, 0.25, 0.0]


def test_a_minority_of_other_lengths_is_judged_by_its_like_too():
    from builders.alignment import random_pairs

    aligned = np.append(np.linspace(-3, -1, 900), np.linspace(-5, -3, 300))  # long random pairs are aligned worse
    random = random_pairs(aligned, np.repeat([5, 20], [900, 300]))
    short, long = random.chances(np.array([-2.9, -2.9]), np.array([5, 30]))
    assert short == pytest.approx((855 / 900 + 855 / 1200) / 2)
    assert long == pytest.approx((0 + 855 / 1200) / 2)


@pytest.mark.parametrize("num_pairs", [0, 1, 3, 1_000])
def test_chances_are_the_same_in_whatever_order_random_pairs_are(num_pairs):
    from builders.alignment import random_pairs

    source = np.random.default_rng(1)
    aligned, length = source.normal(size=num_pairs), source.integers(1, 9, num_pairs)
    order, asked = source.permutation(num_pairs), (source.normal(size=50), source.integers(0, 12, 50))
    moved = random_pairs(aligned[order], length[order])
    assert np.array_equal(random_pairs(aligned, length).chances(*asked), moved.chances(*asked))


@pytest.mark.parametrize(
    ("lengths", "ends"),
    [([4] * 100, []), ([4] * 96 + [9] * 4, []), ([3] * 50 + [4] * 30 + [9] * 20, [3, 4]), (range(100), [25, 50, 75])],
    ids=["one length", "hardly any long", "few lengths", "all lengths"],
)
def test_bands_have_enough_pairs_and_never_divide_those_of_a_length(lengths, ends):
    from builders.alignment import random_pairs

    bands = random_pairs(np.zeros(100), np.array(lengths)).by_length
    assert bands.ends.tolist() == ends
    below = [sum(length <= end for length in lengths) for end in ends]
    assert [len(band) for band in bands.bands] == np.diff([0, *below, 100]).tolist()


@pytest.mark.parametrize("text", ["", "  ", "!?", "\U0010ffff\ud7ff", "ـ"])
def test_text_without_words_has_no_tokens(text):
    import pyarrow as pa

    from builders.alignment import tokenize

    assert tokenize(pa.array([text, None]), "el").to_pylist() == [[], []]


@pytest.mark.parametrize(
    ("lang", "text", "same"),
    [
        ("en", "translated", "Translators"),
        ("en", "naïve café", "naive cafe"),
        ("el", "Θάλασσα", "θαλασσας"),
        ("ar", "والكتاب", "كتاب"),
        ("hi", "१९९०", "1990"),
        ("zh", "１９９０年", "1990年"),
        ("vi", "Nguyễn", "NGUYỄN"),
    ],
)
def test_words_that_are_written_alike_have_the_same_tokens(lang, text, same):
    import pyarrow as pa

    from builders.alignment import tokenize

    first, second = tokenize(pa.array([text, same]), lang).to_pylist()
    assert first == second
    assert first


def test_accents_that_tell_words_apart_are_kept():
    import pyarrow as pa

    from builders.alignment import tokenize

    first, second = tokenize(pa.array(["má", "ma"]), "vi").to_pylist()
    assert first != second


def test_languages_without_spaces_have_a_token_for_each_character_or_two():
    import pyarrow as pa

    from builders.alignment import tokenize

    assert [len(tokens) for tokens in tokenize(pa.array(["我爱你", "ひらがな", "ภาษาไทย"]), "zh").to_pylist()] == [
        3,
        4,
        6,
    ]


@pytest.mark.parametrize(
    "pairs",
    [[("same words here", "ίδια λόγια εδώ")] * 50, [("word", "λέξη")] * 50, [("", "")] * 3, [("equal", "equal")] * 50],
    ids=["one sentence repeated", "one word a line", "no words", "equal sides"],
)
@pytest.mark.slow
def test_odd_corpora_are_judged_or_not_but_never_an_error(pairs):
    own = sides(pairs)
    judging = judge(own, own)
    aligned = judging.align(*own, np.ones(len(pairs), np.bool_))
    assert np.all(np.isnan(aligned) | np.isfinite(aligned))
    aligned, _ = judging.align_random(*own, np.zeros(len(pairs), np.int64))
    assert len(aligned) == 0  # all are translations of one sentence
