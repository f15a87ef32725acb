"""`builders.toml`: a project's defaults for options that name data, and never for those that name code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.tables import STRICT, parse_row, read_toml


@dataclass(frozen=True)
class Project:
    """The keys of `builders.toml`; each is the default of the option of the same name."""

    __pydantic_config__ = STRICT

    langs: tuple[str, ...] = ()
    """Languages beside English."""
    with_: tuple[str, ...] = ()
    """Folders with your own tables; Python functions in them are used only if the command line names the folder."""
    registry: str = ""
    """Registry of releases: a folder or hf://ORG."""
    work: str = ""
    """Work folder."""
    corpora_lock: str = ""
    """Lock file of downloaded corpora."""
    datasets_lock: str = ""
    """Lock file of releases."""
    mirror: str = ""
    """URL or folder used instead of the public servers."""
    translator: str = ""
    """Translation model or translation memory."""
    quality_scores: str = ""
    """Your own scores of sentence pairs."""
    score_with: str = ""
    """Model that scores sentence pairs."""
    threads: int = 0
    """Cores to use."""
    max_memory: str = ""
    """Most memory of a run, such as 4GB."""


def load_project(path: Path) -> dict[str, Any]:
    """Return the values in a `builders.toml` by option; keys that the file leaves out are absent.

    Raises:
        InputError: The file cannot be read, a key is unknown, or a value has the wrong type.
    """
    table = {("with_" if key == "with" else key): value for key, value in read_toml(path).items()}
    project = parse_row(table, Project, str(path))
    return {key: getattr(project, key) for key in table}
