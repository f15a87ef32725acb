"""Launching: a run in this process, or in several that train one model together."""

import logging
import os
import sys
from pathlib import Path

import yaml

from corpora.errors import InputError
from trainer.run import Record, Stopped, begin, read_record, write_record
from trainer.training.prepare import Request, is_main, prepare

LAUNCHED = "WORLD_SIZE"  # set by torchrun and accelerate for the processes that they start
STARTED_HERE = "COIT_TRAINER_STARTED"  # set by us for the processes that we start: we speak for them
GRACE = 600  # seconds that processes get to write a checkpoint once they were told to stop


def reports() -> bool:
    """Whether this process tells how a run ended: the one that was started by hand, or the first of several."""
    return is_main() and STARTED_HERE not in os.environ


def train(request: Request, processes: int) -> Record:
    """Train as a request says, in this process or in so many new ones; the run's record. Stopped if a signal did so."""
    if processes == 1:
        from trainer.sft import sft

        return sft(request)
    if LAUNCHED in os.environ:
        raise InputError("--processes starts processes, but this one was started by torchrun or accelerate already.")
    prepared = prepare(request)  # what can be known to be wrong is said once, before anything starts
    prepared.batches(processes)
    record = read_record(request.out)
    if record is None:
        write_record(request.out, begin(prepared, processes, request.sharding) | {"status": "prepared"})
    elif record["status"] == "done":
        return record
    code = _launch(_arguments(request), processes)
    return _result(request.out, code)


def _result(out: Path, code: int) -> Record:
    """What the processes left behind; they have said themselves what was wrong."""
    record = read_record(out)
    if record and record["status"] == "stopped":
        raise Stopped(record["steps"], record["num_steps"])
    if code or record is None:
        sys.exit(code or 1)
    return record


def _launch(arguments: list[str], processes: int) -> int:
    """Run `trainer` in `processes` processes of this machine; the exit code of the first to fail.

    The same as `torchrun --nproc-per-node N -m trainer ...`: a signal reaches every process, and torchrun waits
    for them to save.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import get_args_parser, run

    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("torch.distributed.elastic", "torch.distributed.run")):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    os.environ[STARTED_HERE] = "1"
    options = ["--standalone", f"--nproc-per-node={processes}", f"--shutdown-timeout={GRACE}"]
    try:
        run(get_args_parser().parse_args([*options, "-m", "trainer", *arguments]))
    except ChildFailedError as failed:
        return int(failed.get_first_failure()[1].exitcode)
    except SignalException as stopped:
        return 128 + int(stopped.sigval)
    finally:
        del os.environ[STARTED_HERE]
    return 0


def _arguments(request: Request) -> list[str]:
    """The command of one process of a run; the recipe, as it was changed, goes along as a file."""
    recipe = request.out / f"{request.recipe.name}.yaml"
    recipe.write_text(yaml.safe_dump(dict(request.recipe.settings), allow_unicode=True, sort_keys=False), "utf-8")
    asked = {"release": request.release.folder, "out": request.out, "sharding": request.sharding}
    asked |= {"config": request.config, "langs": ",".join(request.langs), "size": request.size}
    return ["sft", str(recipe), *[f"--{name}={value}" for name, value in asked.items() if value]]
