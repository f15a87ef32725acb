"""What FSDP does without an error message, on two CPU processes: with TRL alone, and with the trainer.

    python tests/benchmarks/traps.py

Sharding on a CPU needs tests/trainer/shim, which makes accelerate assume GPUs; the first case runs without it.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SHIM = ROOT / "tests" / "trainer" / "shim"


def train_with_trl(trap: str, output: str) -> None:
    """Train with TRL as its documentation describes, in one of two processes, and print the outcome."""
    from datasets import Dataset
    from torch.distributed.tensor import DTensor
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    from trainer.preparation import load_tokenizer
    from trainer.recipe import load_recipe

    tokenizer = load_tokenizer(load_recipe("tiny"))
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    sharded = {"version": 2, "state_dict_type": "SHARDED_STATE_DICT"}
    settings = {
        "ddp": {"use_cpu": True, "activation_checkpointing": False},
        "save": {"fsdp": True, "fsdp_config": sharded, "activation_checkpointing": False},
        "clash": {"fsdp": True, "fsdp_config": sharded | {"activation_checkpointing": True}},
    }[trap]
    try:
        trainer = SFTTrainer(
            model=LlamaForCausalLM(LlamaConfig(**shape, vocab_size=len(tokenizer))),
            args=SFTConfig(output_dir=output, max_steps=2, bf16=False, report_to="none", disable_tqdm=True, **settings),
            train_dataset=Dataset.from_list([{"prompt": "Say yes: ", "completion": "yes"}] * 16),
            processing_class=tokenizer,
        )
        trainer.train()
        trainer.save_model(output + "/last")
    except ValueError as error:
        outcome = f"ValueError: {str(error).splitlines()[0]}"
    else:
        kinds = {"DTensor" if isinstance(p, DTensor) else "plain tensor" for p in trainer.model.parameters()}
        fsdp = os.environ.get("ACCELERATE_USE_FSDP")
        saved = Path(output, "last").exists()
        outcome = f"ran; ACCELERATE_USE_FSDP={fsdp}, {trainer.accelerator.distributed_type}, parameters are {kinds}, "
        outcome += f"save_model wrote {'files' if saved else 'nothing'}"
    if int(os.environ["RANK"]) == 0:
        print(outcome, flush=True)
    sys.stdout.flush()
    os._exit(0)  # tearing the processes' connection down can hang, and there is nothing left to do


def run(command: list[str], shim: bool, **environment: str) -> tuple[int, str]:
    """Run a command; return its exit code and its last line, or its error message."""
    paths = [str(SHIM), str(ROOT)] if shim else [str(ROOT)]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_WAIT_POLICY": "PASSIVE"} | environment
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return done.returncode, (done.stdout.strip().splitlines() or errors or ["nothing"])[-1]


def trl_outcome(trap: str, shim: bool, **environment: str) -> str:
    """Return the outcome with TRL alone."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return run([*torchrun, str(HERE / "traps.py"), trap, mkdtemp()], shim, **environment)[1]


def trainer_outcome(release: Path, output: Path, shim: bool) -> str:
    """Return the outcome of `trainer sft --processes 2`, with a recipe that checkpoints activations too."""
    options = [f"--release={release}", "--config=el", f"--output={output}", "--processes=2"]
    options += ["--set=num_train_epochs=0.1", "--set=activation_checkpointing=true"]
    code, line = run([sys.executable, "-m", "trainer", "sft", "tiny", *options], shim)
    files = sorted(path.name for path in output.glob("model/*.safetensors"))
    return f"exit code {code}: {line.strip()}" if code else f"exit code 0; model/ has {files}"


def main() -> None:
    """Publish the sample and print the outcome of each case with TRL alone and with the trainer."""
    folder = Path(mkdtemp())
    options = [f"--registry={folder / 'registry'}", f"--work={folder / 'work'}"]
    publish = [sys.executable, "-m", "builders", "publish", "coit", "--sample", "--langs=el", *options]
    code, line = run(publish, shim=False)
    assert code == 0, line
    release = folder / "registry" / "coit-sample" / "v1.0.0"
    fsdp = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "ACCELERATE_USE_CPU": "true"}
    show("FSDP trains full copies    TRL:    ", trl_outcome("ddp", shim=False, **fsdp))
    show("                           trainer:", trainer_outcome(release, folder / "a", shim=False))
    sharded = trainer_outcome(release, folder / "b", shim=True)
    show("a sharded save is empty    TRL:    ", trl_outcome("save", shim=True))
    show("                           trainer:", sharded)
    show("checkpointing twice        TRL:    ", trl_outcome("clash", shim=True))
    show("                           trainer:", sharded)


def show(case: str, outcome: str) -> None:
    """Print a line at once."""
    print(case, outcome, flush=True)


if __name__ == "__main__":
    train_with_trl(sys.argv[1], sys.argv[2]) if len(sys.argv) > 1 else main()
