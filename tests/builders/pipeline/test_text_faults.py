"""Faults of texts that filters and deduplication decide on, each beside texts that look a little like them."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.options import BuildOptions
from builders.run import run_build
from corpora.extensions import extend

Reasons = Callable[..., list[str | None]]
CATALOG = """[mine]
title = "Mine"
kind = "bitext"
version = "1"
format = "laser-tsv"
url = "mine.{pair}.tsv.gz"
langs = ["de"]
licence = "cc0-1.0"
"""
RECIPE = """title = "Own"
summary = "Own."
configs = "language"
langs = ["de"]
bitext = ["mine"]
directions = ["en-xx"]
decontaminate_against = []
"""


@pytest.fixture
def reasons(tmp_path: Path) -> Reasons:
    """Return the reject reason of each pair of a German bitext."""
    (tmp_path / "with").mkdir()
    (tmp_path / "with" / "corpora.toml").write_text(CATALOG)
    (tmp_path / "own.toml").write_text(RECIPE)

    def run(pairs: list[tuple[str, str]]) -> list[str | None]:
        lines = "".join(f"1.1\t{xx}\t{en}\n" for en, xx in pairs)
        (tmp_path / "with" / "mine.de-en.tsv.gz").write_bytes(gzip.compress(lines.encode()))
        with extend([tmp_path / "with"]):
            options = BuildOptions((str(tmp_path / "own.toml"),), work=tmp_path / "work")
            built = run_build(options)[0]
            table = built.lines("de").sort("line_number").select("reject_reason").collect()
        found: list[str | None] = table["reject_reason"].to_list()
        return found

    return run


BOTH_SAY = [
    ("The country received {} visitors.", "Das Land nahm {} Besucher auf.", "1.5 million", "15 million"),
    ("It was {} degrees cold.", "Es war {} Grad kalt.", "-12", "12"),
    ("We teach {} to beginners.", "Wir lehren {} Anfänger.", "C++", "C#"),
    ("The match ended {} after an hour.", "Das Spiel endete {} nach einer Stunde.", "1:15", "11:5"),
    ("About {} people came to see it.", "Etwa {} Leute kamen, um es zu sehen.", "10-20", "1020"),
    ("The price rose by {} last year.", "Der Preis stieg letztes Jahr um {}.", "5 %", "5"),
    ("A ticket costs {} at the door.", "Eine Karte kostet {} an der Kasse.", "$5", "€5"),
]
SAME = [
    ("Are you coming to dinner tomorrow{}", "Kommst du morgen zum Abendessen{}", "?", " ?"),
    ("The town has {} inhabitants.", "Die Stadt hat {} Einwohner.", "12,000", "12000"),
    ("The war of {} was long.", "Der Krieg von {} war lang.", "1914–1918", "1914-1918"),
    ("The tax fell by {} this year.", "Die Steuer fiel dieses Jahr um {}.", "5 %", "5%"),
    ("{} is a small village in the mountains.", "{} ist ein kleines Dorf in den Bergen.", '"Kirchdorf"', "“Kirchdorf”"),
    ("The river is long{} and it is wide.", "Der Fluss ist lang{} und er ist breit.", "", ","),
]


def both(case: tuple[str, str, str, str]) -> list[tuple[str, str]]:
    en, xx, *texts = case
    return [(en.format(text), xx.format(text)) for text in texts]


@pytest.mark.slow
def test_pairs_that_say_something_else_are_no_duplicates(reasons):
    found = reasons([pair for case in (*BOTH_SAY, *SAME) for pair in both(case)])
    assert found == [None] * (2 * len(BOTH_SAY)) + [None, "duplicate_normalised"] * len(SAME)


@pytest.mark.slow
def test_ordinary_text_wins_over_one_in_capitals(reasons):
    en, xx = "The harbour is closed today.", "Der Hafen ist heute geschlossen."
    assert reasons([(en.upper(), xx.upper()), (en, xx)]) == ["duplicate_normalised", None]
    assert reasons([(en.upper(), xx), (en + "!", xx)]) == ["duplicate_normalised", None]


LOOPS = [
    "I do not know what to say. " * 6,
    "the same thing and " * 8,
    "He went home. And then, and then, and then, and then, and then, and then, and then, and then.",
    "ha" * 40,
    "It is a fish. It is a fish. It is a fish. It is a fish. It is a fish.",
]
ORDINARY = [
    "It is very, very, very good, and she is very happy about it.",
    "The University of Bonn, the University of Kiel, the University of Jena and the University of Ulm took part.",
    "Row, row, row your boat, gently down the stream.",
    "No, no, no, no! You are wrong, and you know it very well.",
    "Thank you very much. Thank you very much for all that you have done for us.",
    "Monday to Friday, Saturday to Sunday, morning to evening and day to day.",
]
GERMAN = "Das ist ein ganz gewöhnlicher Satz, der nichts Besonderes sagt und auch nicht sehr lang ist"


@pytest.mark.slow
def test_loops_are_rejected_and_a_little_repetition_is_not(reasons):
    found = reasons([(text.strip(), f"{GERMAN} {number * 'x'}.") for number, text in enumerate((*LOOPS, *ORDINARY))])
    assert found[: len(LOOPS)] == ["repeated_phrase"] * len(LOOPS)
    assert "repeated_phrase" not in found[len(LOOPS) :]


RIGHT = "Schöne Grüße aus Köln, wo es heute leider ziemlich stark regnet."
MOJIBAKE = [
    RIGHT.encode().decode("cp1252", "replace"),
    RIGHT.encode().decode("latin-1"),
    RIGHT.encode().decode("cp1250", "replace"),
    RIGHT.encode().decode("cp1254", "replace"),
    RIGHT.encode("latin-1").decode("utf-8", "replace"),
    "Привет всем, как у вас дела сегодня".encode().decode("cp1251", "replace"),
    "Καλημέρα σε όλους εδώ στην πόλη".encode().decode("cp1253", "replace"),
    "السلام عليكم جميعا في المدينة".encode().decode("cp1256", "replace"),
    "Tiếng Việt là ngôn ngữ của tôi".encode().decode("cp1252", "replace"),
    "你好，世界，今天天气很好。".encode().decode("gbk", "replace"),
    "A bullet \uf0b7 inside a sentence.",
]
NO_MOJIBAKE = [
    RIGHT,
    "Er sagte «Guten Tag» und zahlte 5 €; das war's.",
    "Elle dit : « Ça va très bien », à 25 °C près.",
    "ΤΟ ΚΟΜΜΑ ΤΗΣ ΕΛΛΑΔΑΣ·ΟΧΙ ΑΛΛΟ",
    "Температура 25 °С, § 5, Рівне і Січ",
    "VĂN HÓA và Ăn uống; BĂŞESCU",
]


@pytest.mark.slow
def test_mojibake_of_every_code_page_is_counted(reasons):
    found = reasons([(f"An ordinary English sentence number {n} for this line.", xx) for n, xx in enumerate(MOJIBAKE)])
    assert found == ["bad_encoding"] * len(MOJIBAKE)
    found = reasons([(f"An ordinary English sentence number {n} for a line.", xx) for n, xx in enumerate(NO_MOJIBAKE)])
    assert "bad_encoding" not in found
