"""A repository of the Hub, read through the Hub's own client and its cache."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpora.errors import InputError
from corpora.hub.hub_client import keep_token_at_hub
from corpora.hub.hub_errors import is_not_found, request_with_retry

if TYPE_CHECKING:
    from huggingface_hub import HfApi

COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Refs:
    """The commits that tags and the branch `main` name; a repository that does not exist has none."""

    tags: dict[str, str] = field(default_factory=dict)
    main: str | None = None


@dataclass(frozen=True)
class RepositoryInfo:
    """What the Hub states of a revision: its commit, the paths of its files, and the card's licence."""

    commit: str
    files: tuple[str, ...]
    licence: str  # "not stated" where the card states none


@dataclass(frozen=True)
class HubFile:
    """A file as the Hub lists it; `sha256` is None for a file outside Git LFS, whose `blob_id` is Git's SHA-1."""

    path: str
    size: int
    sha256: str | None
    blob_id: str


@dataclass(frozen=True)
class HubRepository:
    """A repository of the Hub, to read. With `offline` no server is asked, and only the cache is read."""

    name: str  # ORG/NAME
    kind: Literal["dataset", "model"] = "dataset"
    offline: bool = False

    @property
    def uri(self) -> str:
        """The repository as error sentences name it."""
        return f"hf://{self.name}" if self.kind == "dataset" else f"The model {self.name}"

    @cached_property
    def api(self) -> "HfApi":
        """The Hub's client, which shows progress bars on a terminal only."""
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars

        keep_token_at_hub()
        if not sys.stderr.isatty():
            disable_progress_bars()
        return HfApi(library_name="coit-builders")

    def get_refs(self) -> Refs:
        """Return the tags and the head of `main`; empty if there is no such repository."""
        self._check_online("its versions")
        try:
            refs = request_with_retry(self.uri, self._or_lookup_error, self.api.list_repo_refs, self.name)
        except LookupError:
            return Refs()
        heads = [branch.target_commit for branch in refs.branches if branch.name == "main"]
        return Refs({tag.name: tag.target_commit for tag in refs.tags}, heads[0] if heads else None)

    def get_info(self, revision: str = "main") -> RepositoryInfo:
        """Return commit, files and licence of a revision.

        Raises:
            InputError: There is no such repository or revision, or the Hub cannot be asked.
        """
        self._check_online(f"the commit of '{revision}'")
        label = f"{self.uri}@{revision}"
        info: Any = request_with_retry(label, self.api.repo_info, self.name, repo_type=self.kind, revision=revision)
        licence = info.card_data.get("license") if info.card_data else None
        files = tuple(file.rfilename for file in info.siblings or ())
        return RepositoryInfo(str(info.sha), files, licence if isinstance(licence, str) else "not stated")

    def resolve(self, revision: str = "main") -> str:
        """Return the commit that a tag, a branch or a commit names; offline from the cache's own refs.

        Raises:
            InputError: There is no such repository or revision, or offline the cache does not know it.
        """
        if COMMIT.fullmatch(revision):
            return revision
        if self.offline and (commit := self._cached_ref(revision)):
            return commit
        return self.get_info(revision).commit

    def list_files(self, revision: str) -> dict[str, HubFile]:
        """Return the files of a revision by path, as the Hub lists them."""
        from huggingface_hub.hf_api import RepoFile

        self._check_online("its files")
        tree = partial(self.api.list_repo_tree, recursive=True, revision=revision, repo_type=self.kind)
        entries = request_with_retry(self.uri, lambda: list(tree(self.name)))
        files = [entry for entry in entries if isinstance(entry, RepoFile)]
        return {
            file.path: HubFile(file.path, file.size, file.lfs.sha256 if file.lfs else None, file.blob_id)
            for file in files
        }

    def read_file(self, path: str, commit: str) -> bytes | None:
        """Return the bytes of a small file at a commit; None if the commit has no such file.

        Raises:
            InputError: The Hub cannot be asked and the file is not in the cache.
        """
        download = partial(self.api.hf_hub_download, filename=path, revision=commit, local_files_only=self.offline)
        try:
            return Path(request_with_retry(self.uri, self._or_lookup_error, download, self.name)).read_bytes()
        except LookupError:
            return None

    def download(self, commit: str, paths: Sequence[str]) -> Path:
        """Fetch files of a commit into the Hub's cache and return the folder there that holds them.

        Args:
            commit: The commit; a tag may move.
            paths: Paths, or patterns such as `data/**`. A path without a wildcard must exist.

        Raises:
            InputError: A file is missing, the Hub refuses, or offline the cache does not hold all of them.
        """
        if folder := self._all_cached(commit, paths):
            return folder
        label = f"{self.uri}@{commit[:12]}"
        if self.offline:
            folder = self.find_cached(commit, paths)
        else:
            options = {"repo_type": self.kind, "revision": commit, "allow_patterns": list(paths)}
            folder = Path(request_with_retry(label, self.api.snapshot_download, self.name, **options))
        missing = [path for path in paths if not folder or not (_is_pattern(path) or (folder / path).is_file())]
        if folder is None or missing:
            reason = "is not in the cache, and this run is offline" if self.offline else "does not exist on the Hub"
            raise InputError(f"{label}: {missing[0]} {reason}." + (" Download it once online." if self.offline else ""))
        return folder

    def find_cached(self, revision: str, paths: Sequence[str]) -> Path | None:
        """Return the folder of the Hub's cache that holds files of a revision; None if the cache is known to lack some.

        The cache knows the files of a commit only if it was listed before, so check that what you need is there.
        """
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        options: Any = {"repo_type": self.kind, "revision": revision, "allow_patterns": list(paths)}
        try:
            folder = Path(self.api.snapshot_download(self.name, **options, local_files_only=True))
        except (LocalEntryNotFoundError, HfHubHTTPError, ValueError):
            return None
        return folder

    def _all_cached(self, commit: str, paths: Sequence[str]) -> Path | None:
        """Return the cached folder without a request, for paths without wildcards."""
        from huggingface_hub import try_to_load_from_cache

        if not paths or any(map(_is_pattern, paths)):
            return None
        cached = [try_to_load_from_cache(self.name, path, revision=commit, repo_type=self.kind) for path in paths]
        return Path(str(cached[0])).parents[paths[0].count("/")] if all(isinstance(p, str) for p in cached) else None

    def _cached_ref(self, revision: str) -> str | None:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        folder = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=self.name, repo_type=self.kind), "refs")
        path = folder / revision
        return path.read_text().strip() if folder in path.parents and path.is_file() else None

    def _check_online(self, what: str) -> None:
        if self.offline:
            raise InputError(
                f"{self.uri}: {what} cannot be known offline. Name a commit that is in the cache, or run it online."
            )

    def _or_lookup_error(self, call: Any, *values: Any, **options: Any) -> Any:
        """Make a request, with a LookupError for what does not exist."""
        try:
            return call(*values, repo_type=self.kind, **options)
        except Exception as error:
            if is_not_found(error):
                raise LookupError from None
            raise


def remove_cached(folder: Path, path: str) -> None:
    """Remove a damaged file of a downloaded folder from the Hub's cache, so that it is fetched again."""
    from huggingface_hub import constants

    link = folder / path
    blob = link.resolve()
    link.unlink(missing_ok=True)
    if Path(constants.HF_HUB_CACHE).resolve() in blob.parents:
        blob.unlink(missing_ok=True)


def _is_pattern(path: str) -> bool:
    return any(character in path for character in "*?[")
