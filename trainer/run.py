"""RunMetadata: run.json, which records what a run trained on, with what, and what came of it."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.strict_json import load_json
from trainer.recipe import TrainingRecipe, digest

FILE = "run.json"
VERSION = 2
Composition = dict[str, dict[str, int]]  # task -> language -> examples


class ParentRun(TypedDict):
    """The run that made the model that another run starts from."""

    key: str
    name: str
    cumulative_examples: Composition


class RunMetadata(TypedDict):
    """The content of run.json."""

    metadata_version: int
    status: Literal["prepared", "running", "stopped", "failed", "done"]
    key: str  # the digest of `identity`
    identity: dict[str, Any]  # all that makes this run the same run
    release: dict[str, Any]  # name, version, manifest_sha256, origin, config, langs, size
    size: int | None  # translations (or documents) per language, if limited
    seed: int
    recipe: dict[str, Any]  # name, settings
    prompt: dict[str, str]  # name, sha256
    tokenizer: str  # sha256
    model: dict[str, Any]  # name, sha256 or commit, num_parameters
    example_counts: list[dict[str, Any]]  # by split, language and task
    composition: Composition  # the examples that are trained
    parent_run: ParentRun | None
    processes: int
    sharding: str  # how the parameters were divided: `fsdp2`, `copies` of several processes, or `none`
    sessions: list[dict[str, Any]]  # one for each start of the command
    error: NotRequired[str]  # why the last start of the command failed
    dtype: NotRequired[str]  # of the finished model
    weights_sha256: NotRequired[str]  # of the finished model's files
    step: NotRequired[int]
    num_steps: NotRequired[int]
    num_tokens: NotRequired[int]  # trained so far, over all epochs
    losses: NotRequired[list[dict[str, Any]]]
    evaluations: NotRequired[list[dict[str, Any]]]  # by step: {"step": 4, "el": {"loss": ..., "token_accuracy": ...}}


class Stopped(Exception):
    """A signal stopped a run, which left a checkpoint; `args` are the step and the number of steps."""


class Diverged(InputError):
    """A loss or a gradient is not a finite number, so the run ended; the last checkpoint is from before."""


class ProcessesFailed(Exception):
    """The processes of a run ended with an error, which they have printed; `args` is the exit code."""


def read_metadata(folder: Path) -> RunMetadata | None:
    """Return the metadata of a run's folder, or None if it has none.

    Raises:
        InputError: The file is damaged or of another version.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        metadata = load_json(path.read_text(encoding="utf-8"))
        assert metadata["metadata_version"] == VERSION
        assert metadata.keys() >= {"key", "status", "identity"}
    except (ValueError, KeyError, TypeError, AssertionError, AttributeError):
        raise InputError(
            f"{path} is damaged or of another version. Move {folder} away, or name another folder with --output."
        ) from None
    return cast(RunMetadata, metadata)


def write_metadata(folder: Path, metadata: RunMetadata) -> None:
    """Write the metadata of a run atomically."""
    with atomic_path(folder / FILE) as temporary:
        text = json.dumps(metadata, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def check_same_run(folder: Path, identity: Mapping[str, Any]) -> None:
    """Check that a folder is empty or holds the run with this identity.

    Raises:
        InputError: It holds another run (the message lists the differences) or checkpoints of an unknown one.
    """
    if file := next((path for path in (folder, *folder.parents) if path.is_file()), None):
        raise InputError(f"{file} is a file, so no run can be in {folder}. Name another folder with --output.")
    metadata = read_metadata(folder)
    if metadata is None:
        if list(folder.glob("checkpoint-*")):
            raise InputError(
                f"{folder} has checkpoints but no {FILE}, so their run is unknown. Name another folder with --output."
            )
    elif metadata["key"] != digest(identity):
        differences = "; ".join(_differences(metadata["identity"], identity))
        raise InputError(
            f"{folder} holds another run ({differences}). Name another folder with --output, or move it away."
        )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the values in which two identities differ, as text."""
    differences = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            differences += _differences(old, new, f"{path}{key}.")
        elif old != new:
            differences.append(f"{path}{key} was {_short(old)}, now {_short(new)}")
    return differences


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) > 40 else text


def begin(
    identity: dict[str, Any],
    origin: str,
    recipe: TrainingRecipe,
    num_parameters: int,
    counts: Mapping[str, Sequence[Mapping[str, Any]]],
    processes: int,
    sharding: str,
) -> RunMetadata:
    """Return the metadata of a run that begins.

    Args:
        identity: All that makes the run the same run: release, recipe, prompt, tokenizer, model.
        origin: Where the release was found.
        recipe: The training recipe.
        num_parameters: The parameters of the model.
        counts: The counts of examples by split, as `write_table` returns them.
        processes: The processes that train together.
        sharding: How the parameters are divided.
    """
    return {
        "metadata_version": VERSION,
        "status": "running",
        "key": digest(identity),
        "release": identity["release"] | {"origin": origin},
        "size": identity["release"]["size"],
        "seed": recipe["seed"],
        "recipe": {"name": recipe.name, "settings": dict(recipe.settings)},
        "prompt": identity["prompt"],
        "tokenizer": identity["tokenizer"],
        "model": identity["model"] | {"num_parameters": num_parameters},
        "example_counts": [{"split": split} | dict(row) for split, rows in counts.items() for row in rows],
        "composition": composition(counts["train"]),
        "parent_run": find_parent_run(recipe["model_name_or_path"]),
        "processes": processes,
        "sharding": sharding,
        "sessions": [],
        "identity": identity,
    }


def composition(counts: Sequence[Mapping[str, Any]]) -> Composition:
    """Return the examples that are trained, by task and language."""
    totals: Composition = {}
    for row in counts:
        totals.setdefault(row["task"], {})[row["lang"]] = row["kept"] + row["truncated"]
    return totals


def cumulative_examples(metadata: RunMetadata) -> Composition:
    """Return the examples that a run's model was trained on, in the run and in all runs before it."""
    parent = metadata["parent_run"]
    totals = {task: dict(langs) for task, langs in parent["cumulative_examples"].items()} if parent else {}
    for task, langs in metadata["composition"].items():
        total = totals.setdefault(task, {})
        for lang, count in langs.items():
            total[lang] = total.get(lang, 0) + count
    return totals


def find_parent_run(model: str | None) -> ParentRun | None:
    """Return the run that made the model in this folder; None if the folder is not of a run."""
    metadata = read_metadata(Path(model)) if model and Path(model).is_dir() else None
    if metadata is None:
        return None
    release = metadata["release"]
    name = f"{metadata['recipe']['name']} on {release['name']}@{release['version']}"
    return {"key": metadata["key"], "name": name, "cumulative_examples": cumulative_examples(metadata)}


def read_losses(log: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the training losses by step from the log of transformers' Trainer."""
    keys = ("step", "loss", "grad_norm", "learning_rate")
    return [{key: finite(row[key]) for key in keys if key in row} for row in log if "loss" in row]


def finite(value: float) -> float | None:
    """Return a number, or None for one that JSON cannot hold: gradients of float16 may overflow."""
    return value if math.isfinite(value) else None


def read_evaluations(log: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the evaluations by step and language from the log of transformers' Trainer."""
    evaluations: list[dict[str, Any]] = []
    for row in log:
        evaluation: dict[str, Any] = {"step": row["step"]}
        for key in row:
            if key.startswith("eval_"):
                lang, _, metric = key.removeprefix("eval_").partition("_")
                evaluation.setdefault(lang, {})[metric] = row[key]
        if len(evaluation) > 1:
            evaluations.append(evaluation)
    return evaluations
