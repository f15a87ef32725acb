"""Releases written by hand: a registry folder with versions of `tiny`."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from cards.manifest import FILE, file_entry, to_text
from tests.cards.test_dataset_card import manifest

ROWS = {
    "id": ["1", "2", "3"],
    "lang": ["el", "el", "en"],
    "task": ["translation", "translation", "instruction"],
    "direction": ["en-el", "en-el", ""],
    "output": ["ένα", "δύο", "three"],
}


@pytest.fixture
def write_release(tmp_path: Path) -> Callable[..., Path]:
    """Write a release below the registry `tmp_path/registry` and return its folder."""

    def write(version: str = "v1.0.0", name: str = "tiny", configs: tuple[str, ...] = ("el",)) -> Path:
        folder = tmp_path / "registry" / name / version
        entries = {}
        for config in configs:
            path = folder / "data" / config / "train-00000-of-00001.parquet"
            path.parent.mkdir(parents=True)
            pl.DataFrame(ROWS).write_parquet(path)
            split = {
                "num_rows": 3,
                "num_bytes": 1,
                "content_sha256": sha256(b"").hexdigest(),
                "files": [file_entry(folder, path)],
            }
            entries[config] = {"langs": ["el"], "splits": {"train": split}}
        (folder / "README.md").write_text("# Tiny\n")
        metadata_files = [file_entry(folder, folder / "README.md")]
        changes = {
            "name": name,
            "version": version,
            "configs": entries,
            "features": [{"name": column, "dtype": "string"} for column in ROWS],
            "metadata_files": metadata_files,
            "difference": "first",
        }
        text = to_text(manifest(**changes))
        (folder / FILE).write_text(text, encoding="utf-8")
        return folder

    return write
