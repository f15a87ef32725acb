"""The stages of a run, and RunProgress: those of one run as a part of a sweep."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from corpora.progress import Progress, stage

STAGES = ("loading libraries", "tokenizing", "loading model", "training", "saving model")


def run_stage(
    progress: Progress, name: str, total: int | None = None, unit: str = "rows"
) -> AbstractContextManager[Progress]:
    """Report a block as one of STAGES."""
    return stage(progress, name, STAGES.index(name) + 1, len(STAGES), total, unit)


@dataclass(frozen=True)
class RunProgress:
    """Reports the stages of run `number` of `num_runs` to the progress of a sweep, with the run's name."""

    progress: Progress
    name: str
    number: int
    num_runs: int

    def start(self, stage: str, index: int, count: int, total: int | None = None, unit: str = "rows") -> None:
        """Begin a stage of the run."""
        position = (self.number - 1) * count + index
        self.progress.start(f"{self.name}, {stage}", position, self.num_runs * count, total, unit)

    def advance(self, num: int = 1) -> None:
        """Add units that are done."""
        self.progress.advance(num)

    def extend(self, num: int) -> None:
        """Add units to the total."""
        self.progress.extend(num)

    def note(self, text: str) -> None:
        """Show a short text with the stage."""
        self.progress.note(text)

    def finish(self) -> None:
        """End the stage."""
        self.progress.finish()
