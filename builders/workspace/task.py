"""Tasks: each is done once; its key is a digest of everything that its result depends on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from builders.workspace.queries import macros, sql

Inputs = Mapping[str, Any]  # JSON values: file names (which contain keys), digests, thresholds, versions of code


@dataclass(frozen=True)
class Task:
    """A stage, a name within it, and everything that the result depends on."""

    stage: str
    name: str
    inputs: Inputs

    @cached_property
    def key(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of stage, name and inputs as canonical JSON."""
        text = json.dumps([self.stage, self.name, self.inputs], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def sql_task(stage: str, name: str, made_from: Sequence[Path], **inputs: Any) -> Task:
    """Return the task that runs a stage's SQL file over other tasks' files, whose names contain their keys."""
    text = hashlib.sha256((macros() + sql(stage)).encode()).hexdigest()[:16]
    origin = {"from": [path.name for path in made_from], "sql": text, "duckdb": duckdb.__version__}
    return Task(stage, name, origin | inputs)


def inputs_json(task: Task) -> str:
    """Return the task's inputs as JSON, as the metadata of its file has them."""
    return json.dumps(task.inputs, sort_keys=True, ensure_ascii=False)
