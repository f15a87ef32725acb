"""Builds of a work folder, as the pages read them: filters with their thresholds, and the tables of each part."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import pyarrow.parquet as pq

from builders.pipeline import Filter, read_build_manifest
from corpora.errors import InputError, unknown


class ReplacedError(InputError):
    """A table that a page reads is gone: another build has replaced it, or somebody removed it."""


@dataclass(frozen=True)
class PartFiles:
    """The tables of a part, from which its lines can be read."""

    pairs: Path
    measured: Path
    decisions: Path

    @cached_property
    def num_rows(self) -> int:
        """The number of lines."""
        return int(pq.read_metadata(_existing(self.decisions)).num_rows)


@dataclass(frozen=True)
class Build:
    """The newest build of a recipe."""

    recipe: str
    stamp: int  # changes with every build
    work: Path
    filters: tuple[Filter, ...]
    parts: Mapping[str, tuple[PartFiles, ...]]
    tasks: tuple[str, ...]

    @property
    def langs(self) -> list[str]:
        """The languages with sentence pairs."""
        return list(self.parts)

    def filter(self, name: str) -> Filter:
        """Return a filter by name."""
        for rule in self.filters:
            if rule.name == name:
                return rule
        raise unknown("filter", name, [rule.name for rule in self.filters])

    def files(self, stage: str, prefix: str = "") -> list[Path]:
        """Return the files of a stage, of those tasks whose names begin with a prefix."""
        paths = [self.work / task for task in self.tasks if task.startswith(f"{stage}/{prefix}")]
        return [_existing(path) for path in paths]

    def lang(self, code: str | None) -> str:
        """Return a language of the build, the first if none is named.

        Raises:
            InputError: The build has no such language, or no sentence pairs at all.
        """
        if not self.parts:
            raise InputError(f"The build {self.recipe} has no sentence pairs. Choose another build.")
        if code and code not in self.parts:
            raise unknown("language", code, self.parts)
        return code or next(iter(self.parts))


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ReplacedError(f"{path.name} is gone: the tables of this build were replaced or removed. Reload the page.")
    return path


def list_builds(work: Path) -> list[str]:
    """Return the recipes that have a build, the newest first."""
    paths = sorted((work / "builds").glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [path.stem for path in paths]


def open_build(work: Path, recipe: str | None = None) -> Build:
    """Return the newest build, or that of a recipe.

    Raises:
        InputError: There is none, or its record is damaged.
    """
    if not (names := list_builds(work)):
        raise InputError(f"The work folder {work} has no build yet. Run `builders build`, or name another --work.")
    if recipe and recipe not in names:
        raise unknown("build", recipe, names)
    path = work / "builds" / f"{recipe or names[0]}.json"
    return _read_build(work, path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read_build(work: Path, path: Path, stamp: int) -> Build:
    record = read_build_manifest(path)
    try:
        filters = tuple(Filter(**rule) for rule in record["filters"])
    except TypeError:
        raise InputError(f"{path} is of another version of coit-builders. Build again.") from None
    parts = {
        lang: tuple(PartFiles(**{name: work / file for name, file in part.items()}) for part in own)
        for lang, own in record["parts"].items()
    }
    return Build(record["recipe"], stamp, work, filters, parts, tuple(record["tasks"]))
