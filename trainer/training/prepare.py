"""What is known before the first step: the rows, their tokens, the model's shape, and what makes the run the same."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from corpora.errors import InputError
from recipes.prompts import PromptTemplate, prompt_template
from trainer.recipe import TrainingRecipe, digest
from trainer.release import KEY, SIZED, Release, choose_config, choose_langs, read_rows
from trainer.run import check_same_run
from trainer.training.batches import Batches, in_order, plan_batches
from trainer.training.example_table import Counts, check_lengths, open_table, read_account, write_table
from trainer.training.examples import Encoder
from trainer.training.model import check_model, count_parameters, model_config, model_said
from trainer.training.tokenizer import load_tokenizer, tokenizer_sha256
from trainer.training.tokens_per_pair import write_costs

SPLITS = ("train", "validation")


@dataclass(frozen=True)
class Request:
    """What a user asks for: a recipe, a release, which of its rows, and where the run is kept.

    `size` keeps that many translations a language (documents where there are none), the first in the order of a
    seeded digest: smaller sizes are parts of larger ones. `sharding` is `none` or an accelerate file for FSDP2, by
    name or path.
    """

    recipe: TrainingRecipe
    release: Release
    out: Path
    config: str | None = None
    langs: tuple[str, ...] = ()
    size: int | None = None
    sharding: str = "none"


@dataclass(frozen=True)
class Prepared:
    """A request with its tables of examples, tokenizer and the model's configuration."""

    request: Request
    config: str
    langs: tuple[str, ...]
    form: PromptTemplate
    tokenizer: Any
    model_config: Any
    model: dict[str, str]
    folder: Path  # of the tables

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The tables of examples by split, mapped into memory."""
        return {split: open_table(self.folder / f"{split}.arrow") for split in SPLITS}

    @cached_property
    def accounts(self) -> dict[str, Counts]:
        """The account of every row by split."""
        return {split: read_account(self.folder / f"{split}.arrow") for split in SPLITS}

    @cached_property
    def num_parameters(self) -> int:
        """The parameters of the model."""
        return count_parameters(self.model_config)

    def keys(self, split: str) -> list[str]:
        """The keys of the examples of a split, without the filler."""
        return list(self.tables[split]["key"].to_pylist()[:-1])

    def lengths(self, split: str = "train") -> np.ndarray:
        """The tokens of each example of a split, the filler's last."""
        return np.asarray(pc.list_value_length(self.tables[split]["input_ids"]))

    def batches(self, num_processes: int) -> Batches:
        """The plan of the run on so many processes."""
        return plan_batches(self.keys("train"), self.lengths(), self.request.recipe, num_processes)

    def validation(self) -> dict[str, list[int]]:
        """The places of each language in the validation table."""
        langs = self.tables["validation"]["lang"].to_pylist()[:-1]
        return {lang: [place for place, of in enumerate(langs) if of == lang] for lang in sorted(set(langs))}

    def identity(self) -> dict[str, Any]:
        """What makes a run the same run: whoever resumes it must agree in all of this."""
        said = {key: value for key, value in self.request.release.said().items() if key != "origin"}
        return {
            "release": said | {"config": self.config, "langs": list(self.langs), "size": self.request.size},
            "recipe": self.request.recipe.learned_from(),
            "prompt": {"name": self.form.name, "sha256": self.form.sha256()},
            "tokenizer": tokenizer_sha256(self.tokenizer),
            "model": self.model,
        }


def prepare(request: Request) -> Prepared:
    """Find and check everything that a run needs and write its tables of examples, unless they are there.

    InputError for whatever can be known to be wrong before the first step.
    """
    recipe, release = request.recipe, request.release
    check_model(recipe)
    config = choose_config(release, request.config)
    langs = choose_langs(release, config, request.langs)
    tokenizer = load_tokenizer(recipe)
    asked = prompt_template(recipe["prompt"])
    tokenizer.chat_template = asked.chat or tokenizer.chat_template  # saved with the model, so that it is asked alike
    shape = model_config(recipe, tokenizer)
    folder = request.out / "examples"
    prepared = Prepared(request, config, langs, asked, tokenizer, shape, model_said(recipe, shape), folder)
    check_same_run(request.out, prepared.identity())  # before anything in the folder is touched
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # of several processes, one writes
        _write_tables(prepared)
    check_lengths(prepared.accounts["train"], recipe)
    return prepared


def _write_tables(prepared: Prepared) -> None:
    """The tables of a run, made where they are not there under the key of what goes into them."""
    key = digest([prepared.identity(), "tables"])
    mark = prepared.folder / "key"
    if mark.exists() and mark.read_text(encoding="utf-8") == key:
        return
    encoder = Encoder(prepared.form, prepared.tokenizer)
    for split in SPLITS:
        rows = read_rows(prepared.request.release, prepared.config, split, prepared.langs)
        if split == "train":
            rows = _subset(rows, prepared)
        write_table(rows, encoder, prepared.request.recipe, prepared.folder / f"{split}.arrow")
    write_costs(prepared.accounts["train"], prepared.request.out / "costs.csv")
    mark.write_text(key, encoding="utf-8")


def _subset(rows: pl.DataFrame, prepared: Prepared) -> pl.DataFrame:
    """The training rows of a request: all, or with `size` translations a language; InputError if there are fewer."""
    request = prepared.request
    if rows.is_empty():
        raise InputError(f"Config '{prepared.config}' of {request.release.origin} has no rows to train on.")
    if request.size is None:
        return rows
    task = next((task for task in SIZED if not rows.filter(task=task).is_empty()), "translation")
    parts = [rows.filter(pl.col("task") != task)]
    for lang in prepared.langs:
        there = rows.filter(task=task, lang=lang)
        if len(there) < request.size:
            raise InputError(
                f"{request.release.origin} has {len(there):,} {SIZED[task]} in {lang}, fewer than {request.size:,}."
            )
        parts.append(there[_nested(there, request.size, request.recipe["seed"])])
    return pl.concat(parts).sort(KEY)


def _nested(rows: pl.DataFrame, size: int, seed: int) -> Sequence[int]:
    """The places of the first `size` rows in the order of a seeded digest."""
    keys = ["\t".join(row) for row in rows.select(KEY).iter_rows()]
    return in_order(keys, "subset", seed)[:size]


def num_processes() -> int:
    """How many processes train together, as their launcher says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this process speaks and writes for all."""
    return int(os.environ.get("RANK", "0")) == 0
