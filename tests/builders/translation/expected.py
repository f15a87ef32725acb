"""What the tiny model makes of a text, without its libraries."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SCRIPTS = {
    "eng_Latn": LETTERS,
    "ell_Grek": "ΑΒΚΔΕΦΓΗΙΞΨΛΜΝΟΠΧΡΣΤΥΩΏΎΖΉ" + "αβκδεφγηιξψλμνοπχρστυωώύζή",
    "arb_Arab": "ﺍﺏﺝﺩﻭﻑﻍﻩﻱﺙﻙﻝﻡﻥﺓﻕﺀﺭﺱﺕﻉﺡﺵﺹﻯﺯ" + "ابجدوفغهيثكلمنةقءرستعحشصىز",
}


def expected(text: str, flores: str) -> str:
    """Return the translation of a text whose characters the model knows: letter by letter into another script."""
    return text.translate(str.maketrans(LETTERS, SCRIPTS[flores]))
