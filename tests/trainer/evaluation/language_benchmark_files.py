"""Small multilingual benchmarks in upstream's formats, in one folder as their archives unpack; a few questions each."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PASSAGES = {"ell_Grek": "Η γάτα κοιμάται.", "zho_Hant": "貓在睡覺。"}
XCOPA = {"it": ("L'uomo aprì il rubinetto.", "La vasca si riempì."), "tr": ("Adam musluğu açtı.", "Küvet doldu.")}
XNLI = {"el": ("Η γάτα κοιμάται.", "Το ζώο ξυπνά."), "hi": ("बिल्ली सो रही है।", "जानवर जाग रहा है।")}
XNLI_CODES = ["ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"]
MGSM = {"de": "Anna hat {n} Äpfel und kauft {n} dazu. Wie viele hat sie?", "th": "แอนนามีแอปเปิล {n} ผล ซื้ออีก {n} ผล มีกี่ผล"}


def belebele(code: str) -> list[dict[str, Any]]:
    """Return the rows of Belebele in a language."""
    choices = {f"mc_answer{n}": f"{PASSAGES[code]} {n}" for n in range(1, 5)}
    return [
        {"link": "https://en.wikinews.org/wiki/Cat", "question_number": n, "flores_passage": PASSAGES[code] * n}
        | {"question": f"{PASSAGES[code]}? ", "correct_answer_num": str(n), "dialect": code}
        | choices
        for n in (2, 1)
    ]


def xcopa(code: str) -> list[dict[str, Any]]:
    """Return the rows of XCOPA in a language."""
    premise, other = XCOPA[code]
    rows: list[dict[str, Any]] = [
        {"premise": premise, "choice1": other, "choice2": premise * 2, "question": "effect", "label": 0},
        {"premise": other, "choice1": premise * 2, "choice2": premise, "question": "cause", "label": 1},
    ]
    return [row | {"idx": n, "changed": False} for n, row in enumerate(rows)]


def multiple_choice(lang: str, answers: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Return the rows of Global-MMLU or INCLUDE in a language."""
    choices = {f"option_{letter}": f"{lang} {letter}" for letter in "abcd"}
    return [
        {"sample_id": f"anatomy/test/{n}", "subject": "anatomy", "domain": "STEM", "question": f" {lang}, {n}?"}
        | {"answer": answer}
        | choices
        for n, answer in enumerate(answers)
    ]


def make_language_files(folder: Path) -> Path:
    """Return a folder for --data with all six benchmarks in two languages each."""
    for code in PASSAGES:
        _jsonl(folder / "Belebele" / f"{code}.jsonl", belebele(code))
    for code in XCOPA:
        for part in ("data", "data-gmt"):
            _jsonl(folder / "xcopa-master" / part / code / f"test.{code}.jsonl", xcopa(code))
    names = ["language", "gold_label", "sentence1", "sentence2", "pairID"]
    labels = ("contradiction", "entailment", "neutral")
    texts = {code: XNLI.get(code, XNLI["el"]) for code in XNLI_CODES}
    rows = [[code, label, *texts[code], str(n)] for code in XNLI_CODES for n, label in enumerate(labels)]
    _write(folder / "XNLI-1.0" / "xnli.test.tsv", "".join("\t".join(row) + "\n" for row in [names, *rows]))
    for code, text in MGSM.items():
        lines = "".join(f'{text.format(n=n)} "{n}\t{2 * n}\n' for n in (1, 2500))
        path = folder / "url-nlp" / "mgsm" / f"mgsm_{code}.tsv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(lines.encode()))
    for lang in ("el", "fil"):
        _parquet(folder / "Global-MMLU" / lang / "test-00000-of-00001.parquet", multiple_choice(lang, ("A", "D")))
    for lang in ("Greek", "North Macedonian"):
        _parquet(folder / "include-base-44" / lang / "test-00000-of-00001.parquet", multiple_choice(lang, (3, 0)))
    return folder


def _jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    _write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
