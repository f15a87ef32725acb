"""Evaluate ten models with one command, one of them damaged: the memory of the process by model, and the table.

    python tests/benchmarks/ten_runs.py [--hidden 384]

The models are random Llamas of 16 million weights; they answer four sentences and three questions in Greek. Memory is
what Linux calls resident, its maximum until the next model's answers begin.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
CHOSEN = ("--benchmarks", "flores,xquad", "--langs", "el", "--metrics", "chrf++,contains", "--max-new-tokens", "8")
PLACES = ("--data", "data", "--allow-size-mismatch", "--offline", "-q")
NUM_MODELS, DAMAGED = 10, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=384)
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_models(folder, parser.parse_args().hidden)
        command = [sys.executable, "-m", "trainer", "evaluate", *map(str, paths), *CHOSEN, *PLACES]
        process = subprocess.Popen(command, cwd=folder, env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
        peaks: dict[str, int] = {}
        for model, memory in watch(process, folder / "evaluations"):
            peaks[model] = max(peaks.get(model, 0), memory)
    print(", ".join(f"{model} {memory / 1e6:,.0f}" for model, memory in peaks.items()), "MB; exit code", process.wait())


def make_models(folder: Path, hidden: int) -> list[Path]:
    """Write the benchmarks' files and ten models, one damaged; return the models' folders."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tests.trainer.models import make_data
    from tests.trainer.tokenizers import metaspace

    make_data(folder / "data")
    paths = [folder / f"run{number}" for number in range(NUM_MODELS)]
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        size = {"hidden_size": hidden, "intermediate_size": 4 * hidden, "num_hidden_layers": 7}
        config = LlamaConfig(num_attention_heads=6, vocab_size=len(metaspace(path)), **size)
        LlamaForCausalLM(config).save_pretrained(path)
    (paths[DAMAGED] / "model.safetensors").write_bytes(b"damaged")
    return paths


def watch(process: "subprocess.Popen[bytes]", outputs: Path) -> Iterator[tuple[str, int]]:
    """Yield the latest model with a folder of outputs and the resident bytes of a process until it ends."""
    while process.poll() is None:
        names = sorted(path.name for path in outputs.glob("run*"))
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
        lines = dict(line.split(":", 1) for line in status.splitlines())
        if names and "VmRSS" in lines:
            yield names[-1], 1024 * int(lines["VmRSS"].split()[0])
        sleep(0.02)


if __name__ == "__main__":
    main()
