"""A page of hard records before and after translation, for reading: code, lists, tables, placeholders, dialogue.

`python tests/benchmarks/hard_records.py RECORDS.json` picks them from a file of Alpaca records, the same every time,
and translates them into Greek letters by the tiny model, so that what was translated can be told from what was kept.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from builders.translation.convert import convert
from builders.translation.do_not_translate import FIELDS, exemption, without_no_input
from builders.translation.engine import Decoding, Engine
from builders.translation.memory import digest
from builders.translation.model import open_model
from builders.translation.outcomes import outcomes
from builders.translation.segment import cut, fill
from builders.translation.store import MemoryFolder
from builders.translation.translator import Translator
from tests.builders.translation import tiny_model

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
        model = open_model(convert(tiny_model.save(folder / "tiny"), folder, print))
        engine, decoding = Engine(model, 2), Decoding("float32", 1)
        translator = Translator("tiny", model.sha256, engine=engine, decoding=decoding, kept=MemoryFolder(folder))
        segments = {digest(s): s for _, record in chosen for text in record.values() for s in cut(text)[0]}
        found = outcomes(segments, "el", translator)
    for number, (kind, record) in enumerate(chosen, 1):
        record = record | {"input": without_no_input(record["input"])}
        name, english = exemption(record) or ("", ())
        exempt = f"({name} keeps {', '.join(english)})" if name else ""
        print(f"\n======== {number}. {kind} {exempt}")
        for field in FIELDS:
            parts, frame = cut(record[field]) if field not in english else ([], [record[field]])
            done = [found[digest(part)].text or f"<<{found[digest(part)].stopped_by}: {part}>>" for part in parts]
            if record[field]:
                print(f"-- {field}\n{record[field]}\n--> \n{fill(frame, done)}")


if __name__ == "__main__":
    main()
