"""A dataset repository on the Hub: its refs, files, manifests; through the Hub's own client and its cache."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import disable_progress_bars

from builders.publishing.hub_errors import is_not_found, request_with_retry
from builders.publishing.local_registry import STATUS, read_status
from cards.manifest import FILE, VERSION, Manifest, parse_manifest, release_files
from corpora.errors import InputError


@dataclass(frozen=True)
class Repository:
    """A dataset repository on the Hub, to read. The token is the one that the Hub's own tools use."""

    repo: str  # ORG/NAME
    offline: bool = False  # ask no server: what is not in the cache is not there

    @property
    def uri(self) -> str:
        """The repository, as a person names it."""
        return f"hf://{self.repo}"

    @cached_property
    def api(self) -> HfApi:
        """The client; its progress bars are for a terminal only."""
        if not sys.stderr.isatty():
            disable_progress_bars()
        return HfApi(library_name="coit-builders")

    def may_write(self) -> None:
        """LookupError if there is no such repository; the Hub's error if it may be read only."""
        try:
            self.api.auth_check(self.repo, repo_type="dataset", write=True)
        except HfHubHTTPError as error:
            if is_not_found(error):
                raise LookupError from None
            raise

    def refs(self) -> tuple[dict[str, str], str | None]:
        """The commits that versions are tags of, and the head of `main`; no head if there is no repository."""
        try:
            refs = request_with_retry(self.uri, self._list_refs)
        except LookupError:
            return {}, None
        heads = [branch.target_commit for branch in refs.branches if branch.name == "main"]
        tags = {tag.name: tag.target_commit for tag in refs.tags if VERSION.fullmatch(tag.name)}
        return tags, heads[0] if heads else None

    def _list_refs(self) -> Any:
        try:
            return self.api.list_repo_refs(self.repo, repo_type="dataset")
        except HfHubHTTPError as error:
            if is_not_found(error):
                raise LookupError from None
            raise

    def manifest(self, commit: str) -> Manifest | None:
        """The manifest at a commit; None if there is none."""
        text = self.read(FILE, commit)
        return None if text is None else parse_manifest(text, f"{self.uri}@{commit[:12]}/{FILE}")

    def yanked(self, commit: str) -> dict[str, str]:
        """The versions that a commit says are yanked, and why."""
        text = self.read(STATUS, commit)
        return {} if text is None else read_status(text, f"{self.uri}/{STATUS}")

    def read(self, path: str, commit: str) -> bytes | None:
        """The bytes of a small file at a commit; None if it is not there."""
        try:
            return Path(request_with_retry(self.uri, self._download, path, commit)).read_bytes()
        except LookupError:
            return None

    def _download(self, path: str, commit: str) -> str:
        try:
            download = partial(self.api.hf_hub_download, self.repo, path, repo_type="dataset", revision=commit)
            return str(download(local_files_only=self.offline))
        except EntryNotFoundError as error:
            if is_not_found(error):
                raise LookupError from None
            raise

    def fetch_files(self, uri: str, commit: str, paths: Sequence[str]) -> Path:
        """Fetch files of a commit to the Hub's cache; the folder there that holds them."""
        cached = [try_to_load_from_cache(self.repo, path, revision=commit, repo_type="dataset") for path in paths]
        if all(isinstance(path, str) for path in cached):
            return Path(str(cached[0])).parents[paths[0].count("/")]
        options = {"repo_type": "dataset", "revision": commit, "local_files_only": self.offline}
        folder = Path(
            request_with_retry(uri, self.api.snapshot_download, self.repo, allow_patterns=list(paths), **options)
        )
        if lost := [path for path in paths if not (folder / path).is_file()]:
            what = "not all in the cache, and no server is asked" if self.offline else "not whole on the Hub"
            raise InputError(f"{uri} is {what}: {lost[0]} is missing.")
        return folder

    def tree(self, revision: str) -> dict[str, RepoFile]:
        """The files of a revision by path, as the Hub lists them."""
        tree = partial(self.api.list_repo_tree, self.repo, recursive=True, revision=revision, repo_type="dataset")
        return {
            file.path: file for file in request_with_retry(self.uri, lambda: list(tree())) if isinstance(file, RepoFile)
        }

    def faults(self, manifest: Manifest, revision: str) -> list[str]:
        """What the Hub says otherwise than the manifest of the files of a revision."""
        there = self.tree(revision)
        entries = {entry["path"]: entry for entry in release_files(manifest)}
        wrong = [path for path, entry in entries.items() if not (file := there.get(path)) or _is_other(file, entry)]
        wrong += [path for path in there if path.startswith("data/") and path not in entries]
        return [f"{self.uri} does not hold {path[:200]!r} of {revision} as it was published." for path in wrong]


def forget_cached(folder: Path, path: str) -> None:
    """Remove a file that is not what it should be from the Hub's cache, so that nobody takes it for whole."""
    pointer = folder / path
    blob = pointer.resolve()
    pointer.unlink(missing_ok=True)
    if Path(constants.HF_HUB_CACHE).resolve() in blob.parents:
        blob.unlink(missing_ok=True)


def differs(file: RepoFile, sha256: str) -> bool:
    """Whether the Hub says another SHA-256 of a file; of those outside LFS it says none."""
    return file.lfs is not None and file.lfs.sha256 != sha256


def _is_other(file: RepoFile, entry: Mapping[str, Any]) -> bool:
    return bool(file.size != entry["size"]) or differs(file, entry["sha256"])
