"""What the pages show: the folders and files of a project."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """The folders and files that a user names when the server starts."""

    work: Path = Path("work")
    registry: str = "registry"
    runs: Path = Path("runs")
    labels: Path = Path("labels.csv")
    recipe_file: Path | None = None  # where thresholds are saved
    annotator: str = ""
    laws: Path = Path("laws.json")
    results: Path = Path("results.jsonl")
