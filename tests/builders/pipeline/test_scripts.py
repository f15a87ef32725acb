"""Rules hold for all scripts: digits, sentence ends, words and variants, in one build of eleven languages."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from builders.pipeline.decontamination import write_benchmark_texts
from builders.workspace import macros
from corpora.catalog import Corpus, languages
from corpora.errors import InputError
from corpora.language_id import conversion_key, in_other_scripts, script_patterns

pytestmark = pytest.mark.slow

SENTENCES = Path(__file__).parents[2] / "corpora" / "sentences.csv"
LANGS = ("am", "bn", "he", "ja", "ka", "ko", "nl", "sr-Latn", "ta", "th", "yue", "zh-Hant")
DIGITS = {"bn": "০", "ta": "௦", "th": "๐"}  # zero; others write ASCII digits


@pytest.fixture(scope="module")
def sentences() -> dict[str, str]:
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["sentence"] for row in csv.DictReader(file)}


def native(number: str, lang: str) -> str:
    return "".join(chr(ord(DIGITS[lang]) + int(digit)) for digit in number) if lang in DIGITS else number


@pytest.fixture(scope="module")
def reasons(sentences, build_small, tmp_path_factory) -> dict[str, list[str | None]]:
    """Why each line is rejected: a translation, one with a number, one with another number, one in another script."""
    english, greek = sentences["en"], sentences["el"]
    lines = {
        lang: [
            (1.2, f"{english} (a)", f"{sentences[lang]} (a)"),
            (1.2, f"{english} It has 1948 pages.", f"{sentences[lang]} {native('1948', lang)}"),
            (1.2, f"{english} It had 1950 pages.", f"{sentences[lang]} {native('1963', lang)}"),
            (1.2, f"{english} (b)", greek),
        ]
        for lang in LANGS
    }
    built = build_small({"small": lines}, "", tmp_path_factory.mktemp("scripts"))
    rows = {lang: built.lines(lang).collect().sort("line_number").to_dicts() for lang in LANGS}
    return {lang: [row["reject_reason"] for row in own] for lang, own in rows.items()}


def test_translations_are_kept_and_others_rejected_in_all_scripts(reasons):
    assert reasons == {lang: [None, None, "numbers", "wrong_script"] for lang in LANGS}


def test_variant_that_was_not_asked_for_is_rejected(judge, sentences):
    pair = (1.2, sentences["en"], sentences["zh-Hans"])
    assert judge([pair], "zh-Hant")[0]["reject_reason"] == "wrong_variant"
    assert judge([pair], "zh-Hans")[0]["reject_reason"] is None


def test_benchmark_texts_are_searched_in_all_scripts_of_a_language(tmp_path):
    question = {"id": "1", "question": "什么时候？", "answers": [{"text": "早上"}]}
    context = {"context": "太阳从旧房子后面升起来了。", "qas": [question]}
    (tmp_path / "exam.json").write_text(json.dumps({"data": [{"paragraphs": [context]}]}), encoding="utf-8")
    corpus = Corpus("exam", "Exam", "benchmark", "1", "squad-json", "exam.json", ("zh",), "cc0-1.0", folder=tmp_path)
    write_benchmark_texts(None, tmp_path / "texts.parquet", tmp_path / "exam.json", corpus, "zh-Hant", "{}")
    texts = pq.read_table(tmp_path / "texts.parquet").to_pylist()
    assert {row["text"] for row in texts if row["field"] == "context"} == {
        *("太阳从旧房子后面升起来了。", "太陽從舊房子後面升起來了。")
    }


def test_digits_of_every_script_are_numbers():
    import unicodedata

    zeros = [code for code in range(0x10000) if unicodedata.decimal(chr(code), None) == 0]
    texts = ["".join(chr(zero + digit) for digit in (1, 9, 4, 8)) for zero in zeros]
    connection = duckdb.connect()
    connection.execute(macros())
    rows = connection.execute("select text, numbers_in(text) from unnest($texts) as rows(text)", {"texts": texts})
    assert {text: numbers for text, numbers in rows.fetchall() if numbers != ["1948"]} == {}


def test_letters_of_a_sentence_are_in_the_pattern_of_its_language(sentences):
    rows = [{"text": sentences[code], "script": script_patterns(code)["script"]} for code in languages()]
    connection = duckdb.connect()
    query = """
        select length(regexp_replace(text, '\\P{L}+', '', 'g')), len(regexp_extract_all(text, script))
        from (select unnest(from_json($rows, '[{"text": "varchar", "script": "varchar"}]'), recursive := true))
    """
    counts = connection.execute(query, {"rows": json.dumps(rows)}).fetchall()
    low = [code for code, (letters, own) in zip(languages(), counts, strict=True) if own < 0.8 * letters]
    assert low == []


def test_only_languages_in_two_scripts_are_converted():
    assert {code for code in languages() if conversion_key(code)} == {
        *("sh", "sr", "sr-Cyrl", "sr-Latn", "wuu", "yue", "zh", "zh-Hans", "zh-Hant")
    }
    assert in_other_scripts("Љубав и џеп", "sr") == ["ljubav i džep"]
    assert in_other_scripts("Ljubav i džep", "sr-Latn") == ["љубав и џеп"]
    assert in_other_scripts("头发", "zh") == ["頭髮"]


def test_second_model_identifies_a_language_that_lid_176_does_not_know(request_for, sentences, tmp_path, caplog):
    from builders.run import run_build

    english = sentences["en"]
    lines = {"ace": [(1.2, english, sentences["ace"]), (1.2, f"{english} Twice.", sentences["zu"])]}
    options = request_for({"small": lines}, "", tmp_path)
    (alone,) = run_build(options)
    assert "fastText lid.176 does not know Acehnese (ace)" in caplog.text
    assert alone.lines("ace").collect().sort("line_number")["reject_reason"].to_list() == [None, None]
    model = Path(__file__).parents[2] / "corpora" / "language_id" / "softmax.bin"
    (built,) = run_build(replace(options, language_model=str(model)))
    rows = built.lines("ace").collect().sort("line_number")
    assert rows["xx_label"].to_list() == ["ace_Latn", "zul_Latn"]
    assert rows["reject_reason"].to_list() == [None, "wrong_language_xx"]
    with pytest.raises(InputError, match=r"softmax.bin does not know Wolof \(wo\). Name another --language-model"):
        run_build(replace(request_for({"small": {"wo": lines["ace"]}}, "", tmp_path), language_model=str(model)))
