"""How a text is set, in capitals, as a title, with signs for spaces or spaces between letters: none is a language."""

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from corpora.language_id.fasttext_model import identify_languages

CASE_VERSION: Final = 2  # of what is identified again, in the keys of tables
DOTTED_I = str.maketrans({"I": "ı", "İ": "i"})  # of the languages below in lower case
DOTTED_LANGS = frozenset(("tr", "az", "crh", "tt"))
WORD_SIGN = "\u1361"  # between words of Ethiopic, in place of a space
SPACED = re.compile(r"(?<!\w)(?:\w[ \u00a0.·-]){3,}\w(?!\w)")  # at least four letters, each by itself
MIN_WORDS = 3  # of which most begin with a capital letter, so that a text is a title
MIN_SHARE = 0.6  # of letters or words in capitals
MIN_TITLE_SHARE = 0.45  # of capitals for each space-separated part of a title, numbers included


def set_plainly(text: str, lang: str) -> str:
    """Return a text in capitals, in title case or with spaced letters as it is written in a sentence; else the same.

    The Ethiopic sign between words becomes a space, since the model has learned words.
    """
    text = text.replace(WORD_SIGN, " ")
    if text[1:].islower() and 4 * text.count(" ") < len(text):  # as nearly all texts are
        return text
    if SPACED.search(text):
        text = SPACED.sub(lambda letters: re.sub(r"[ \u00a0.·-]", "", letters[0]), text)
    num_words = text.count(" ") + 1
    upper = sum(map(str.isupper, text))
    if upper < MIN_SHARE * min(num_words, MIN_WORDS):
        return text
    is_title = num_words >= MIN_WORDS and upper >= MIN_TITLE_SHARE * num_words and _is_title(text)
    if is_title or upper >= MIN_SHARE * (upper + sum(map(str.islower, text))):
        return (text.translate(DOTTED_I) if lang in DOTTED_LANGS else text).lower()
    return text


def _is_title(text: str) -> bool:
    words = [word for word in text.split() if word[0].isalpha()]
    return len(words) >= MIN_WORDS and sum(word[0].isupper() for word in words) >= MIN_SHARE * len(words)


def identify_set_plainly(
    texts: Sequence[str], labels: list[str], probabilities: list[float], lang: str, own: Sequence[str]
) -> None:
    """Replace labels that are not of the language, where the text set plainly has another one.

    Args:
        texts: The texts.
        labels: Their labels.
        probabilities: Those of the labels.
        lang: The language that is expected.
        own: The labels that count as this language.
    """
    indexes = [index for index, label in enumerate(labels) if label not in own]
    plain = {index: set_plainly(texts[index], lang) for index in indexes}
    changed = [index for index in indexes if plain[index] != texts[index]]
    for index, label, probability in zip(changed, *identify_languages([plain[i] for i in changed]), strict=True):
        labels[index], probabilities[index] = label, probability


def identify_column_plainly(
    texts: pa.Array, labels: pa.Array, probabilities: pa.Array, lang: str, own: Sequence[str]
) -> tuple[pa.Array, pa.Array]:
    """Return labels and probabilities of a column, those of other languages identified again as above."""
    import pyarrow.compute as pc

    is_other = pc.fill_null(pc.invert(pc.is_in(labels, pa.array(list(own), pa.string()))), False)
    is_other = pc.and_(pc.and_(is_other, labels.is_valid()), pc.fill_null(_may_be_set(texts, is_other), False))
    if not pc.any(is_other, min_count=0).as_py():
        return labels, probabilities
    other_labels, other_probabilities = (column.filter(is_other).to_pylist() for column in (labels, probabilities))
    identify_set_plainly(texts.filter(is_other).to_pylist(), other_labels, other_probabilities, lang, own)
    return (
        pc.replace_with_mask(labels, is_other, pa.array(other_labels, pa.string())),
        pc.replace_with_mask(probabilities, is_other, pa.array(other_probabilities, pa.float64())),
    )


def _may_be_set(texts: pa.Array, is_other: pa.Array) -> pa.Array:
    """Return for the texts that `is_other` marks whether `set_plainly` may change them, and True for the others."""
    import pyarrow.compute as pc

    own = texts.filter(is_other)
    num_spaces, num_chars = pc.count_substring(own, " "), pc.utf8_length(own)
    upper = pc.multiply(pc.count_substring_regex(own, r"\p{Lu}"), 1.0)
    is_spaced = pc.greater_equal(pc.multiply(num_spaces, 4), num_chars)
    is_title = pc.greater_equal(upper, pc.multiply(pc.add(num_spaces, 1), MIN_TITLE_SHARE))
    may_be = pc.or_(pc.or_(is_spaced, is_title), pc.match_substring(own, WORD_SIGN))
    return pc.replace_with_mask(pc.fill_null(is_other, True), is_other, may_be)
