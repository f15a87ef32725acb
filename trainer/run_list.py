"""list_runs() and show_run(): what the runs of a folder are, read from their files alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from corpora.arguments import checked
from corpora.errors import InputError
from corpora.progress import duration, format_bytes
from trainer.losses import LOSSES, read_losses_file
from trainer.run import FILE, RunMetadata, read_metadata


@dataclass(frozen=True, repr=False)
class RunSummary:
    """What a run is; `print` shows it as text."""

    folder: Path
    metadata: RunMetadata
    """The content of run.json."""
    losses: list[dict[str, Any]]
    """The logged steps so far."""

    @property
    def row(self) -> dict[str, Any]:
        """The run in one row."""
        release, last = self.metadata["release"], self.losses[-1] if self.losses else {}
        evaluation = self.metadata.get("evaluations") or [{}]
        langs = [metrics["loss"] for metrics in evaluation[-1].values() if isinstance(metrics, dict)]
        return {
            "run": self.folder.name,
            "status": self.metadata["status"],
            "recipe": self.metadata["recipe"]["name"],
            "release": f"{release['name']}@{release['version']}",
            "config": release["config"],
            "size": self.metadata["size"],
            "seed": self.metadata["seed"],
            "step": self.metadata.get("step", last.get("step")),
            "tokens": self.metadata.get("num_tokens", last.get("num_tokens")),
            "loss": last.get("loss"),
            "validation loss": sum(langs) / len(langs) if langs else None,
        }

    def __repr__(self) -> str:
        return "\n".join(_lines(self))


@dataclass(frozen=True, repr=False)
class RunList:
    """The runs of a folder, and the folders that hold none."""

    runs: tuple[RunSummary, ...]
    damaged: tuple[str, ...] = ()
    """A sentence for each folder whose run.json cannot be read."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each run."""
        return [run.row for run in self.runs]

    def __repr__(self) -> str:
        table = tabulate(self.rows, headers="keys", floatfmt=".3f", intfmt=",", missingval="")
        return "\n".join([table if self.runs else "There are no runs.", *self.damaged])


@checked
def list_runs(runs: str | Path = "runs") -> RunList:
    """Return the runs of a folder, by name.

    Args:
        runs: The folder of the runs' folders.

    Raises:
        InputError: There is no such folder.
    """
    folder = Path(runs)
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}. Name the folder of the runs with --runs.")
    summaries, damaged = [], []
    for path in sorted(file.parent for file in folder.glob(f"*/{FILE}")):
        try:
            summaries.append(show_run(path))
        except InputError as error:
            damaged.append(str(error))
    return RunList(tuple(summaries), tuple(damaged))


@checked
def show_run(run: str | Path) -> RunSummary:
    """Return what a run was trained on, how, and what came of it.

    Args:
        run: The folder of a run, or of its model.

    Raises:
        InputError: It is no folder of a run.
    """
    folder = Path(run)
    if folder.name == "model" and (folder.parent / FILE).is_file():
        folder = folder.parent
    metadata = read_metadata(folder) if folder.is_dir() else None
    if metadata is None:
        what = "is a file" if folder.is_file() else "holds no run.json" if folder.is_dir() else "does not exist"
        raise InputError(f"{folder} {what}, so it is not a run. `trainer list` shows the runs of a folder.")
    losses = metadata.get("losses") if metadata["status"] == "done" else None
    return RunSummary(folder, metadata, read_losses_file(folder / LOSSES) or losses or [])


def _lines(summary: RunSummary) -> Iterator[str]:
    """Yield the lines of a run."""
    metadata, release, row = summary.metadata, summary.metadata["release"], summary.row
    yield f"{summary.folder}: {metadata['status']}"
    if "error" in metadata:
        yield f"  error       {metadata['error']}"
    yield f"  recipe      {metadata['recipe']['name']}, seed {metadata['seed']}, prompt {metadata['prompt']['name']}"
    yield f"  release     {row['release']}, config {release['config']}, {', '.join(release['langs'])}"
    size = f", saved as {metadata['dtype']}" if "dtype" in metadata else ""
    yield f"  model       {metadata['model']['name']}, {metadata['model']['num_parameters']:,} parameters{size}"
    if row["step"]:
        total = f" of {metadata['num_steps']:,}" if "num_steps" in metadata else ""
        yield f"  steps       {row['step']:,}{total}, {row['tokens']:,} tokens"
    if summary.losses:
        yield f"  loss        {summary.losses[0]['loss']:.3f} -> {summary.losses[-1]['loss']:.3f}"
    for lang, metrics in (metadata.get("evaluations") or [{}])[-1].items():
        if isinstance(metrics, dict):
            yield f"  validation  {lang}: loss {metrics['loss']:.3f}, token accuracy {metrics['token_accuracy']:.1%}"
    for number, session in enumerate(metadata["sessions"], 1):
        yield f"  session {number}   {_session_text(session)}"
        yield f"    command   {session.get('command', '')}"


def _session_text(session: dict[str, Any]) -> str:
    devices = session.get("devices") or [session["device"]]
    parts = [
        session["began"],
        duration(session["seconds"]) if "seconds" in session else "not ended",
        _processes_text(session),
        f"sharding {session['sharding']}" if "sharding" in session else "",
        f"{session['parameter_dtype']}/{session['compute_dtype']}" if "compute_dtype" in session else "",
        f"{len(devices)} x {devices[0]}" if session.get("devices") else str(devices[0]),
        f"{session['tokens_per_second']:,.0f} tokens/s" if session.get("tokens_per_second") else "",
        f"{format_bytes(session['peak_memory_bytes'])}" if "peak_memory_bytes" in session else "",
        f"commit {session['git_commit'][:12]}" if session.get("git_commit") else "",
    ]
    return ", ".join(filter(None, parts))


def _processes_text(session: dict[str, Any]) -> str:
    count, nodes = session.get("world_size", 1), session.get("nodes", 1)
    if count == 1:
        return "one process"
    return f"{count} processes on {nodes} machine{'s' if nodes > 1 else ''} by {session.get('launcher')}"
