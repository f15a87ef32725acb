"""The YAML at the beginning of a card, which the Hub and `load_dataset` obey, compared with the manifest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cards.manifest_types import Manifest
from corpora.errors import InputError
from corpora.files import read_whole
from corpora.tables import parse_yaml

CARD = "README.md"
FRONT = re.compile(r"\A(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\r|\n|\Z))")  # as the Hub's client finds it
MAX_FRONT = 1_000_000  # characters
CONFIG_KEYS = {"config_name", "default", "version", "data_files"}


def read_card(folder: Path) -> str:
    """Return the text of the card in a folder; nothing if there is none.

    Raises:
        InputError: What has its name is not a file.
    """
    path = folder / CARD
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file. Restore it.")
    return read_whole(path).decode(errors="replace") if path.exists() else ""


def find_front_problems(card: str, manifest: Manifest) -> Iterator[str]:
    """Yield what `load_dataset` would load otherwise by the card than the manifest states."""
    front = _read_front(card)
    configs, infos = front.get("configs"), front.get("dataset_info")
    if _files_by_config(configs) != _expected_files(manifest):
        yield "its `configs` name other files than the manifest"
    if not _has_same_columns(infos, manifest):
        yield "its `dataset_info` states other columns than the manifest"


def _read_front(card: str) -> dict[str, Any]:
    match = FRONT.match(card[:MAX_FRONT])
    try:
        return parse_yaml(match[2], CARD) if match else {}  # no key twice: readers would take either
    except InputError:
        return {}


def _files_by_config(configs: object) -> object:
    """Return the paths by config and split; None if there is anything else, or a name twice."""
    try:
        assert isinstance(configs, list)
        files = {c["config_name"]: {f["split"]: f["path"] for f in c["data_files"]} for c in configs}
        is_plain = all(c.keys() <= CONFIG_KEYS for c in configs)
        is_plain &= all(f.keys() == {"split", "path"} for c in configs for f in c["data_files"])
        num_files = sum(len(c["data_files"]) for c in configs)
    except (AssertionError, KeyError, TypeError, AttributeError):
        return None
    return files if is_plain and num_files == sum(map(len, files.values())) else None


def _expected_files(manifest: Manifest) -> dict[str, dict[str, str]]:
    return {
        name: {split: f"data/{name}/{split}-*.parquet" for split in config["splits"]}
        for name, config in manifest["configs"].items()
    }


def _has_same_columns(infos: object, manifest: Manifest) -> bool:
    """Return whether what is stated of the configs names no other columns, to which `datasets` would cast the rows."""
    try:
        assert isinstance(infos, list)
        names = [info["config_name"] for info in infos]
        columns = [info["features"] for info in infos if "features" in info]
    except (AssertionError, KeyError, TypeError):
        return False
    return names == list(manifest["configs"]) and all(own == manifest["features"] for own in columns)
