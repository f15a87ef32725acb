"""The steps of a build: its stages one after the other, reported as steps of the progress of a run.

Tasks of later stages are done while a step waits for those of its own; what is done is reported when it is its turn.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from builders.pipeline.filters import MODEL_FILTER
from builders.workspace import Workspace, all_stages
from corpora.progress import NullProgress, Progress
from recipes.recipe import Recipe

PAIR_STAGES = (
    *("pairs", "measured", "language_ids", "duplicates", "contaminated", "alignment_scores", "model_scores"),
    *("decisions", "bitext", "english_overlap"),
)


def build_stages(recipe: Recipe) -> list[str]:
    """Return the names of the stages that a build of a recipe reports, in their order."""
    is_scored = MODEL_FILTER in recipe.enable_filters
    own = [stage for stage in PAIR_STAGES if stage != "model_scores" or is_scored]
    stages = own if recipe.reads_bitext else []
    stages += ["instructions"] if recipe.instructions else []
    stages += ["translations"] if recipe.instructions and "xx" in recipe.instruction_langs else []
    stages += ["documents"] if recipe.monolingual else []
    return [*stages, "examples", "ledger"]


@dataclass
class Steps:
    """Reports stage after stage, each with the number of the step in the run."""

    work: Workspace
    count: int  # steps of the run
    index: int = 1  # of the next step
    progress: Progress = field(default_factory=NullProgress)

    @contextmanager
    def __call__(self, stage: str, total: int | None = None) -> Iterator[None]:
        """Report the block as a stage of `total` rows; tasks of the workspace advance it."""
        row = all_stages()[stage]
        self.progress.start(row.title[0].lower() + row.title[1:], self.index, self.count, total, row.unit)
        self.work.begin_stage(stage, self.progress)
        try:
            yield
        finally:
            self.work.begin_stage(None, NullProgress())
            self.progress.finish()
            self.index += 1
