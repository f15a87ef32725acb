"""Release: the published rows that a run learns from; found in a folder, a registry or on the Hub, and verified."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cards.manifest import FILE, Manifest, identity, read_manifest
from corpora.catalog import language
from corpora.errors import InputError, unknown
from corpora.files import sha256_of

KEY = ("id", "lang", "task", "direction")
SIZED = {"translation": "translations", "text": "documents"}  # what a size counts: the first task that there is
TEXTS = {"instructions": ("instruction", "input", "output"), "messages": ("messages",)}
ROWS = pl.Schema([(name, pl.String) for name in (*KEY, "instruction", "input", "output")])


@dataclass(frozen=True)
class Release:
    """A release in a folder: its manifest, whose sha256 is its identity, and where it came from, for others to read."""

    folder: Path
    manifest: Manifest
    origin: str

    def said(self) -> dict[str, str]:
        """What a run says of the release that it learned from."""
        return {
            "name": str(self.manifest["name"]),
            "version": str(self.manifest["version"]),
            "manifest_sha256": identity(self.manifest),
            "origin": self.origin,
        }


def find_release(asked: str, registry: Path, lock: Path, offline: bool = False) -> Release:
    """The release at a folder, NAME[@VERSION] of a registry, or ORG/NAME[@VERSION] of the Hub; InputError if none."""
    if (Path(asked) / FILE).exists() or Path(asked).is_dir():
        manifest = read_manifest(Path(asked))
        return Release(Path(asked), manifest, f"{manifest['name']}@{manifest['version']}")
    if re.fullmatch(r"(hf://)?[\w.-]+/[\w.-]+(@[\w.-]+)?", asked) and not asked.startswith((".", "/")):
        from trainer.hub import fetch_release

        return Release(*fetch_release(asked.removeprefix("hf://"), lock, offline))
    return _in_registry(asked, registry)


def _in_registry(asked: str, registry: Path) -> Release:
    """NAME, NAME@VERSION: the newest, or that one."""
    name, _, wanted = asked.partition("@")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise InputError(f"'{asked}' is no release: a folder, NAME@v1.0.0 or ORG/NAME@v1.0.0 was expected.")
    folders = {path.parent.name: path for path in sorted(registry.glob(f"{name}/v*/{FILE}"), key=_order)}
    if not folders:
        there = sorted({path.parent.parent.name for path in registry.glob(f"*/v*/{FILE}")})
        hint = f"It holds {', '.join(there)}." if there else "It holds no release; `builders publish` makes one."
        raise InputError(f"There is no folder {asked} and no release '{name}' in the registry {registry}. {hint}")
    yanked = _yanked(registry / name)
    offered = [version for version in folders if version not in yanked]
    if not wanted and not offered:
        raise InputError(f"Every version of {name} is yanked. To take one nevertheless, name it whole: {name}@v1.0.0.")
    version = "v" + wanted.removeprefix("v") if wanted else offered[-1]
    if version not in folders:
        raise unknown(f"version of {name}", version, folders)
    if version in yanked:
        print(f"{name}@{version} is yanked: {yanked[version]}", file=sys.stderr)
    manifest = read_manifest(folders[version].parent)
    return Release(folders[version].parent, manifest, f"{name}@{version}")


def _yanked(folder: Path) -> dict[str, str]:
    """The versions that a registry no longer offers, and why; InputError if its record of them is damaged."""
    path = folder / "registry.json"
    try:
        return {str(v): str(why) for v, why in json.loads(path.read_text(encoding="utf-8"))["yanked"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is damaged: an object with the yanked versions was expected. Restore it.") from None


def _order(path: Path) -> list[int]:
    """The place of a version's folder among the others."""
    return [int(part) for part in re.findall(r"\d+", path.parent.name)]


def choose_config(release: Release, asked: str | None) -> str:
    """The config of this name, or the only one; InputError with the known ones."""
    configs = release.manifest["configs"]
    if asked is None and len(configs) == 1:
        return str(next(iter(configs)))
    if asked is None:
        raise InputError(f"{release.origin} has the configs {', '.join(configs)}; name one with --config.")
    if asked not in configs:
        raise unknown(f"config of {release.origin}", asked, configs)
    return asked


def choose_langs(release: Release, config: str, asked: Sequence[str]) -> tuple[str, ...]:
    """The languages asked for, or all of the config; InputError for one that it does not have."""
    there = tuple(release.manifest["configs"][config]["langs"])
    for lang in asked:
        if language(lang).code not in there:
            raise InputError(f"Config '{config}' of {release.origin} has no {lang}; it has {', '.join(there)}.")
    return tuple(sorted(asked)) or there


def read_rows(release: Release, config: str, split: str, langs: Sequence[str]) -> pl.DataFrame:
    """The rows of one split in these languages and in English, as ROWS, checked against the manifest byte for byte.

    A row of messages gives its user's turn as the instruction. Empty where the config has no such split.
    """
    entry = release.manifest["configs"][config]["splits"].get(split)
    if entry is None:
        return pl.DataFrame(schema=ROWS)
    paths = [_verified(release, file) for file in entry["files"]]
    wanted = (*KEY, *TEXTS[_form(release)])
    try:
        frame = pl.scan_parquet(paths, glob=False).select(wanted).filter(pl.col("lang").is_in([*langs, "en"])).collect()
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{release.folder} cannot be read as a release: {str(error).splitlines()[0]}.") from None
    return _plain(frame).select(pl.col(name).cast(pl.String) for name in ROWS)


def _form(release: Release) -> str:
    form = str(release.manifest.get("format"))
    if form not in TEXTS:
        raise unknown(f"format of {release.origin}", form, TEXTS)
    return form


def _verified(release: Release, file: dict[str, Any]) -> Path:
    """The path of one file of a release; InputError unless it is the one that was published."""
    path = release.folder / str(file["path"])
    if not path.resolve().is_relative_to(release.folder.resolve()) and not path.is_symlink():
        raise InputError(f"The manifest of {release.folder} names {file['path']}, which lies outside of it.")
    if not path.is_file() or sha256_of(path) != file["sha256"]:
        raise InputError(f"{path} is missing or is not what was published; fetch the release again.")
    return path


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of messages as instruction, input and output."""
    if "messages" not in frame.columns:
        return frame
    turn = pl.col("messages").list
    content = {"instruction": turn.first(), "output": turn.last()}
    taken = [value.struct.field("content").alias(name) for name, value in content.items()]
    return frame.with_columns(*taken, pl.lit("").alias("input"))
