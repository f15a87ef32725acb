"""Another name in a translation in Latin script is noticed; names in other spellings, and translated ones, are not."""

from typing import Any

import pytest

NAMES = [
    *("Anderson", "Bergström", "Callahan", "Davidson", "Edwards", "Fitzgerald", "Gallagher", "Harrison", "Ingram"),
    *("Jefferson", "Kennedy", "Livingston", "Mitchell", "Nicholson", "Patterson", "Robertson", "Sanderson", "Thompson"),
    *("Underwood", "Wellington", "Atkinson", "Bradford", "Crawford", "Donaldson", "Ellison", "Ferguson", "Griffin"),
    *("Hamilton", "Jackson", "Kingston", "Lawrence", "Morrison", "Newton", "Peterson", "Richardson", "Simpson"),
    *("Stevenson", "Watson", "Williamson", "Armstrong", "Benson", "Carlson", "Dawson", "Emerson", "Franklin"),
    *("Goodwin", "Henderson", "Johnson", "Lindsay", "Madison", "Norton", "Preston", "Robinson", "Sheldon", "Hudson"),
]
PLACES = {"Germany": "Almanya", "Greece": "Yunanistan", "Egypt": "Mısır", "Sweden": "İsveç"}
SENTENCES = [
    ("Yesterday {} went to the market in {} and bought bread.", "{} dün {} pazarına gidip ekmek aldı."),
    (
        "The letters that {} wrote from {} are kept in a museum.",
        "{}'ın {} ülkesinden yazdığı mektuplar müzede saklanıyor.",
    ),
    ("Nobody knew that {} had lived in {} for ten years.", "{}'ın {} içinde on yıl yaşadığını kimse bilmiyordu."),
]


@pytest.fixture(scope="module")
def measure() -> Any:
    """Return what measures a translation into Turkish by a run that keeps names of people."""
    import numpy as np

    from builders.alignment import TaughtWords, link_table
    from builders.translation.name_swaps import make_name_judge

    none = np.zeros(0, np.uint32)
    words = TaughtWords(link_table(none, none, np.zeros(0, np.float32)), none, none, none, none)
    rows = [(SENTENCES[n % 3], name, list(PLACES)[n % 4]) for n, name in enumerate(NAMES)]
    sources, translations = (
        [own[0].format(n, p) for own, n, p in rows],
        [own[1].format(n, PLACES[p]) for own, n, p in rows],
    )
    judge = make_name_judge(words, sources, translations, "tr")
    assert judge
    assert make_name_judge(words, sources, translations, "el") is None
    assert make_name_judge(words, sources[:20], translations[:20], "tr") is None
    return lambda source, translation: judge.measure([source], [translation])[0]


def test_another_name_is_noticed(measure: Any) -> None:
    source = "Yesterday Callahan went to the market in Greece and bought bread."
    assert measure(source, "Callahan dün Yunanistan pazarına gidip ekmek aldı.") < 0
    assert measure(source, "Robertson dün Yunanistan pazarına gidip ekmek aldı.") > 1
    assert measure(source, "Henson dün Yunanistan pazarına gidip ekmek aldı.") > 1  # a name that the run does not have


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("Nobody knew that Bergström had lived here.", "Kimse Bergstrom'un burada yaşadığını bilmiyordu."),
        ("Nobody knew that Hudson had lived in Moscow.", "Không ai biết Hudson đã sống ở Mát-xcơ-va."),
        ("The Chinese market is in Germany.", "Çin pazarı Almanya'da."),
        ("Nobody knew that Jefferson had lived here.", "Kimse onun burada yaşadığını bilmiyordu."),
        ("Nobody knew that he had lived here.", "Kimse Jefferson'ın burada yaşadığını bilmiyordu."),
        ("", ""),
    ],
)
def test_other_spellings_and_translated_names_are_no_other_names(measure: Any, source: str, translation: str) -> None:
    assert measure(source, translation) < 1
