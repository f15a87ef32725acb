"""How fast translation is: against the bare engine, against Transformers, and with a full memory.

`python tests/benchmarks/translation.py [RECORDS.json]` builds a model of NLLB-600M's real shape with random weights,
quantises it to int8, and translates the same sentences, to a fixed length, as the stage does, as bare CTranslate2 calls
on what the stage had tokenised, and by `generate` of Transformers in the same batches. With a file of Alpaca records it
also says what the memory saves, and how fast a second run is. Prints one table with ratios.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate
from transformers import M2M100Config, M2M100ForConditionalGeneration

from builders.memory import digest
from builders.segment import cut
from builders.translating import queue
from builders.translating.convert import convert
from builders.translating.engine import Decoding, Engine, all_cores
from builders.translating.model import open_model
from builders.translating.outcomes import outcomes
from builders.translating.store import MemoryFolder
from builders.translating.translator import Translator
from tests.builders.translating import tiny_model

LENGTH, SEGMENTS = 24, 96
DECODING = Decoding("int8", beam_size=1)
NLLB = {"d_model": 1024, "encoder_layers": 12, "decoder_layers": 12, "encoder_ffn_dim": 4096, "decoder_ffn_dim": 4096}
SENTENCE = "The {} of the old town opens at nine."


class Fixed:
    """A translator that decodes to a fixed length and remembers what it was given."""

    def __init__(self, translator: Any) -> None:
        self.translator, self.calls = translator, []

    def translate_batch(self, sources: Any, prefix: Any, **options: Any) -> Any:
        options |= {"max_decoding_length": LENGTH, "min_decoding_length": LENGTH}
        self.calls.append((sources, prefix, options))
        return self.translator.translate_batch(sources, prefix, **options)


def large(folder: Path) -> Path:
    """A model of NLLB-600M's shape with random weights, beside the tiny model's tokenizer."""
    tiny_model.save(folder)
    tokens = len(tiny_model.vocabulary())
    shape = {**NLLB, "encoder_attention_heads": 16, "decoder_attention_heads": 16, "vocab_size": 256_206}
    config = M2M100Config(**shape, scale_embedding=True, decoder_start_token_id=2, pad_token_id=1)
    assert tokens < config.vocab_size
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def timed(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def engines(folder: Path) -> list[list[object]]:
    """Seconds of the stage, of the bare engine and of Transformers, on the same batches."""
    torch.set_num_threads(all_cores())
    original = large(folder / "original")
    engine = Engine(open_model(convert(original, folder, print)), all_cores())
    fixed = engine._loaded["int8"] = Fixed(engine.translator("int8"))
    texts = {digest(text): text for text in (SENTENCE.format(f"{n:04} house") for n in range(SEGMENTS))}
    queue.BYTES["cpu"] = 1_000
    shelf = MemoryFolder(folder / "memory").shelf(engine.model.sha256, "el")
    fixed.translator.translate_batch(*_first(engine), max_decoding_length=4)  # warm
    stage = timed(lambda: queue.translated(texts, shelf, engine, DECODING))
    bare = timed(lambda: _bare(fixed))
    theirs = timed(lambda: _transformers(original, fixed, engine))
    rows = [["the whole stage", stage], ["bare translate_batch", bare], ["Transformers generate, float32", theirs]]
    return [[name, f"{seconds:.1f} s", f"{seconds / bare:.3f}"] for name, seconds in rows]


def _first(engine: Engine) -> tuple[list[list[str]], list[list[str]]]:
    return engine.tokenizer.source(["warm"], "eng_Latn"), [["ell_Grek"]]


def _bare(fixed: Fixed) -> None:
    started = [fixed.translator.translate_batch(s, p, **options) for s, p, options in list(fixed.calls)]
    for futures in started:
        for future in futures:
            future.result()


def _transformers(original: Path, fixed: Fixed, engine: Engine) -> None:
    model = M2M100ForConditionalGeneration.from_pretrained(original).eval()
    numbers = {token: number for number, token in enumerate(tiny_model.vocabulary())}
    for sources, _, _ in fixed.calls:
        longest = max(map(len, sources))
        rows = [[numbers[t] for t in source] + [1] * (longest - len(source)) for source in sources]
        ids = torch.tensor(rows)
        with torch.no_grad():
            model.generate(
                input_ids=ids,
                attention_mask=(ids != 1).long(),
                forced_bos_token_id=numbers["ell_Grek"],
                max_new_tokens=LENGTH,
                min_new_tokens=LENGTH,
                do_sample=False,
                num_beams=1,
            )


def memory(records: Path, folder: Path) -> list[list[object]]:
    """What the memory saves on real records, and a second run with a full one."""
    model = open_model(convert(tiny_model.save(folder / "tiny"), folder, print))
    segments = [s for record in json.loads(records.read_text()) for text in record.values() for s in cut(text)[0]]
    texts = {digest(text): text for text in segments}
    engine = Engine(model, all_cores())
    kept = MemoryFolder(folder / "full")
    shelf = kept.shelf(model.sha256, "el")
    rows = [
        {"sha256": key, "decoding": DECODING.name, "lang": "el", "model": model.sha256, "en": text, "text": text[::-1]}
        | {"flags": [], "stopped_by": ""}
        for key, text in texts.items()
    ]
    shelf.add(rows)
    translator = Translator("tiny", model.sha256, engine=engine, decoding=DECODING, kept=kept)
    seconds = timed(lambda: outcomes(texts, "el", translator))
    return [
        ["second run, full memory", f"{len(texts) / seconds:,.0f} segments/s", ""],
        ["segments saved within one run", f"{1 - len(texts) / len(segments):.1%} of {len(segments):,}", ""],
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = memory(Path(sys.argv[1]), folder) if len(sys.argv) > 1 else []
        print(tabulate(table), flush=True)
        table = engines(folder)
    print(tabulate(table, ["what", "", "against bare"], disable_numparse=True))


if __name__ == "__main__":
    main()
