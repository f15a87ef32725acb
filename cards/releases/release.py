"""Release: one published version, in a folder or on the Hub; its manifest, and its files on demand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.manifest import FILE, count_rows, data_files, identity, num_split_rows, read_manifest, release_files
from cards.manifest_types import FileEntry, Manifest, Split
from cards.releases.verified_rows import load_splits, read_split
from corpora.arguments import checked, overload
from corpora.errors import InputError, unknown

if TYPE_CHECKING:
    import datasets
    import polars as pl


@dataclass(frozen=True, repr=False)
class Release:
    """One published version. `fetch_files` takes paths of its files and returns a folder in which they can be read."""

    uri: str  # a folder, or hf://ORG/NAME@VERSION
    manifest: Manifest
    fetch_files: Callable[[Sequence[str]], Path]
    commit: str | None = None  # on the Hub
    yanked: str | None = None  # the reason, if it is yanked
    list_problems: Callable[[], Sequence[str]] = tuple  # where the Hub's own list of files differs from the manifest

    @property
    def name(self) -> str:
        """The name of the release."""
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        """The version, such as v1.0.0."""
        return str(self.manifest["version"])

    @property
    def spelling(self) -> str:
        """How users write the release: NAME@VERSION, or hf://ORG/NAME@VERSION."""
        return self.uri if "://" in self.uri else f"{self.name}@{self.version}"

    @property
    def locked_name(self) -> str:
        """The name by which a lock file pins the release."""
        return self.uri.rpartition("@")[0] if self.commit else self.uri

    @property
    def identity(self) -> str:
        """The SHA-256 of the manifest, in hexadecimal."""
        return identity(self.manifest)

    @property
    def origin(self) -> str:
        """What others need to find it: NAME@VERSION, or hf://ORG/NAME@VERSION and the commit."""
        return f"{self.uri} ({self.commit})" if self.commit else f"{self.name}@{self.version}"

    def describe(self) -> dict[str, str]:
        """Return name, version, identity and origin, as records of what used the release state them."""
        return {
            "name": self.name,
            "version": self.version,
            "manifest_sha256": self.identity,
            "origin": self.origin,
        }

    def folder(self) -> Path:
        """Return a folder with all its files; from the Hub they are fetched first. `builders.verify` checks them."""
        return self.fetch_files([FILE, *(entry["path"] for entry in release_files(self.manifest))])

    @checked
    def rows(self, config: str | None = None, split: str = "train", langs: Sequence[str] = ()) -> "pl.DataFrame":
        """Return the rows of a split, from files that are checked against the manifest.

        Args:
            config: The config; it may be left out where there is only one.
            split: `train` or `validation`.
            langs: Keep the rows in these languages; all by default.

        Raises:
            InputError: There is no such config, split or language, or a file is not as published.
        """
        import polars as pl

        config = self.resolve_config(config)
        splits = self.manifest["configs"][config]["splits"]
        for lang in langs:
            if lang not in (known := {"en", *self.manifest["configs"][config]["langs"]}):
                raise unknown(f"language of config '{config}' of {self.origin}", lang, known)
        if split not in splits:
            raise unknown(f"split of config '{config}' of {self.origin}", split, splits)
        try:
            tables = read_split(self._folder_of(splits[split]), splits[split], self.manifest["features"])
            frames = (pl.DataFrame(pl.from_arrow(table)) for table in tables)
            return pl.concat([frame.filter(pl.col("lang").is_in(list(langs))) if langs else frame for frame in frames])
        except (pl.exceptions.PolarsError, ValueError) as error:
            raise InputError(f"{self.uri} cannot be read as a release: {str(error).splitlines()[0]}.") from None

    @overload
    def load(self, config: str | None = None, *, split: None = None, **options: Any) -> "datasets.DatasetDict": ...
    @overload
    def load(self, config: str | None = None, *, split: str, **options: Any) -> "datasets.Dataset": ...
    def load(self, config: str | None = None, **options: Any) -> "datasets.DatasetDict | datasets.Dataset":
        """Return the splits of a config as `datasets` has them, from copies that are checked against the manifest.

        They are prepared anew in a folder that only this user can write to, and that is removed when Python ends.

        Args:
            config: The config; it may be left out where there is only one.
            **options: Those of `datasets.load_dataset` that do not choose files; with `split="train"` one Dataset is
                returned.

        Raises:
            InputError: There is no such config, or a file is not as published.
        """
        splits = self.manifest["configs"][self.resolve_config(config)]["splits"]
        folder = self._folder_of(*splits.values())
        loaded: datasets.DatasetDict | datasets.Dataset = load_splits(
            folder, splits, self.manifest["features"], options
        )
        return loaded

    def _folder_of(self, *splits: Split) -> Path:
        """Return the folder in which the files of some splits can be read; from the Hub they are fetched first."""
        return self.fetch_files([entry["path"] for split in splits for entry in split["files"]])

    def resolve_config(self, config: str | None) -> str:
        """Return the config of this name; with None, the only one.

        Raises:
            InputError: There is no such config, or with None there are several.
        """
        configs = self.manifest["configs"]
        if config is None and len(configs) == 1:
            return str(next(iter(configs)))
        if config is None:
            raise InputError(f"{self.origin} has the configs {', '.join(configs)}. Name one of them.")
        if config not in configs:
            raise unknown(f"config of {self.origin}", config, configs)
        return config

    def resolve_langs(self, config: str, langs: Sequence[str]) -> tuple[str, ...]:
        """Return these languages in order, or all of the config if none is given.

        Raises:
            InputError: The config lacks one of them.
        """
        available = tuple(self.manifest["configs"][config]["langs"])
        for lang in langs:
            if lang not in available:
                raise InputError(
                    f"Config '{config}' of {self.origin} has no language '{lang}'. It has {', '.join(available)}."
                )
        return tuple(sorted(langs)) or available

    def files_of(self, config: str) -> list[FileEntry]:
        """Return the entries of the Parquet files of a config: path, size, sha256."""
        return list(data_files({config: self.manifest["configs"][config]}))

    def __repr__(self) -> str:
        configs = ", ".join(self.manifest["configs"])
        return f"<Release {self.origin}: {count_rows(self.manifest):,} rows in {configs}>"

    def _repr_html_(self) -> str:
        from html import escape

        cells = "".join(
            f"<tr><td>{escape(config)}</td><td>{escape(', '.join(entry['langs']))}</td>"
            + "".join(f"<td>{num_split_rows(entry, split):,}</td>" for split in ("train", "validation"))
            + "</tr>"
            for config, entry in self.manifest["configs"].items()
        )
        head = "<tr><th>config</th><th>languages</th><th>train</th><th>validation</th></tr>"
        return f"<p><b>{escape(self.origin)}</b></p><table>{head}{cells}</table>"


def open_folder(folder: Path, yanked: str | None = None) -> Release:
    """Return the release in a folder.

    Raises:
        InputError: The folder holds no manifest, or a damaged one.
    """
    return Release(str(folder), read_manifest(folder), lambda paths: folder, yanked=yanked)
