"""How fast translation is: against the bare engine, against Transformers, and with a full memory.

    python tests/benchmarks/translation.py [RECORDS.json] [--rounds 3] [--batches 4] [--minutes 12] [--keep FOLDER]

With a file of Alpaca records it says what the memory saves in one run, and how fast the stage is with a full memory.
Then it builds a model of NLLB-600M's real shape with random weights, quantises it to int8, and translates sentences of
24 tokens to 24 tokens as the stage does and as bare CTranslate2 calls on what the stage had tokenised, in turns, and by
`generate` of Transformers in batches of the same size. Prints every figure as soon as it has it, and begins nothing
after `--minutes`; `--keep` keeps the model for the next time, `--layers 2` makes a small one.
"""

import argparse
import gc
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import pyarrow.parquet as pq
import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration

from builders.pipeline.write_tables import write_instructions
from builders.translation import Translator, digest, scheduler, segment, translate_instructions
from builders.translation.convert import convert_checkpoint
from builders.translation.ctranslate2_translator import CTranslate2Translator, Decoding, Engine, all_cores
from builders.translation.model import open_model
from builders.translation.store import TranslationStore
from builders.workspace import Workspace
from corpora.catalog import load_catalog
from tests.builders.translation import tiny_model
from tests.builders.translation.expected import expected
from tests.builders.translation.translating import open_workers

