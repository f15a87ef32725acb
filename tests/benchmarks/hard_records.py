"""A page of hard records before and after translation, for reading: code, lists, tables, placeholders, dialogue.

`python tests/benchmarks/hard_records.py RECORDS.json` picks them from a file of Alpaca records, the same every time,
and translates them into Greek letters by the tiny model, so that what was translated can be told from what was kept.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from builders.translation import (
    TranslatorOptions,
    digest,
    find_do_not_translate,
    merge,
    normalize_input,
    resolve_translator,
    segment,
)
from builders.translation.do_not_translate import FIELDS
from tests.builders.translation import tiny_model
from tests.builders.translation.translating import translate_texts

KINDS = {  # a pattern that a record of the kind has in its text, and how many of them to show
    "code": (r"(?m)^(?:def |public |<html|SELECT |for ?\()", 4),
    "list": (r"(?m)^\s*(?:- |\d+\. ).*\n\s*(?:- |\d+\. )", 3),
    "table": (r"\|.*\|.*\n.*\|", 3),
    "placeholder": (r"\[[A-Z][a-z ]+\]|\{\w+\}|_{3,}|<\w+>", 4),
    "dialogue": (r"(?m)^(?:[A-Z]\w*|Person \w): .*\n+(?:[A-Z]\w*|Person \w): ", 3),
    "formula or address": (r"https?://|\w\^\d|\$\\", 3),
}


def picked(records: list[dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    """Twenty records, by the digest of their text."""
    order = sorted(records, key=lambda record: digest(record["instruction"] + record["output"]))
    return [
        (kind, record)
        for kind, (pattern, count) in KINDS.items()
        for record in [r for r in order if re.search(pattern, r["output"] + "\n" + r["input"])][:count]
    ]


def main() -> None:
    chosen = picked(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = TranslatorOptions(work=folder, threads=2, beam=1, compute_type="float32", log=print)
        translator = resolve_translator(str(tiny_model.save(folder / "tiny")), options)
        segments = {digest(s): s for _, record in chosen for text in record.values() for s in segment(text)[0]}
        found = translate_texts(segments, translator, folder)
    for number, (kind, record) in enumerate(chosen, 1):
        record = record | {"input": normalize_input(record["input"])}
        rule, english = find_do_not_translate(record) or ("", ())
        note = f"({rule} keeps {', '.join(english)})" if rule else ""
        print(f"\n======== {number}. {kind} {note}")
        for field in FIELDS:
            parts, skeleton = segment(record[field]) if field not in english else ([], [record[field]])
            done = [found[digest(part)].text or f"<<{found[digest(part)].failed_check}: {part}>>" for part in parts]
            if record[field]:
                print(f"-- {field}\n{record[field]}\n--> \n{merge(skeleton, done)}")


if __name__ == "__main__":
    main()
