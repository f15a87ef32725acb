"""All that is known before the first step: rows, tokens, the model's shape, and the identity of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from cards.releases import Release
from corpora.errors import InputError
from corpora.progress import NullProgress, Progress
from recipes.prompts import PromptTemplate, prompt_template
from trainer.model_loading import count_parameters
from trainer.preparation.batches import Batches, order_by_digest, schedule_batches
from trainer.preparation.example_table import Counts, check_lengths, open_table, read_counts, write_table
from trainer.preparation.examples import Encoder
from trainer.preparation.model_config import check_model_folder, load_model_config, model_fingerprint
from trainer.preparation.tokenizer import load_tokenizer, tokenizer_sha256
from trainer.preparation.tokens_per_pair import write_tokens_per_pair
from trainer.recipe import TrainingRecipe, digest
from trainer.rows import COUNTED_TASKS, KEY, read_rows
from trainer.run import RunMetadata, begin, check_same_run

SPLITS = ("train", "validation")


@dataclass(frozen=True)
class TrainConfig:
    """A recipe, a release, which of its rows are trained on, and the folder of the run.

    `size` keeps that many translations per language (documents if there are none): the first in the order of a seeded
    digest, so that smaller sizes are parts of larger ones. `mixture` has a size for each language instead, and
    `unique` of how many different rows it is, where rows are repeated. `sharding` is `none` or an accelerate file for
    FSDP2, by name or path. `dtype` is the precision of the finished model, by default its base's; the checkpoints of a
    finished run are removed unless `keep_checkpoints`.
    """

    recipe: TrainingRecipe
    release: Release
    output: Path
    config_name: str | None = None
    langs: tuple[str, ...] = ()
    size: int | None = None
    mixture: Mapping[str, int] | None = None
    unique: Mapping[str, int] = field(default_factory=dict)
    sharding: str = "none"
    dtype: str | None = None
    keep_checkpoints: bool = False


def mixture_text(mixture: Mapping[str, int] | None, unique: Mapping[str, int]) -> str:
    """Return a mixture as `--mixture` takes it: `el=500,hi=1000/250`, where 250 rows are seen four times."""
    parts = {lang: f"/{unique[lang]}" if lang in unique else "" for lang in mixture or {}}
    return ",".join(f"{lang}={size}{parts[lang]}" for lang, size in (mixture or {}).items())


@dataclass(frozen=True)
class TrainState:
    """A TrainConfig with its tables of examples, tokenizer, and the configuration of the model."""

    config: TrainConfig
    config_name: str
    langs: tuple[str, ...]
    template: PromptTemplate
    tokenizer: Any
    model_config: Any
    model: dict[str, str]
    tables_folder: Path

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The tables of examples by split, mapped into memory."""
        return {split: open_table(self.tables_folder / f"{split}.arrow") for split in SPLITS}

    @cached_property
    def counts(self) -> dict[str, Counts]:
        """The counts of all rows by split."""
        return {split: read_counts(self.tables_folder / f"{split}.arrow") for split in SPLITS}

    @cached_property
    def num_parameters(self) -> int:
        """The number of parameters of the model."""
        return count_parameters(self.model_config)

    def keys(self, split: str) -> list[str]:
        """Return the keys of the examples of a split, without the padding row."""
        return list(self.tables[split]["key"].to_pylist()[:-1])

    def lengths(self, split: str = "train") -> np.ndarray:
        """Return the tokens of each example of a split; the padding row is last."""
        return np.asarray(pc.list_value_length(self.tables[split]["input_ids"]))

    def batches(self, num_processes: int) -> Batches:
        """Return the batches of the run on so many processes."""
        return schedule_batches(self.keys("train"), self.lengths(), self.config.recipe, num_processes)

    def validation(self) -> dict[str, list[int]]:
        """Return the indices of each language in the validation table."""
        langs = self.tables["validation"]["lang"].to_pylist()[:-1]
        return {lang: [index for index, other in enumerate(langs) if other == lang] for lang in sorted(set(langs))}

    def identity(self) -> dict[str, Any]:
        """Return what makes a run the same run; a run continues only if all of it is equal."""
        release = {key: value for key, value in self.config.release.describe().items() if key != "origin"}
        part: dict[str, Any] = {"config": self.config_name, "langs": list(self.langs), "size": self.config.size}
        if self.config.mixture:
            part["mixture"] = dict(sorted(self.config.mixture.items()))
        if self.config.unique:
            part["unique"] = dict(sorted(self.config.unique.items()))
        return {
            "release": release | part,
            "recipe": self.config.recipe.training_settings(),
            "prompt": {"name": self.template.name, "sha256": self.template.sha256()},
            "tokenizer": tokenizer_sha256(self.tokenizer),
            "model": self.model,
        }


