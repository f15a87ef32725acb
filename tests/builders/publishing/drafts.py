"""Small drafts to publish, in this process or in one of its own that can be killed."""

import os
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from builders.publishing import Draft, Published, PublishOptions, open_registry, publish_draft
from builders.workspace import Workspace
from corpora.errors import InputError

sys.path.insert(0, str(Path(__file__).parent.parent))
from conftest import described, example, write_rows

Rows = Mapping[str, Mapping[str, str]]  # config -> id -> what the row says


def draft(rows: Rows, **changes: object) -> Draft:
    """A draft of rows given as config -> id -> text."""
    splits = {c: {"train": [example(i, output=text) for i, text in sorted(own.items())]} for c, own in rows.items()}
    return Draft(described(**changes), write_rows(splits))


def put(
    to: str, rows: Rows, options: PublishOptions | None = None, private: bool = False, **changes: object
) -> Published:
    """Publish rows to a place."""
    own = draft(rows, **changes)
    with TemporaryDirectory() as folder:
        return publish_draft(
            open_registry(to, own.description["name"], private),
            own,
            Workspace(Path(folder), threads=1),
            options or PublishOptions(),
        )


def alone(to: str, rows: Rows, version: str | None, start: float, said: Path) -> None:
    """The same in a process of its own, from a moment on; what came of it is written to a file."""
    os.environ["HF_HUB_CACHE"] = str(said.with_suffix(".cache"))
    time.sleep(max(0.0, start - time.time()))
    try:
        made = put(to, rows, PublishOptions(as_version=version))
        said.write_text(f"{made.manifest['version']} {made.is_new}")
    except InputError as error:
        said.write_text(f"refused: {error}")


def digest(text: str) -> str:
    """A short digest, for contents that differ."""
    return sha256(text.encode()).hexdigest()[:8]
