"""The bundled sample: made from its text, labelled truly, and found through its catalogue."""

import csv
import gzip
import io
import json
import re
import runpy
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from builders.translation import read_memory
from corpora.catalog import load_catalog, read_corpora
from tests.sample.memory import translate

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "corpora" / "sample"
TEXT = ROOT / "tests" / "sample" / "text"
LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
NEWS_LANGS = ("ar", "hi", "zh")
BITEXTS = [("wikimatrix", lang) for lang in LANGS] + [("news-commentary", lang) for lang in NEWS_LANGS]
BY_HAND = {"corpora.toml", "README.md"}

each_language = pytest.mark.parametrize("lang", LANGS)
each_bitext = pytest.mark.parametrize(("corpus", "lang"), BITEXTS)


def pair(lang: str) -> str:
    return "-".join(sorted(("en", lang)))


def wikimatrix_bytes(lang: str) -> bytes:
    return gzip.decompress((SAMPLE / f"laser/WikiMatrix/v1/WikiMatrix.{pair(lang)}.tsv.gz").read_bytes())


def wikimatrix(lang: str) -> list[list[str]]:
    """The columns of each line; bytes that are no UTF-8 are U+FFFD here."""
    text = wikimatrix_bytes(lang).decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def news_commentary(lang: str) -> list[tuple[str, str]]:
    """The two sides of each line, English first."""
    with zipfile.ZipFile(SAMPLE / f"OPUS-News-Commentary/v16/moses/{pair(lang)}.txt.zip") as archive:
        texts = [archive.read(f"News-Commentary.{pair(lang)}.{side}").decode() for side in ("en", lang)]
    en, xx = (text.removesuffix("\n").split("\n") for text in texts)
    return list(zip(en, xx, strict=True))


def sides(corpus: str, lang: str) -> list[tuple[str, ...]]:
    """The sides of each line, English first where both are there."""
    if corpus == "news-commentary":
        return list(news_commentary(lang))
    return [tuple(columns[1:] if lang > "en" else reversed(columns[1:])) for columns in wikimatrix(lang)]


