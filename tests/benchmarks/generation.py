"""Compare batches of similar length with batches in the order of the file: the same answers, and the speed.

    python tests/benchmarks/generation.py [--items 256] [--batch 32]

Prompts are FLORES-101's and XQuAD's in Greek from ../shared, mixed as in one evaluation; the model is a random Llama.
"""

import argparse
import gzip
import json
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import torch

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.trainer.models import make_model
from trainer.evaluation import Item, generation, load_model
from trainer.evaluation.generation import Decoding, generate
from trainer.evaluation.question_items import question_prompt

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model = load_model(str(make_model(Path(folder) / "model", positions=8192)))
        items, decoding = mixed(options.items), Decoding(max_new_tokens=16, batch_size=options.batch)
        list(generate(model, items[: options.batch], decoding))
        found = {}
        for name, order in (("by length", generation.by_length), ("as in the file", in_file_order)) * 2:
            with patch.object(generation, "by_length", order):
                began = time.process_time()
                rows = [row for batch in generate(model, items, decoding) for row in batch]
            seconds = min(time.process_time() - began, found.get(name, (1e9,))[0])
            found[name] = seconds, [row["text"] for row in sorted(rows, key=lambda row: row["index"])]
    assert found["by length"][1] == found["as in the file"][1], "answers depend on the order"
    times = {name: seconds for name, (seconds, _) in found.items()}
    ratio = times["as in the file"] / times["by length"]
    shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in times.items())
    print(f"{options.items} prompts in batches of {options.batch}: {shown}")
    print(f"sorting by length is {ratio:.2f} times as fast; the answers are the same")


def in_file_order(lengths: list[int], size: int) -> list[list[int]]:
    return [list(range(start, min(start + size, len(lengths)))) for start in range(0, len(lengths), size)]


def mixed(number: int) -> list[Item]:
    """Sentences and questions in turn."""
    sentences = (DATA / "flores101_devtest" / "ell.devtest").read_text("utf-8").split("\n")
    page = json.loads(gzip.decompress((DATA / "xquad" / "xquad.el.json.gz").read_bytes()))
    prompt = question_prompt("el")
    questions = [
        prompt.input.format(context=paragraph["context"], question=question["question"])
        for article in page["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
    texts = [text for pair in zip(sentences, questions, strict=False) for text in pair][:number]
    return [Item(str(n), prompt.instruction, text, ()) for n, text in enumerate(texts)]


if __name__ == "__main__":
    main()
