"""The processes of a run: how many train together, who started them, and which of them writes and reports."""

import os
import re
import sys

from corpora.errors import InputError
from trainer.child_processes import end_with_parent
from trainer.recipe import fsdp_settings

WORLD_SIZE = "WORLD_SIZE"  # set by torchrun and accelerate in the processes that they start
STARTED_HERE = "COIT_TRAINER_COMMAND"  # the command of `trainer`, in the processes that it starts and reports for
BY_SRUN = "COIT_TRAINER_SRUN"  # set by `join_slurm` in the processes that srun has started
NO_SHARDING, BY_ACCELERATE = "none", "accelerate"  # values of --sharding; the second follows accelerate's variables
OTHER_PLUGINS = {
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "a parallelism configuration",
}
FIRST_PORT, NUM_PORTS = 20_000, 10_000  # of the rendezvous under Slurm, chosen by the job's number


def num_processes() -> int:
    """Return how many processes train together, as their launcher says."""
    return int(os.environ.get(WORLD_SIZE, "1"))


def num_nodes() -> int:
    """Return on how many machines the processes run."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", num_processes()))
    return -(-num_processes() // max(1, local))


def is_launched() -> bool:
    """Return True in a process that torchrun, accelerate or srun started."""
    return WORLD_SIZE in os.environ


def is_main() -> bool:
    """Return True in the process that writes files for all."""
    return int(os.environ.get("RANK", "0")) == 0


def reports_result() -> bool:
    """Return True in the process that prints the result: the one that the user started, or the first of several."""
    return is_main() and STARTED_HERE not in os.environ


def end_with_agent() -> None:
    """Let this process save and stop when torchrun's agent is gone, which SIGUSR1 and SIGKILL end without a word."""
    if "TORCHELASTIC_RUN_ID" in os.environ and sys.platform == "linux":
        end_with_parent()


def launcher() -> str:
    """Return who started the processes of the run."""
    if STARTED_HERE in os.environ:
        return "trainer --processes"
    if BY_SRUN in os.environ:
        return "srun"
    if not is_launched():
        return "one process"
    return "accelerate launch" if "ACCELERATE_DYNAMO_BACKEND" in os.environ else "torchrun"


def join_slurm() -> None:
    """Set torch's variables from Slurm's if srun started this process as one of several.

    A job script and a task of a job array are single processes: only a step of srun has several tasks.
    """
    variables = os.environ
    if is_launched() or int(variables.get("SLURM_STEP_NUM_TASKS", "1")) < 2:
        return
    job, step = int(variables.get("SLURM_JOB_ID", "0")), int(variables.get("SLURM_STEP_ID", "0"))
    num_tasks, num_hosts = int(variables["SLURM_STEP_NUM_TASKS"]), int(variables.get("SLURM_STEP_NUM_NODES", "1"))
    settings = {
        "RANK": variables["SLURM_PROCID"],
        "LOCAL_RANK": variables["SLURM_LOCALID"],
        "WORLD_SIZE": str(num_tasks),
        "LOCAL_WORLD_SIZE": str(-(-num_tasks // num_hosts)),
        "MASTER_ADDR": first_host(variables.get("SLURM_STEP_NODELIST", "127.0.0.1")),
        "MASTER_PORT": str(FIRST_PORT + (job + step) % NUM_PORTS),
    }
    variables.update({name: variables.get(name, value) for name, value in settings.items()} | {BY_SRUN: "1"})


def first_host(nodes: str) -> str:
    """Return the first host of Slurm's list of nodes: `gpu[03-05,9],cpu1` gives `gpu03`."""
    match = re.match(r"([^,\[]+)(?:\[(\d+)[^\]]*\]([^,]*))?", nodes)
    return "".join(part or "" for part in match.groups()) if match else nodes


def choose_sharding(sharding: str | None, processes: int) -> str:
    """Return how the parameters are divided: `none`, an accelerate file for FSDP2, or as accelerate was started.

    Args:
        sharding: What the user chose. By default, several processes shard.
        processes: The processes that this command starts.

    Raises:
        InputError: `accelerate launch` was started with something else than FSDP2, or with another choice.
    """
    for variable, name in OTHER_PLUGINS.items():
        if os.environ.get(variable, "false").lower() == "true":
            raise InputError(
                f"accelerate launch was started with {name}, and only FSDP2 is supported. "
                "Use --config_file recipes/training/fsdp2.yaml."
            )
    if os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true":
        return _sharding_of_accelerate(sharding)
    if sharding not in (None, NO_SHARDING):
        fsdp_settings(sharding)  # a file that is not one is an error before anything else
    count = max(processes, num_processes())
    if count == 1 and sharding not in (None, NO_SHARDING):
        raise InputError(
            f"--sharding {sharding} divides the parameters among several processes, and this is one. "
            "Start several with --processes N, torchrun, accelerate launch or srun, or leave --sharding out."
        )
    return sharding or ("fsdp2" if count > 1 else NO_SHARDING)


def _sharding_of_accelerate(sharding: str | None) -> str:
    if os.environ.get("FSDP_VERSION", "1") != "2":
        raise InputError(
            "accelerate launch was started with the first FSDP, which transformers is removing. Set "
            "'fsdp_version: 2' in its file, or use recipes/training/fsdp2.yaml."
        )
    if sharding is not None:
        raise InputError(
            f"accelerate launch was started with FSDP, so --sharding {sharding} cannot be chosen as well. "
            "Leave one of the two out."
        )
    return BY_ACCELERATE