def labels(corpus: str, lang: str) -> list[str]:
    with (SAMPLE / "labels.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if (row["corpus"], row["lang"]) == (corpus, lang)]
    assert [int(row["line_number"]) for row in rows] == list(range(1, len(rows) + 1))
    return [row["label"] for row in rows]


def sides_of(label: str, corpus: str, lang: str) -> list[tuple[str, ...]]:
    return [line for line, found in zip(sides(corpus, lang), labels(corpus, lang), strict=True) if found == label]


def sentences(lang: str) -> dict[str, str]:
    lines = (TEXT / f"{lang}.sentences.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def written_pairs(lang: str, letters: str) -> set[tuple[str, str]]:
    en, xx = sentences("en"), sentences(lang)
    return {(text, xx[name]) for name, text in en.items() if name[0] in letters}


def contents(path: Path) -> object:
    """What a file says, whatever the compression made of it."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as tar:
            return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {entry.filename: (entry.date_time, archive.read(entry)) for entry in archive.infolist()}
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_making_the_sample_again_gives_the_committed_one(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "tests" / "sample" / "make.py"))["make"](tmp_path)
    assert files_below(tmp_path) == files_below(SAMPLE) - BY_HAND
    for name in files_below(tmp_path):
        assert contents(tmp_path / name) == contents(SAMPLE / name), f"{name}: run python tests/sample/make.py"


def test_sample_is_small_enough_to_be_bundled() -> None:
    assert sum((SAMPLE / name).stat().st_size for name in files_below(SAMPLE)) < 600_000


@each_bitext
def test_each_line_has_a_label(corpus: str, lang: str) -> None:
    assert len(labels(corpus, lang)) == len(sides(corpus, lang))


@each_bitext
def test_every_clean_pair_is_as_it_was_written(corpus: str, lang: str) -> None:
    clean = sides_of("clean", corpus, lang)
    assert len(clean) == len(set(clean))
    assert set(clean) <= written_pairs(lang, "wn")


@each_language
def test_every_language_has_at_least_150_clean_pairs(lang: str) -> None:
    assert labels("wikimatrix", lang).count("clean") >= 150


@each_bitext
def test_noise_is_spread_over_the_file(corpus: str, lang: str) -> None:
    found = labels(corpus, lang)
    quarter = len(found) // 4
    for start in range(0, 4 * quarter, quarter):
        assert {"clean"} < set(found[start : start + quarter])


@each_bitext
def test_no_benchmark_sentence_is_in_a_clean_pair(corpus: str, lang: str) -> None:
    benchmark = set(evaluation_texts())
    for line in sides_of("clean", corpus, lang):
        assert not [text for text in benchmark if any(side in text for side in line)]


@each_bitext
def test_contaminated_pairs_are_in_a_benchmark_on_both_sides(corpus: str, lang: str) -> None:
    benchmark = "\n".join(evaluation_texts())
    assert sides_of("contaminated", corpus, lang)
    assert all(side in benchmark for line in sides_of("contaminated", corpus, lang) for side in line)


def evaluation_texts() -> Iterator[str]:
    """Every sentence of FLORES and every context and question of XQuAD."""
    with tarfile.open(SAMPLE / "flores101/dataset/flores101_dataset.tar.gz") as tar:
        for entry in tar:
            if entry.name.endswith(".devtest"):
                yield from tar.extractfile(entry).read().decode().splitlines()
    for path in sorted(SAMPLE.glob("google-deepmind/xquad/master/*.json")):
        for context, question, _ in asked(json.loads(path.read_text(encoding="utf-8"))):
            yield from (context, question["question"])


def asked(squad: dict) -> Iterator[tuple[str, dict, dict]]:
    """The context, the question and the answer of each question in a SQuAD file."""
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield paragraph["context"], question, question["answers"][0]


@each_language
def test_margins_match_the_labels(lang: str) -> None:
    ranges = {"low_margin": (1.02, 1.04), "high_margin": (1.6, 2)}
    for (margin, *_), label in zip(wikimatrix(lang), labels("wikimatrix", lang), strict=True):
        if label != "invalid_margin":
            least, most = ranges.get(label, (1.045 if label == "clean" else 1.04, 1.25))
            assert re.fullmatch(r"\d\.\d{6}", margin)
            assert least <= float(margin) < most


@each_language
def test_invalid_margin_is_no_number(lang: str) -> None:
    lines = zip(wikimatrix(lang), labels("wikimatrix", lang), strict=True)
    found = [columns[0] for columns, label in lines if label == "invalid_margin"]
    assert found
    assert not [margin for margin in found if re.fullmatch(r"\d+(\.\d+)?", margin)]
    assert "nan" in found, "the word that Python takes for a number"


@each_language
def test_duplicate_has_a_smaller_margin_than_the_clean_pair(lang: str) -> None:
    lines = list(zip(wikimatrix(lang), labels("wikimatrix", lang), sides("wikimatrix", lang), strict=True))
    clean = {line: float(columns[0]) for columns, label, line in lines if label == "clean"}
    duplicates = [(line, float(columns[0])) for columns, label, line in lines if label == "duplicate_exact"]
    assert duplicates
    assert all(margin < clean[line] for line, margin in duplicates)


@pytest.mark.parametrize("lang", NEWS_LANGS)
def test_news_commentary_repeats_clean_pairs_of_its_own_and_of_wikimatrix(lang: str) -> None:
    lines = list(zip(news_commentary(lang), labels("news-commentary", lang), strict=True))
    for number, (line, label) in enumerate(lines):
        assert label != "duplicate_exact" or (line, "clean") in lines[:number]
    clean = sides_of("clean", "wikimatrix", lang)
    assert set(sides_of("duplicate_wikimatrix", "news-commentary", lang)) < set(clean)


@each_language
def test_noise_differs_from_written_pairs_unless_labelled(lang: str) -> None:
    repeats = {"clean", "low_margin", "duplicate_exact", "invalid_margin", "contaminated"}
    written = written_pairs(lang, "wne")
    for line, label in zip(sides("wikimatrix", lang), labels("wikimatrix", lang), strict=True):
        assert label in repeats or line not in written


@each_language
def test_bad_lines_have_the_fault_of_their_label(lang: str) -> None:
    raw = wikimatrix_bytes(lang).removesuffix(b"\n").split(b"\n")
    for line, label in zip(raw, labels("wikimatrix", lang), strict=True):
        assert (b"\0" in line) == (label == "nul_byte")
        assert (line.count(b"\t") < 2) == (label == "missing_column")
        assert ("\ufffd" in line.decode("utf-8", "replace")) == (label == "invalid_utf8" or "\ufffd".encode() in line)
        assert (len(line.decode("utf-8", "replace")) > 5000) == (label == "too_long")


@each_language
def test_only_turkish_has_crlf_and_only_greek_a_byte_order_mark(lang: str) -> None:
    content = wikimatrix_bytes(lang)
    assert content.count(b"\r\n") == (content.count(b"\n") if lang == "tr" else 0)
    assert content.startswith(b"\xef\xbb\xbf") == (lang == "el")
    assert lang != "el" or labels("wikimatrix", "el")[0] == "clean", "the mark must cost a good pair if it is misread"


def test_readme_counts_the_lines_of_each_kind() -> None:
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    for column, corpus in ((1, "wikimatrix"), (2, "news-commentary")):
        for lang in LANGS if corpus == "wikimatrix" else NEWS_LANGS:
            assert Counter(labels(corpus, lang)) == +Counter({row[0]: int(row[column]) for row in rows})


def test_catalogue_loads_and_every_file_that_it_names_exists() -> None:
    path = SAMPLE / "corpora.toml"
    corpora = [corpus for corpus in read_corpora(path).values() if corpus.folder == SAMPLE]
    assert len(corpora) == 7
    for corpus in corpora:
        assert all(Path(corpus.location(lang)).is_file() for lang in corpus.listed_langs)


def test_each_corpus_of_the_sample_has_the_format_of_the_one_it_replaces() -> None:
    catalog = load_catalog(sample=True)
    for corpus in [corpus for corpus in catalog.values() if corpus.folder == SAMPLE]:
        real = catalog[corpus.sample_of]
        assert (corpus.kind, corpus.format, corpus.code) == (real.kind, real.format, real.code)
        assert real.url.endswith(corpus.url.partition("/")[2]), "the sample mirrors upstream's paths"


def alpaca() -> list[dict[str, str]]:
    path = SAMPLE / "tatsu-lab/stanford_alpaca/main/alpaca_data.json"
    return json.loads(path.read_text(encoding="utf-8"))


def written_records() -> dict[str, dict[str, str]]:
    lines = (TEXT / "en.records.jsonl").read_text(encoding="utf-8").splitlines()
    return {record.pop("id"): record for record in map(json.loads, lines)}


def test_alpaca_has_every_record_and_three_bad_ones_at_the_end() -> None:
    *good, duplicate, empty, missing = alpaca()
    assert good == list(written_records().values())
    assert len(good) >= 40
    assert duplicate == written_records()["r05"]
    assert empty["output"] == ""
    assert "output" not in missing


@each_language
def test_memory_translates_every_record_except_two(lang: str) -> None:
    memory = read_memory(SAMPLE / "memory.parquet")
    untranslated = {
        name
        for name, record in written_records().items()
        if None in [translate(text, lang, memory) for text in record.values()]
    }
    assert untranslated == {"r34", "r35"}


def test_flores_has_the_same_lines_in_every_language() -> None:
    with tarfile.open(SAMPLE / "flores101/dataset/flores101_dataset.tar.gz") as tar:
        texts = {entry.name: tar.extractfile(entry).read().decode() for entry in tar}
    codes = ("eng", "ara", "ell", "hin", "tur", "vie", "zho_simpl")
    files = {f"flores101_dataset/devtest/{code}.devtest" for code in codes}
    assert set(texts) == files | {"flores101_dataset/README"}
    assert all(texts.values())
    assert {len(texts[name].splitlines()) for name in files} == {14}


@pytest.mark.parametrize("lang", ["en", *LANGS])
def test_every_answer_of_xquad_is_at_its_offset(lang: str) -> None:
    squad = json.loads((SAMPLE / f"google-deepmind/xquad/master/xquad.{lang}.json").read_text(encoding="utf-8"))
    assert [question["id"] for _, question, _ in asked(squad)] == [f"q{number:03}" for number in range(1, 7)]
    assert_answers_stand(squad)


def test_every_answer_of_mlqa_is_at_its_offset() -> None:
    with zipfile.ZipFile(SAMPLE / "MLQA/MLQA_V1.zip") as archive:
        files = {name: json.load(io.BytesIO(archive.read(name))) for name in archive.namelist()}
    assert len(files) == 2 * 5 * 5
    for name, squad in files.items():
        assert len(list(asked(squad))) == (2 if name.startswith("MLQA_V1/dev/dev-context-") else 4)
        assert_answers_stand(squad)


def assert_answers_stand(squad: dict) -> None:
    for context, _, answer in asked(squad):
        assert context[answer["answer_start"] :].startswith(answer["text"])
