"""What a node must have in common with the others: the versions of what computes, and our own code."""

import hashlib
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from corpora.errors import InputError

LIBRARIES = ("duckdb", "pyarrow", "polars", "numpy", "numba", "ctranslate2", "sentencepiece", "fasttext-predict")
ROOMS = ("corpora", "recipes", "cards", "builders", "trainer")
CODE = "coit-builders' code"  # its name among the versions


@dataclass(frozen=True)
class NodeFacts:
    """A node's name, and the versions of everything on it that changes bytes."""

    name: str
    versions: Mapping[str, str]


def node_name() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


@cache
def own_versions() -> Mapping[str, str]:
    """Return the versions on this machine by name; that of our code is a digest of its files."""
    return {"Python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}, CODE: _code_digest()}


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"


def _code_digest() -> str:
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*") if path.is_file()):
        if path.suffix in (".py", ".sql", ".toml", ".csv"):
            digest.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def check_versions(node: NodeFacts, expected: Mapping[str, str]) -> None:
    """Raise InputError if a node has another version of something than the machine that began the run."""
    for name, ours in expected.items():
        theirs = node.versions.get(name, "none")
        if theirs != ours:
            raise InputError(
                f"The node {node.name} has {name} {theirs}; this machine has {ours}. The bytes of a build may depend "
                "on it: install the same versions on all nodes, as constraints.txt has them."
            )
