"""Run and Sweep: what training returns, with text for a terminal and tables for a notebook."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.format import run_html, run_text, sweep_row, sweep_table
from trainer.run import RunMetadata


@dataclass(frozen=True, repr=False)
class Run:
    """A trained model; a function that takes a path takes a run too."""

    folder: Path
    """The folder with run.json, the checkpoints, and `model`."""
    metadata: RunMetadata
    """The content of run.json."""

    @property
    def model(self) -> Path:
        """The folder of the finished model, which `transformers` loads."""
        return self.folder / "model"

    @property
    def losses(self) -> list[dict[str, Any]]:
        """The training losses (nats per target token) by step."""
        return self.metadata["losses"]

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """Loss and token accuracy on validation rows by step and language."""
        return self.metadata["evaluations"]

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        return run_text(self.metadata, self.folder)

    def _repr_html_(self) -> str:
        return run_html(self.metadata, self.folder)


@dataclass(frozen=True, repr=False)
class Sweep:
    """The runs of a sweep, smallest first."""

    runs: tuple[Run, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    """The error of each run that failed, by the name of its folder."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Language, size, seed, tokens, loss, token accuracy and folder of each run."""
        return [sweep_row(run.metadata, run.folder) for run in self.runs]

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        failed = [f"{name} failed: {error}" for name, error in self.failures.items()]
        return "\n".join([sweep_table(self.rows) if self.runs else "No run is finished.", *failed])

    def _repr_html_(self) -> str:
        return sweep_table(self.rows, "html")
