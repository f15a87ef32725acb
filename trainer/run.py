"""run.json: what a run learned from, with what, and what came of it."""

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.errors import InputError
from corpora.files import atomic_path
from trainer.recipe import digest

if TYPE_CHECKING:
    from trainer.training.prepare import Prepared

FILE = "run.json"
VERSION = 1
PACKAGES = ("coit-builders", "torch", "transformers", "trl", "accelerate", "peft", "tokenizers", "datasets")
Record = dict[str, Any]


class Stopped(Exception):
    """A run was asked to stop, and left a checkpoint; `args` are the step and the number of steps."""


def read_record(folder: Path) -> Record | None:
    """The record of a run's folder, or None; InputError if it is damaged."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        assert record["record_version"] == VERSION
        assert record.keys() >= {"key", "status", "identity"}
    except (ValueError, KeyError, TypeError, AssertionError, AttributeError):
        raise InputError(
            f"{path} is damaged or of another version; move {folder} away, or name another --out."
        ) from None
    return dict(record)


def write_record(folder: Path, record: Record) -> None:
    """Write the record of a run, whole or not at all."""
    with atomic_path(folder / FILE) as temporary:
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def check_same_run(folder: Path, identity: Mapping[str, Any]) -> Record | None:
    """The record of the run that a folder holds, if it is this one; InputError with the differences if it is not."""
    record = read_record(folder)
    if record is None:
        if list(folder.glob("checkpoint-*")):
            raise InputError(
                f"{folder} holds checkpoints but no {FILE}, so whose they are is not known; name another --out."
            )
        return None
    if record["key"] == digest(identity):
        return record
    differences = "; ".join(_differences(record["identity"], identity))
    raise InputError(f"{folder} holds another run ({differences}). Name another folder with --out, or move it away.")


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], place: str = "") -> list[str]:
    """What two identities differ in, in words."""
    found = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{place}{key}.")
        elif old != new:
            found.append(f"{place}{key} was {_short(old)}, now {_short(new)}")
    return found


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) > 40 else text


def begin(prepared: "Prepared", processes: int, sharding: str) -> Record:
    """The record of a run that begins."""
    request, identity = prepared.request, prepared.identity()
    release = identity["release"] | {"origin": request.release.origin}
    return {
        "record_version": VERSION,
        "status": "running",
        "key": digest(identity),
        "release": release,
        "size": request.size,
        "seed": request.recipe["seed"],
        "recipe": {"name": request.recipe.name, "settings": dict(request.recipe.settings)},
        "prompt": identity["prompt"],
        "tokenizer": identity["tokenizer"],
        "model": prepared.model | {"parameters": prepared.num_parameters},
        "examples": _examples(prepared),
        "mixture": mixture(prepared),
        "base": _learned_before(request.recipe["model_name_or_path"]),
        "processes": processes,
        "sharding": sharding,
        "sessions": [],
        "identity": identity,
    }


def _examples(prepared: "Prepared") -> list[dict[str, Any]]:
    return [{"split": split} | row for split, account in prepared.accounts.items() for row in account]


def mixture(prepared: "Prepared") -> dict[str, dict[str, int]]:
    """The examples that are trained, by task and language."""
    found: dict[str, dict[str, int]] = {}
    for row in prepared.accounts["train"]:
        found.setdefault(row["task"], {})[row["lang"]] = row["kept"] + row["cut"]
    return found


def learned(record: Record) -> dict[str, dict[str, int]]:
    """The examples that a run's model has learned from: those of the run, and of the runs that made its base."""
    found = {task: dict(rows) for task, rows in record.get("base", {}).items()}
    for task, rows in record["mixture"].items():
        own = found.setdefault(task, {})
        for lang, count in rows.items():
            own[lang] = own.get(lang, 0) + count
    return found


def _learned_before(base: str | None) -> dict[str, dict[str, int]]:
    """What the run learned from that made the model in a folder; nothing of one that is no run's."""
    record = read_record(Path(base)) if base and Path(base).is_dir() else None
    return learned(record) if record else {}


def session(device: str, first_step: int) -> dict[str, Any]:
    """One sitting of a run: when it began, at which step, on what, with which packages."""
    return {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "first_step": first_step,
        "device": device,
        "packages": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def outcome(log: list[dict[str, Any]]) -> dict[str, Any]:
    """Losses and evaluations by step, from the trainer's own log."""
    losses = [{key: row[key] for key in ("step", "loss", "grad_norm", "learning_rate") if key in row} for row in log]
    evaluations: list[dict[str, Any]] = []
    for row in log:
        found: dict[str, Any] = {"step": row["step"]}
        for key in row:
            if key.startswith("eval_"):
                lang, _, metric = key.removeprefix("eval_").partition("_")
                found.setdefault(lang, {})[metric] = row[key]
        if len(found) > 1:
            evaluations.append(found)
    return {"losses": [row for row in losses if "loss" in row], "evaluations": evaluations}
