"""Benchmarks, their items and where they are read from: the values that loaders, evaluations and judges share."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cards.releases import Release
from corpora.catalog import Corpus, load_catalog
from corpora.extensions import row_file
from corpora.tables import STRICT, Regex

TABLE = Path(__file__).with_name("benchmarks.toml")
DIRECTIONS = ("en-xx", "xx-en")


@dataclass(frozen=True)
class Benchmark:
    """A row of `benchmarks.toml`."""

    __pydantic_config__ = STRICT
    name: str
    """The name for `--benchmarks` and in results; the name of the table in the file."""
    task: str
    """How items are read and asked: a task of TASKS, or a loader of your own as `module:function`."""
    metrics: tuple[str, ...]
    """The metrics that are computed where none are chosen."""
    corpus: str = ""
    """The corpus whose files hold the items, and the name of files in a folder of --data."""
    split: str = ""
    """The part of the corpus that is asked."""
    langs: tuple[str, ...] = ()
    """The languages, if neither the corpus nor the folder of --data determines them."""
    num_items: int | dict[str, int] | None = None
    """The number of items in each language, or a table by language; without it, any number is accepted."""
    prompt: str = "paper"
    """The prompt of a translation benchmark, a table below [translation] in prompts.toml."""
    id_pattern: Regex = ""
    """A regular expression that each item's id must match."""
    alternative_codes: dict[str, str] = field(default_factory=dict)
    """Other codes of languages in names of files."""
    lm_eval_task: str = ""
    """The task of lm-evaluation-harness; it may hold {lang} and {flores}, codes of the language."""
    metric_options: dict[str, str] = field(default_factory=dict)
    """Options of metrics, if --metric-option does not give them."""
    max_new_tokens: int = 512
    """The longest answer in tokens, if --max-new-tokens is not given; a longer one leaves less room for the prompt."""
    source: str = ""
    """Where the files of --data can be downloaded."""

    @property
    def where(self) -> str:
        """The row, for errors."""
        return f"{row_file(TABLE, self.name)}, table [{self.name}]"

    def expected_items(self, lang: str) -> int | None:
        """Return how many items a language must hold, None where that is not known."""
        return self.num_items.get(lang) if isinstance(self.num_items, Mapping) else self.num_items


def answer_lang(lang: str, direction: str) -> str:
    """Return the language of the answers of a benchmark in a language and direction."""
    return "en" if direction == "xx-en" else lang


@dataclass(frozen=True)
class Item:
    """One request to a model; `references` are right answers, empty where only a judge can tell."""

    id: str
    instruction: str
    input: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class BenchmarkSource:
    """Where benchmarks are read from: the folder `data` first, then upstream or a mirror of it."""

    data: Path | None = None
    mirror: str | None = None
    offline: bool = False
    downloads: Path = Path("work/downloads")
    corpora_lock: Path = Path("corpora.lock")
    catalog: Mapping[str, Corpus] = field(default_factory=load_catalog)
    allow_size_mismatch: bool = False
    release: Release | None = None


@dataclass(frozen=True)
class Items:
    """The items of a benchmark in one language and direction, and warnings about the file that they come from."""

    items: tuple[Item, ...]
    warnings: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest of all requests and references: values are comparable only where it is the same."""
        rows = [[item.id, item.instruction, item.input, item.references] for item in self.items]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
