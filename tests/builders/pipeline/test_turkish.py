"""Turkish of Windows-1254 that was read as Latin-1 is counted under bad_encoding; names with its letters are not."""

import pytest

pytestmark = pytest.mark.slow
RIGHT = [
    "Þehir meydanında İzlandalı Þór ile buluştuk.",
    "Vratislav Nový ile Prag'da görüştük; çok ışıklıydı.",
    "Bugün şehirde güzel bir gün geçirdik.",
    "Sigurðsson maçta iki gol attı ve sevindi.",
    "Kitabı masanın üstüne koydum ve gittim.",
]


def test_turkish_read_as_latin_1_is_counted_and_names_are_left_alone(judge):
    wrong = [text.encode("cp1254", "replace").decode("latin-1") for text in TEXTS]
    english = [f"We met in the square of the town on day number {n} of the year." for n in range(10)]
    lines = [(1.2, en, xx) for en, xx in zip(english, [*wrong, *RIGHT], strict=True)]
    reasons = [row["reject_reason"] for row in judge(lines, "tr")]
    assert reasons[:5] == ["bad_encoding"] * 5
    assert "bad_encoding" not in reasons[5:]


TEXTS = [
    "Bugün şehirde güzel bir gün geçirdik.",
    "İstanbul'da yağmur yağıyor ve rüzgâr esiyor.",
    "Kitabı masanın üstüne koydum ve gittim.",
    "Çocuklar bahçede şarkı söyleyip oynuyordu.",
    "ÖĞRENCİLER OKULA GİDERKEN ŞEMSİYE ALDI.",
]
