"""How --translator names a back end, and a back end of a user's own from a --with folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from builders.translation import Translation, Translator, TranslatorOptions, resolve_translator
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions
from tests.builders.translation.translating import translate_texts

DICTIONARY = '''
from builders.translation import Translation, Translator

class Dictionary(Translator):
    """Translates word by word; unknown words are flagged."""

    name = "my dictionary"
    fingerprint = "1"
    licence = "cc0-1.0"
    languages = ("el",)
    max_tokens = 6

    def __init__(self, model, options):
        self.words = {"red": "κόκκινο", "blue": "μπλε", "is": "είναι", "and": "και"}

    def translate(self, texts, lang):
        return [self._one(text) for text in texts]

    def _one(self, text):
        words = text.split()
        if len(words) > self.max_tokens:
            return Translation("", ("source_too_long",))
        known = [self.words.get(word.lower().strip(".,"), word) for word in words]
        return Translation(" ".join(known), ("unknown_word",) if "mauve" in known else ())
'''
ROWS = '[dictionary]\nkind = "mine:Dictionary"\ndescription = "Word by word."\n'
CHECK = '[unknown_word]\nflag = true\ndescription = "The dictionary lacks a word."\n'


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A folder with a back end, in use."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mine.py").write_text(DICTIONARY, encoding="utf-8")
    (folder / "translators.toml").write_text(ROWS, encoding="utf-8")
    (folder / "quality_checks.toml").write_text(CHECK, encoding="utf-8")
    with use_extensions(Extensions((folder,), (folder,))):
        yield folder


@pytest.mark.parametrize("name", ["mine:Dictionary", "dictionary"])
def test_class_of_a_with_folder_translates_with_checks_placeholders_and_memory(
    own: Path, tmp_path: Path, name: str
) -> None:
    translator = resolve_translator(name)
    texts = {
        "a": "red and {blue}",
        "b": "red is mauve",
        "c": "blue is blue and red is red, and red is blue and red",
    }
    outcomes = translate_texts(texts, translator, tmp_path / "memory")
    assert outcomes["a"] == ("κόκκινο και {blue}", "first_pass", "")
    assert outcomes["b"].failed_check == "unknown_word"
    assert outcomes["c"].method == "split_at_clauses"
    table = pl.read_parquet(tmp_path / "memory" / translator.fingerprint[:16] / "el" / "memory.parquet")
    assert set(table["model"]) == {translator.fingerprint}
    assert translator.models() == [{"name": "my dictionary", "sha256": translator.fingerprint, "licence": "cc0-1.0"}]


def test_changed_code_changes_the_fingerprint(own: Path) -> None:
    before = resolve_translator("dictionary").fingerprint
    assert resolve_translator("dictionary").fingerprint == before
    (own / "mine.py").write_text(DICTIONARY.replace("μπλε", "γαλάζιο"), encoding="utf-8")
    assert resolve_translator("dictionary").fingerprint != before


def test_own_back_end_translates_by_the_command(own: Path, alpaca: Callable[..., Path], tmp_path: Path) -> None:
    from tests.builders.translation.running import run

    path = alpaca(("red and blue", "", "blue and red"))
    done = run(tmp_path, str(path), "--langs", "el", "--translator", "dictionary")
    assert done.exit_code == 0, done.exception
    (row,) = pl.read_parquet(tmp_path / "out" / "small.el.parquet").to_dicts()
    assert (row["instruction"], row["output"]) == ("κόκκινο και μπλε", "μπλε και κόκκινο")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nllb", "There is no translator 'nllb'. Name a folder with a model"),
        ("theirs:Dictionary", "theirs.py"),
        ("mine:Dictionry", "has no function 'Dictionry'"),
        ("nobody.parquet", "There is no translation memory nobody.parquet"),
    ],
)
def test_wrong_names_are_errors(own: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_translator(name)


def test_unknown_kind_in_a_row_is_an_error_with_the_nearest(own: Path) -> None:
    (own / "translators.toml").write_text(ROWS.replace("mine:Dictionary", "ctranslate"), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"table \[dictionary\]: Unknown kind of translator .* Did you mean ctranslate2"
    ):
        resolve_translator("dictionary")


def test_language_that_the_translator_lacks_is_an_error_before_anything_is_translated(
    own: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    from tests.builders.translation.running import refused

    path = alpaca(("red and blue", "", "blue and red"))
    error = refused(tmp_path, str(path), "--langs", "hi", "--translator", "dictionary")
    assert "The translator my dictionary does not have Hindi (hi); it has el." in error


def test_class_without_a_licence_is_an_error(own: Path) -> None:
    (own / "mine.py").write_text(DICTIONARY.replace('licence = "cc0-1.0"', ""), encoding="utf-8")
    with pytest.raises(InputError, match="Dictionary of mine:Dictionary lacks 'licence'"):
        resolve_translator("dictionary")


def test_wrong_number_of_translations_is_an_error(own: Path) -> None:
    code = DICTIONARY.replace("for text in texts]", "for text in texts[1:]]")
    (own / "mine.py").write_text(code, encoding="utf-8")
    with pytest.raises(InputError, match="returned 1 translations of 2 segments"):
        resolve_translator("dictionary").translate(["red", "blue"], "el")


def test_translator_with_defaults_alone() -> None:
    class Shout(Translator):
        name, fingerprint, licence, languages = "shout", "0", "cc0-1.0", ("el",)

        def translate(self, texts: list[str], lang: str) -> list[Translation]:  # type: ignore[override]
            return [Translation(text.upper()) for text in texts]

    translator = Shout()
    assert translator.is_available
    assert translator.fallback() is None
    assert translator.files() == []
    assert translator.describe() == {"name": "shout", "sha256": "0", "licence": "cc0-1.0", "decoding": ""}


def test_none_is_not_available() -> None:
    translator = resolve_translator("none", TranslatorOptions())
    assert not translator.is_available
    assert translator.translate(["Hello."], "el") == [("", ("untranslated",))]
