"""What FSDP does in silence, on two CPU processes: shown without our guard and with it.

    python tests/benchmarks/traps.py

Sharding on a CPU needs tests/trainer/shim, which lets accelerate believe that it has GPUs; the first trap is what
happens without it.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SHIM = ROOT / "tests" / "trainer" / "shim"


def plain(trap: str, out: str) -> None:
    """TRL as its documentation has it, in one of two processes; prints what came of it."""
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
            args=SFTConfig(output_dir=out, max_steps=2, bf16=False, report_to="none", disable_tqdm=True, **settings),
            train_dataset=Dataset.from_list([{"prompt": "Say yes: ", "completion": "yes"}] * 16),
            processing_class=tokenizer,
        )
        trainer.train()
        trainer.save_model(out + "/last")
    except ValueError as error:
        said = f"ValueError: {str(error).splitlines()[0]}"
    else:
        kinds = {"DTensor" if isinstance(p, DTensor) else "plain tensor" for p in trainer.model.parameters()}
        fsdp = os.environ.get("ACCELERATE_USE_FSDP")
        saved = Path(out, "last").exists()
        said = f"ran; ACCELERATE_USE_FSDP={fsdp}, {trainer.accelerator.distributed_type}, parameters are {kinds}, "
        said += f"save_model wrote {'files' if saved else 'nothing'}"
    if int(os.environ["RANK"]) == 0:
        print(said, flush=True)
    sys.stdout.flush()
    os._exit(0)  # tearing the processes' connection down can hang, and there is nothing left to do


def run(command: list[str], shim: bool, **environment: str) -> tuple[int, str]:
    """A command's exit code and the last line that it says, or the sentence of its error."""
    paths = [str(SHIM), str(ROOT)] if shim else [str(ROOT)]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_WAIT_POLICY": "PASSIVE"} | environment
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return done.returncode, (done.stdout.strip().splitlines() or told or ["nothing"])[-1]


def without(trap: str, shim: bool, **environment: str) -> str:
    """What plain TRL makes of a trap."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return run([*torchrun, str(HERE / "traps.py"), trap, mkdtemp()], shim, **environment)[1]


def guarded(release: Path, out: Path, shim: bool) -> str:
    """What `trainer sft --processes 2` makes of it, with a recipe that checkpoints activations too."""
    options = [f"--release={release}", "--config=el", f"--output={out}", "--processes=2"]
    options += ["--set=num_train_epochs=0.1", "--set=activation_checkpointing=true"]
    code, said = run([sys.executable, "-m", "trainer", "sft", "tiny", *options], shim)
    files = sorted(path.name for path in out.glob("model/*.safetensors"))
    return f"exit code {code}: {said.strip()}" if code else f"exit code 0; model/ holds {files}"


def main() -> None:
    """Publish the sample and walk into each trap, without the guard and with it."""
    folder = Path(mkdtemp())
    publish = "from builders.cli.main import main; main()"
    where = [f"--to={folder / 'registry'}", f"--work={folder / 'work'}", f"--lock={folder / 'lock'}"]
    run([sys.executable, "-c", publish, "publish", "coit", "--sample", "--langs=el", *where], shim=False)
    release = folder / "registry" / "coit-sample" / "v1.0.0"
    fsdp = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "ACCELERATE_USE_CPU": "true"}
    say("FSDP is silently DDP       without:", without("ddp", shim=False, **fsdp))
    say("                           with:   ", guarded(release, folder / "a", shim=False))
    right = guarded(release, folder / "b", shim=True)
    say("a sharded save is empty    without:", without("save", shim=True))
    say("                           with:   ", right)
    say("checkpointing twice        without:", without("clash", shim=True))
    say("                           with:   ", right)


def say(trap: str, outcome: str) -> None:
    """Print a line at once."""
    print(trap, outcome, flush=True)


if __name__ == "__main__":
    plain(sys.argv[1], sys.argv[2]) if len(sys.argv) > 1 else main()
