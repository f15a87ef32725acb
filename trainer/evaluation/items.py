"""What a benchmark is and what it asks: the values that its readers, its runs and its judges share."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cards.releases import Release
from corpora.catalog import Corpus, load_catalog

DIRECTIONS = ("en-xx", "xx-en")


@dataclass(frozen=True)
class Benchmark:
    """A row of `benchmarks.toml`; `rows` is what each language must hold, None where that is not known.

    `also` is another code of a language in the names of files. Of an exam, `part` names its file in `tasks/`, `shots`
    counts the worked examples, and `source` is where it is published.
    """

    name: str
    task: str
    metrics: tuple[str, ...]
    corpus: str = ""
    part: str = ""
    id: str = ""
    rows: Mapping[str, int] | int | None = None
    shots: int = 0
    source: str = ""
    also: Mapping[str, str] = field(default_factory=dict)

    def expected(self, lang: str) -> int | None:
        """How many items a language must hold, where upstream says so."""
        return self.rows.get(lang) if isinstance(self.rows, Mapping) else self.rows

    def directions(self, lang: str) -> tuple[str, ...]:
        """What can be asked in a language: both directions of a translation, else one question."""
        if self.task != "translation":
            return ("",)
        return () if lang == "en" else DIRECTIONS


@dataclass(frozen=True)
class Item:
    """One thing that a model is asked, and what counts as right (nothing, where only a judge can say)."""

    id: str
    instruction: str
    input: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where benchmarks are looked for: a folder of the user's own first, then upstream or what stands for it."""

    data: Path | None = None
    mirror: str | None = None
    offline: bool = False
    downloads: Path = Path("work/downloads")
    lock: Path = Path("corpora.lock")
    catalog: Mapping[str, Corpus] = field(default_factory=load_catalog)
    any_rows: bool = False
    release: Release | None = None


@dataclass(frozen=True)
class Items:
    """The items of a benchmark in a language and direction, and what was odd about the file, in sentences."""

    items: tuple[Item, ...]
    odd: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest of everything that is asked and expected: values compare only where it is the same."""
        rows = [[item.id, item.instruction, item.input, item.references] for item in self.items]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