LENGTH, BATCH = 24, 96  # tokens of a source and of a translation; segments of a batch
DECODING = Decoding("int8", beam_size=1)
SENTENCE = "House {:04} is old."  # 19 characters, which are tokens, a mark for each of three spaces, and two more
NLLB = {"d_model": 1024, "encoder_ffn_dim": 4096, "decoder_ffn_dim": 4096, "vocab_size": 256_206}
HEADS = {"encoder_attention_heads": 16, "decoder_attention_heads": 16}
begun = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", type=Path, nargs="?", help="Alpaca's records as one JSON list.")
    parser.add_argument("--rounds", type=int, default=3, help="Turns of stage and bare engine.")
    parser.add_argument("--batches", type=int, default=4, help=f"Batches of {BATCH} segments in a round.")
    parser.add_argument("--layers", type=int, default=12, help="Of the encoder and of the decoder.")
    parser.add_argument("--minutes", type=float, default=12, help="No round or batch begins after that.")
    parser.add_argument("--keep", type=Path, help="Where the large model is kept, and found again.")
    parser.add_argument("--no-engines", action="store_true", help="The memory only.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if asked.records:
            memory(asked.records, Path(name))
        if not asked.no_engines:
            engines(asked, Path(name))


def say(what: str, figure: str) -> None:
    print(f"{time.perf_counter() - begun:6.0f} s  {what:58} {figure}", flush=True)


def late(asked: argparse.Namespace) -> bool:
    """Whether nothing more should begin."""
    return time.perf_counter() - begun > asked.minutes * 60


def timed(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def memory(file: Path, folder: Path) -> None:
    """What the memory saves on real records, and the stage with a full one."""
    all_segments = [s for record in json.loads(file.read_text()) for text in record.values() for s in segment(text)[0]]
    texts = {digest(text): text for text in all_segments}
    share = 1 - len(texts) / len(all_segments)
    say("segments that one run saves", f"{share:.1%} of {len(all_segments):,}")
    translator = fill_memory(texts, folder)
    records = folder / "records.parquet"
    write_instructions(Workspace(folder / "work"), records, file, load_catalog()["alpaca"], "en", (), None, "{}")
    for what, removed in RUNS.items():
        rates, by_core = [], []
        for _ in range(3):
            work = Workspace(folder / "work", threads=all_cores())
            for stage in removed:
                shutil.rmtree(work.folder / stage, ignore_errors=True)
            busy = time.process_time()
            clock = time.perf_counter()
            made = translate_instructions(records, "alpaca", ["el"], translator, work, {})
            seconds, busy = time.perf_counter() - clock, time.process_time() - busy
            distinct = pq.read_metadata(made.translations["el"]).num_rows
            rates.append(distinct / seconds)
            by_core.append(distinct / busy)
        say(what, f"{max(rates):,.0f} segments/s, {max(by_core):,.0f} a second of cores")


RUNS = {
    "full memory, segmented again": ("segments", "translations", "translated_instructions"),
    "full memory, segments exist": ("translations", "translated_instructions"),
    "all tables exist": (),
}


def fill_memory(texts: Mapping[str, str], folder: Path) -> Translator:
    """Return a translator of whose memory in the work folder no segment is missing."""
    model = open_model(convert_checkpoint(tiny_model.save(folder / "tiny"), folder, lambda sentence: None))
    store = TranslationStore(folder / "work" / "memory")
    constant = {"decoding": DECODING.name, "flags": [], "failed_check": ""}
    greek = {key: expected(text, "ell_Grek") for key, text in texts.items()}
    rows = [constant | {"sha256": key, "en": text, "text": greek[key]} for key, text in texts.items()]
    store.partition(model.sha256, "el").add(rows)
    return CTranslate2Translator(Engine(model, all_cores()), DECODING)


class Fixed:
    """A translator that decodes to a fixed length and remembers what it was given."""

    def __init__(self, translator: Any) -> None:
        self.translator, self.calls = translator, list[Any]()

    def translate_batch(self, sources: Any, prefix: Any, **options: Any) -> Any:
        options |= {"max_decoding_length": LENGTH, "min_decoding_length": LENGTH}
        self.calls.append((sources, prefix, options))
        return self.translator.translate_batch(sources, prefix, **options)


def engines(asked: argparse.Namespace, folder: Path) -> None:
    """The stage, the bare engine and Transformers, on the same batches."""
    torch.set_num_threads(all_cores())
    original = large((asked.keep or folder) / f"nllb-shape-{asked.layers}", asked.layers)
    converted = convert_checkpoint(original, asked.keep or folder, lambda sentence: None)
    say("the model", f"{(converted / 'model.bin').stat().st_size / 1e9:.1f} GB in float32, {asked.layers} layers twice")
    calls, ours = against_bare(Engine(open_model(converted), all_cores()), asked, folder)
    gc.collect()
    model = M2M100ForConditionalGeneration.from_pretrained(original).eval()
    seconds = list[float]()
    for sources, _, _ in calls:
        if not seconds or not late(asked):
            seconds.append(timed(lambda sources=sources: generate(model, sources)))
            say(f"batch {len(seconds)} by Transformers, float32", f"{seconds[-1]:.1f} s")
    say("Transformers against the whole stage, a batch", f"{mean(seconds) / (ours / len(calls)):.2f}")


def against_bare(engine: Engine, asked: argparse.Namespace, folder: Path) -> tuple[list[Any], float]:
    """The stage and the bare engine in turns; what the engine was given, and the seconds of the quickest stage."""
    fixed = engine._loaded["int8"] = Fixed(engine.load("int8"))
    scheduler.MAX_SEGMENTS = BATCH
    texts = {digest(text): text for text in (SENTENCE.format(n) for n in range(asked.batches * BATCH))}
    warm = timed(lambda: stage(dict(list(texts.items())[:BATCH]), engine, folder / "warm"))
    say("a first batch", f"{warm:.1f} s")
    whole, alone = [], []
    for number in range(asked.rounds):
        if whole and late(asked):
            break
        fixed.calls.clear()
        whole.append(timed(lambda number=number: stage(texts, engine, folder / str(number))))
        alone.append(timed(lambda: bare(fixed)))
        say(f"the stage: {whole[-1]:.1f} s, bare: {alone[-1]:.1f} s", f"{whole[-1] / alone[-1]:.3f}")
    ratios = [ours / theirs for ours, theirs in zip(whole, alone, strict=True)]
    say("the whole stage against bare translate_batch (median)", f"{median(ratios):.3f}")
    say("the whole stage against bare translate_batch (quickest)", f"{min(whole) / min(alone):.3f}")
    say("the whole stage", f"{len(texts) / min(whole):,.1f} segments/s")
    return fixed.calls, min(whole)


def stage(texts: Mapping[str, str], engine: Engine, folder: Path) -> None:
    translator = CTranslate2Translator(engine, DECODING)
    partition = TranslationStore(folder).partition(translator.fingerprint, "el")
    with open_workers(translator) as workers:
        scheduler.translate_missing(texts, partition, translator, workers)


def large(folder: Path, layers: int) -> Path:
    """A model of NLLB's shape with random weights, beside the tiny model's tokenizer; it writes letters only."""
    if (folder / "model.safetensors").exists():
        return folder
    tiny_model.save(folder)
    shape = {**NLLB, **HEADS, "encoder_layers": layers, "decoder_layers": layers}
    config = M2M100Config(**shape, scale_embedding=True, decoder_start_token_id=2, pad_token_id=1)
    model = M2M100ForConditionalGeneration(config)
    with torch.no_grad():
        model.model.shared.weight[len(tiny_model.vocabulary()) :] = 0
    model.save_pretrained(folder)
    return folder


def bare(fixed: Fixed) -> None:
    """What the stage gave to the engine, given to it directly."""
    started = [fixed.translator.translate_batch(s, p, **options, asynchronous=True) for s, p, options in fixed.calls]
    for futures in started:
        for future in futures:
            future.result()


def generate(model: M2M100ForConditionalGeneration, sources: list[list[str]]) -> None:
    """One batch by Transformers, greedy and to the same length."""
    numbers = {token: number for number, token in enumerate(tiny_model.vocabulary())}
    ids = torch.tensor([[numbers[token] for token in source] for source in sources])
    lengths = {"max_new_tokens": LENGTH, "min_new_tokens": LENGTH}
    with torch.no_grad():
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            forced_bos_token_id=numbers["ell_Grek"],
            do_sample=False,
            num_beams=1,
            **lengths,
        )


if __name__ == "__main__":
    main()