def prepare(config: TrainConfig, progress: Progress | None = None) -> TrainState:
    """Find and check all that a run needs, and write its tables of examples unless they exist.

    Args:
        config: The recipe, the release, and the folder of the run.
        progress: Advances by the rows that are tokenized.

    Raises:
        InputError: Anything that can be known to be wrong before the first step.
    """
    recipe, release = config.recipe, config.release
    check_model_folder(recipe)
    config_name = release.resolve_config(config.config_name)
    langs = release.resolve_langs(config_name, config.langs)
    tokenizer = load_tokenizer(recipe)
    template = prompt_template(recipe["prompt"])
    tokenizer.chat_template = template.chat or tokenizer.chat_template  # saved with the model, for inference
    shape = load_model_config(recipe, tokenizer)
    model = model_fingerprint(recipe)
    tables_folder = config.output / "examples"
    state = TrainState(config, config_name, langs, template, tokenizer, shape, model, tables_folder)
    check_same_run(config.output, state.identity())  # before anything in the folder is touched
    tables_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(tables_folder / ".lock"):  # of several processes, one writes
        _write_tables(state, progress or NullProgress())
    check_lengths(state.counts["train"], recipe)
    return state


def begin_run(state: TrainState, processes: int) -> RunMetadata:
    """Return the metadata of a run that begins."""
    config = state.config
    origin, sharding = config.release.origin, config.sharding
    return begin(state.identity(), origin, config.recipe, state.num_parameters, state.counts, processes, sharding)


def _write_tables(state: TrainState, progress: Progress) -> None:
    """Write the tables of a run unless they exist for the same key."""
    key = digest([state.identity(), "tables"])
    key_file = state.tables_folder / "key"
    if key_file.exists() and key_file.read_text(encoding="utf-8") == key:
        return
    encoder = Encoder(state.template, state.tokenizer)
    for split in SPLITS:
        rows = read_rows(state.config.release, state.config_name, split, state.langs)
        if split == "train":
            rows = _take_size(rows, state)
        progress.extend(len(rows))
        write_table(rows, encoder, state.config.recipe, state.tables_folder / f"{split}.arrow", progress)
    write_tokens_per_pair(state.counts["train"], state.config.output / "tokens_per_pair.csv")
    key_file.write_text(key, encoding="utf-8")


def _take_size(rows: pl.DataFrame, state: TrainState) -> pl.DataFrame:
    """Return the rows to train on: all, or so many translations of each language beside the rows of other tasks.

    Raises:
        InputError: There are no rows, or too few in a language.
    """
    config = state.config
    if rows.is_empty():
        raise InputError(f"Config '{state.config_name}' of {config.release.origin} has no rows to train on.")
    if config.size is None and config.mixture is None:
        return rows
    task = next((task for task in COUNTED_TASKS if not rows.filter(task=task).is_empty()), "translation")
    parts = [rows.filter(pl.col("task") != task)]
    for lang in state.langs:
        available = rows.filter(task=task, lang=lang)
        size = (config.mixture or {}).get(lang, config.size or 0)
        num_rows = config.unique.get(lang, size)
        check_size(config.release.origin, task, lang, len(available), num_rows)
        parts.append(_repeat(available[_nested_subset(available, num_rows, config.recipe["seed"])], size))
    return pl.concat(parts).sort(KEY)


def _repeat(rows: pl.DataFrame, size: int) -> pl.DataFrame:
    """Return rows repeated to a size, each copy with an id of its own, so that copies are shuffled apart."""
    copies = [
        rows.with_columns(id=pl.col("id") + (f"#{number}" if number > 1 else ""))
        for number in range(1, -(-size // max(len(rows), 1)) + 1)
    ]
    return pl.concat(copies or [rows]).head(size)


def check_size(origin: str, task: str, lang: str, available: int, size: int) -> None:
    """Raise InputError if a release has fewer rows of a task in a language than a run needs."""
    if available < size:
        raise InputError(f"{origin} has {available:,} {COUNTED_TASKS[task]} in {lang}, fewer than {size:,}.")


def _nested_subset(rows: pl.DataFrame, size: int, seed: int) -> Sequence[int]:
    """Return the indices of the first `size` rows in the order of a seeded digest."""
    keys = ["\t".join(row) for row in rows.select(KEY).iter_rows()]
    return order_by_digest(keys, "subset", seed)[:size]
