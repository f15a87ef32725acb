"""launch(): train in this process, or start several that train one model together."""

import logging
import os
from pathlib import Path

import yaml

from corpora.errors import InputError
from corpora.progress import NullProgress, Progress
from trainer.preparation import TrainConfig, begin_run, mixture_text, prepare
from trainer.processes import STARTED_HERE, end_with_agent, is_launched, is_main
from trainer.run import ProcessesFailed, RunMetadata, Stopped, read_metadata, write_metadata
from trainer.run_progress import RunProgress, run_stage
from trainer.session import command_line

SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"  # that torchrun's agent passes on
GRACE_S = 600  # processes get this long to write a checkpoint after a signal


def launch(config: TrainConfig, processes: int, progress: Progress | None = None) -> RunMetadata:
    """Train in this process, or in `processes` new ones.

    Args:
        config: The recipe, the release, and the folder of the run.
        processes: The number of processes.
        progress: Reports the stages. Of several processes, the first reports in its own way.

    Raises:
        InputError: The run cannot be trained as configured.
        Stopped: A signal ended the run; a checkpoint is saved.
        ProcessesFailed: The processes ended with an error, which they have printed.
    """
    progress = progress or NullProgress()
    if processes == 1:
        end_with_agent()
        with run_stage(progress if is_main() else NullProgress(), "loading libraries"):
            from trainer.train import train  # imports torch and trl

        return train(config, progress)
    if is_launched():
        raise InputError("--processes starts processes, but torchrun or accelerate has already started this one.")
    state = prepare(config)  # errors are reported once, before any process starts
    state.batches(processes)
    metadata = read_metadata(config.output)
    if metadata is None:
        metadata = begin_run(state, processes)
        metadata["status"] = "prepared"
        write_metadata(config.output, metadata)
    elif metadata["status"] == "done":
        return metadata
    return _result(config.output, _start_processes([*_arguments(config), *_message_options(progress)], processes))


def _result(output: Path, code: int) -> RunMetadata:
    """Return what the processes wrote; they have reported their own errors."""
    metadata = read_metadata(output)
    if metadata and metadata["status"] == "stopped":
        raise Stopped(metadata["step"], metadata["num_steps"])
    if code or metadata is None:
        raise ProcessesFailed(code or 1)
    return metadata


def _start_processes(arguments: list[str], processes: int) -> int:
    """Run `trainer` in several processes of this machine; return the exit code of the first that fails, or 0.

    This is `torchrun --nproc-per-node N -m trainer ...`: a signal reaches every process, and torchrun waits until
    they have saved.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import get_args_parser, run

    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("torch.distributed.elastic", "torch.distributed.run")):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    os.environ[STARTED_HERE] = command_line()
    options = ["--standalone", f"--nproc-per-node={processes}", f"--shutdown-timeout={GRACE_S}"]
    options += [f"--signals-to-handle={SIGNALS}"]
    try:
        run(get_args_parser().parse_args([*options, "-m", "trainer", *arguments]))
    except ChildFailedError as failed:
        return int(failed.get_first_failure()[1].exitcode)
    except SignalException as stopped:
        return 128 + int(stopped.sigval)
    finally:
        del os.environ[STARTED_HERE]
    return 0


def _arguments(config: TrainConfig) -> list[str]:
    """Return the command line of one process; the recipe with its changed settings is passed as a file."""
    recipe = config.output / f"{config.recipe.name}.yaml"
    recipe.write_text(yaml.safe_dump(dict(config.recipe.settings), allow_unicode=True, sort_keys=False), "utf-8")
    options = {"release": config.release.folder(), "output": config.output, "sharding": config.sharding}
    options |= {"config": config.config_name, "langs": ",".join(config.langs), "size": config.size}
    options |= {"mixture": mixture_text(config.mixture, config.unique)}
    options |= {"dtype": config.dtype}
    kept = ["--keep-checkpoints"] if config.keep_checkpoints else []
    return ["sft", str(recipe), *[f"--{name}={value}" for name, value in options.items() if value], *kept]


def _message_options(progress: Progress) -> list[str]:
    """Return the options with which the processes report as this one does."""
    handlers = logging.getLogger("trainer").handlers
    files = [handler.baseFilename for handler in handlers if isinstance(handler, logging.FileHandler)]
    inner = progress.progress if isinstance(progress, RunProgress) else progress
    quiet = ["--quiet"] if isinstance(inner, NullProgress) else []
    return [*quiet, *[f"--log-file={file}" for file in files[:1]]]
