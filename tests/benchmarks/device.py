"""Ten minutes on a GPU: MFU of a model of a billion weights, packed against padded, and the back ends that generate.

    python tests/benchmarks/device.py --tiny                        # a tiny model, to see that everything works
    python tests/benchmarks/device.py --serve vllm=FOLDER --serve transformers=FOLDER

Everything is a command of the project on the bundled sample. Back ends answer the same prompts greedily, with as many
new tokens each: transformers here, CTranslate2 (converted, float32 on CPUs and bfloat16 on GPUs), and each server of
--serve, a row of servers.toml and its environment. What cannot run here is named as not run.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter

import torch

from corpora.endpoint import Endpoint
from trainer.evaluation import Item, load_model
from trainer.evaluation.generation import Decoding, generate
from trainer.evaluation.remote_generation import generate_remote
from trainer.evaluation.server_process import find_server, serve_model

ROOT = Path(__file__).parents[2]
BILLION = "{hidden_size: 2048, intermediate_size: 5632, num_hidden_layers: 22, num_attention_heads: 16, "
BILLION += "num_key_value_heads: 16, max_position_embeddings: 2048, tie_word_embeddings: true}"
TINY = "{hidden_size: 64, intermediate_size: 176, num_hidden_layers: 3, num_attention_heads: 2, "
TINY += "max_position_embeddings: 2048, tie_word_embeddings: true}"
SETTINGS = {
    "packed examples": ("packing=true", "per_device_train_batch_size=64"),
    "padded, 4 at once": ("packing=false", "per_device_train_batch_size=4"),
}
COMMON = ("max_length=512", "max_steps=12", "logging_steps=4", "eval_steps=99", "seed=1")


def main() -> None:
    """Run everything that this machine can."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--serve", action="append", default=[], metavar="NAME=FOLDER")
    options = parser.parse_args()
    folder = Path(mkdtemp(prefix="device-"))
    command("builders", "publish", "coit", "--sample", "--langs", "el,hi,tr,vi,zh", "-q", folder=folder)
    shape, size = (TINY, 8) if options.tiny else (BILLION, 64)
    common = (f"model_config={shape}", f"global_batch_size={size}", *COMMON)
    runs = [train(folder, name, (*common, *changes)) for name, changes in SETTINGS.items()]
    compare_back_ends(runs[0] / "model", options.serve, 16 if options.tiny else 256)


def command(program: str, *arguments: str, folder: Path) -> None:
    """Run a command whose results are read from its files; its errors are shown."""
    environment, nothing = os.environ | {"PYTHONPATH": str(ROOT)}, subprocess.DEVNULL
    subprocess.run([sys.executable, "-m", program, *arguments], cwd=folder, env=environment, check=True, stdout=nothing)


def train(folder: Path, name: str, changes: Sequence[str]) -> Path:
    """Train twelve steps and print speed and MFU of the last eight."""
    output = folder / name.replace(" ", "-").replace(",", "")
    gpu = ("bf16=true", "tf32=true", "activation_checkpointing=true") if torch.cuda.is_available() else ()
    options = [f"--set={change}" for change in (*changes, *gpu)]
    data = ["--release=coit-sample", "--config=el", f"--output={output}", "-q"]
    command("trainer", "sft", "tiny", *data, *options, folder=folder)
    rows = [json.loads(line) for line in (output / "losses.jsonl").read_text("utf-8").splitlines()][-2:]
    speed = sum(row["tokens_per_second"] for row in rows) / len(rows)
    mfu = f", MFU {sum(row['mfu'] for row in rows) / len(rows):.1%}" if rows[0]["mfu"] is not None else ""
    print(f"{name}: {speed:,.0f} tokens/s{mfu}, {rows[-1]['memory_bytes'] / 1e9:.1f} GB")
    return output


def compare_back_ends(model: Path, servers: Sequence[str], num_items: int) -> None:
    """Print the speed of each back end on the same prompts, and how many answers are those of transformers."""
    items = [
        Item(str(n), f"Translate sentence {n} into Greek: the bird sings {n} times.", "", ()) for n in range(num_items)
    ]
    loaded = load_model(model)
    expected = timed("transformers", lambda: local(loaded, items), None)
    try:
        timed("CTranslate2", lambda: ctranslate(model, loaded, items), expected)
    except (ImportError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        print(f"CTranslate2: not run, {str(error).splitlines()[0]}")
    loaded.release()
    for server in servers:
        key, _, environment = server.partition("=")
        row = find_server(key, Path(environment))
        with serve_model(row, model, model.parent / f"{key}.log") as (url, name):
            served = Endpoint(url, name)
            remote(served, loaded.prompt, items[:1])  # the first answer of a server may compile
            timed(f"{key} serve {row.version}", partial(remote, served, loaded.prompt, items), expected)
    for key in {"transformers", "vllm"} - {server.partition("=")[0] for server in servers}:
        print(f"{key} serve: not run, --serve names no environment for it")


def timed(name: str, answers: Callable[[], list[str]], expected: list[str] | None) -> list[str]:
    began = perf_counter()
    texts = answers()
    seconds = perf_counter() - began
    same = f", {sum(a == b for a, b in zip(texts, expected, strict=True))} answers as transformers'" if expected else ""
    print(f"{name}: {len(texts) / seconds:,.2f} answers/s of up to 32 tokens{same}")
    return texts


def local(model: object, items: Sequence[Item]) -> list[str]:
    rows = [row for batch in generate(model, items, Decoding(32, 64)) for row in batch]  # type: ignore[arg-type]
    return [row["text"] for row in sorted(rows, key=lambda row: row["index"])]


def remote(served: Endpoint, prompt: object, items: Sequence[Item]) -> list[str]:
    rows = [row for batch in generate_remote(served, prompt, items, 32) for row in batch]  # type: ignore[arg-type]
    return [row["text"] for row in sorted(rows, key=lambda row: row["index"])]


def ctranslate(folder: Path, model: object, items: Sequence[Item]) -> list[str]:
    """Return CTranslate2's answers; the conversion is not a part of the time of a second call."""
    from ctranslate2 import Generator
    from ctranslate2.converters import TransformersConverter

    gpu = torch.cuda.is_available()
    converted = folder.parent / "ctranslate2"
    TransformersConverter(str(folder)).convert(
        str(converted), quantization="bfloat16" if gpu else "float32", force=True
    )
    generator = Generator(str(converted), device="cuda" if gpu else "cpu")
    tokenizer = model.tokenizer  # type: ignore[attr-defined]
    ids = model.encoder.prompts([(item.instruction, item.input) for item in items])  # type: ignore[attr-defined]
    prompts = [tokenizer.convert_ids_to_tokens(row) for row in ids]
    results = generator.generate_batch(
        prompts, max_batch_size=64, max_length=32, beam_size=1, include_prompt_in_result=False,
        end_token=[tokenizer.eos_token_id],
    )  # fmt: skip
    return [tokenizer.decode(result.sequences_ids[0], skip_special_tokens=True).strip() for result in results]


if __name__ == "__main__":
    main()
