"""Conversations of several turns: read, translated turn by turn, published as messages; and corpora in languages."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import builders
from corpora.errors import InputError

GREEK = {
    "Be kind.": "Να είσαι ευγενικός.",
    "Name a red fruit.": "Ονόμασε ένα κόκκινο φρούτο.",
    "An apple.": "Ένα μήλο.",
    "And a green one?": "Και ένα πράσινο;",
    "A pear.": "Ένα αχλάδι.",
    "Write a function.": "Γράψε μια συνάρτηση.",
}
TRANSLATOR = f"""
from builders.translation import Translation, Translator
WORDS = {GREEK!r}
class Book(Translator):
    name, fingerprint, licence, languages = "a book", "1", "cc0-1.0", ("el", "tr")
    def __init__(self, model, options): pass
    def translate(self, texts, lang):
        return [Translation(WORDS.get(text, ""), () if text in WORDS else ("unknown_token",)) for text in texts]
"""
ROW = """
title = "Talks"
kind = "instructions"
version = "1"
licence = "cc0-1.0"
"""
RECIPE = {
    "name": "talks",
    "title": "Talks",
    "summary": "Talks.",
    "configs": "language",
    "langs": ["el"],
    "instructions": ["talks"],
    "instruction_langs": ["en", "xx"],
    "decontaminate_against": [],
}


def turns(*texts: str, system: str = "") -> list[dict[str, str]]:
    first = [{"role": "system", "content": system}] if system else []
    return first + [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


FOUR = ("Name a red fruit.", "An apple.", "And a green one?", "A pear.")


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """Return the options of a build in a folder of its own, with a translator that knows a few sentences."""
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "book.py").write_text(TRANSLATOR, encoding="utf-8")
    return {
        "with_": [tmp_path / "my"],
        "translator": "book:Book",
        "work": tmp_path / "work",
        "corpora_lock": tmp_path / "lock",
    }


def write_corpus(options: dict[str, Any], records: list[dict[str, Any]], more: str = 'langs = ["en"]') -> None:
    folder = options["with_"][0]
    file_format = "messages-json" if "columns" not in more else "jsonl"
    text = f'[talks]\nformat = "{file_format}"\nurl = "talks.jsonl"\n{ROW}{more}\n'
    (folder / "corpora.toml").write_text(text, encoding="utf-8")
    (folder / "talks.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")


def published(release: Any, lang: str) -> list[list[dict[str, str]]]:
    rows = pl.concat([release.rows("el", split) for split in release.manifest["configs"]["el"]["splits"]])
    return rows.filter(lang=lang).sort("id")["messages"].to_list()


def test_conversations_are_translated_whole_and_published_as_messages(options: dict[str, Any], tmp_path: Path) -> None:
    write_corpus(
        options,
        [
            {"messages": turns(*FOUR, system="Be kind.")},
            {"messages": turns(*FOUR[:2])},
            {"messages": turns("Name a red fruit.", "A fruit that nobody knows.", *FOUR[2:])},
            {"messages": turns(*FOUR[:3])},
        ],
    )
    with pytest.raises(InputError, match=r"2 instructions of talks are conversations .* --format messages"):
        builders.publish(RECIPE, registry=tmp_path / "registry", **options)
    release = builders.publish(RECIPE, registry=tmp_path / "registry", format="messages", **options)
    english, greek = published(release, "en"), published(release, "el")
    assert len(english) == 3
    assert turns(*FOUR, system="Be kind.") in english
    whole = turns(*(GREEK[text] for text in FOUR), system=GREEK["Be kind."])
    assert sorted(map(len, greek)) == [2, 5]
    assert whole in greek
    counts = {(row["stage"], row["reason"]): row["num_rows"] for row in release.manifest["ledger"]}
    assert counts["instructions", "turns_out_of_order"] == 1
    assert counts["translated_instructions", "unknown_token"] == 1


def test_rule_that_keeps_a_question_keeps_the_conversation_and_one_that_keeps_an_answer_only_that(
    options: dict[str, Any], tmp_path: Path
) -> None:
    code = "def f():\n    return 1"
    rhyme = "Find a word that rhymes with cat."
    write_corpus(
        options,
        [
            {"messages": turns("Write a function.", code, *FOUR[2:])},
            {"messages": turns(*FOUR[:2], rhyme, "Hat.")},
        ],
    )
    release = builders.publish(RECIPE, registry=tmp_path / "registry", format="messages", **options)
    assert published(release, "el") == [turns(GREEK["Write a function."], code, GREEK[FOUR[2]], GREEK[FOUR[3]])]
    counts = {(row["stage"], row["reason"]): row["num_rows"] for row in release.manifest["ledger"]}
    assert counts["segments", "code_in_part"] == counts["translated_instructions", "rhyme"] == 1


def test_corpus_in_a_language_of_the_recipe_comes_in_as_it_is(options: dict[str, Any], tmp_path: Path) -> None:
    records = [
        {"inputs": "Name a red fruit.", "targets": "An apple.", "code": "eng"},
        {"inputs": "Πες μου ένα νησί.", "targets": "Η Κρήτη.", "code": "ell"},
        {"inputs": "Bir meyve söyle.", "targets": "Elma.", "code": "tur"},
    ]
    columns = 'columns = { instruction = "inputs", output = "targets", lang = "code" }'
    codes = 'codes = { en = "eng", el = "ell" }'
    write_corpus(options, records, f'langs = ["en", "el"]\n{columns}\n{codes}')
    release = builders.publish(RECIPE, registry=tmp_path / "registry", format="messages", **options)
    assert published(release, "en") == [turns("Name a red fruit.", "An apple.")]
    assert published(release, "el") == [turns("Πες μου ένα νησί.", "Η Κρήτη.")]
    assert release.manifest["translator"].get("methods", {}) == {}


def test_conversations_in_memory_are_a_corpus(options: dict[str, Any], tmp_path: Path) -> None:
    frame = pl.DataFrame({"messages": [turns(*FOUR), turns(*FOUR[:2])]})
    release = builders.publish(
        RECIPE, registry=tmp_path / "registry", format="messages", corpora={"talks": frame}, **options
    )
    assert sorted(map(len, published(release, "el"))) == [2, 4]


@pytest.mark.parametrize(
    ("record", "suffix"),
    [
        ({"instruction": "Name a red fruit.", "context": "", "response": "An apple.", "category": "qa"}, "jsonl"),
        ({"prompt": "Name a red fruit.", "completion": "An apple."}, "json"),
        ({"conversation": turns("Name a red fruit.", "An apple.")}, "parquet"),
        ({"inputs": "Name a red fruit.", "targets": "An apple."}, "csv"),
    ],
)  # fmt: skip
def test_files_of_all_families_are_recognised(
    record: dict[str, Any], suffix: str, options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"mine.{suffix}"
    frame = pl.DataFrame([record])
    if suffix == "json":
        path.write_text(json.dumps([record]), encoding="utf-8")
    else:
        {"jsonl": frame.write_ndjson, "parquet": frame.write_parquet, "csv": frame.write_csv}[suffix](path)
    result = builders.translate(path, langs=["el"], output=tmp_path / "out", **options)
    (row,) = pl.read_parquet(result.files["el"]).to_dicts()
    assert (row["instruction"], row["output"]) == (GREEK["Name a red fruit."], "Ένα μήλο.")


def test_file_of_unknown_columns_is_refused_with_those_that_are_known(options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"task": "a", "solution": "b"}')
    with pytest.raises(InputError, match=r"has task, solution. Known are messages .*instruction, response \(dolly\)"):
        builders.translate(tmp_path / "mine.jsonl", langs=["el"], output=tmp_path / "out", **options)
