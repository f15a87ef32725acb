"""A registry on the Hugging Face Hub: a release is one commit of a repository, and a tag that never moves."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

from builders.publishing.hub_requests import request_once
from builders.publishing.types import ConflictError, RegistryState
from cards.human_written import with_notice
from cards.manifest import FILE, data_files, identity, release_files
from cards.manifest_types import Manifest
from cards.releases import (
    STATUS_FILE,
    HubReleases,
    Release,
    differs_from_bytes,
    format_yanked,
    has_other_sha256,
    hub_releases,
    sort_versions,
    unexpected_paths,
)
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.hub import LOGIN_HINT, HubFile, HubRepository, is_not_found, request_with_retry

ALLOWED_FILES = {".gitattributes", "README.md"}  # what a repository may hold before the first release
MAX_CONFLICTS = 10  # of a yank
Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


def open_hub_registry(uri: str, name: str, private: bool = False) -> "HubRegistry":
    """Return the repository that hf://ORG (for releases of a name) or hf://ORG/NAME is."""
    return HubRegistry(hub_releases(uri, name), name, private)


@dataclass(frozen=True)
class HubRegistry:
    """The releases of one name in one dataset repository. The token is the one that the Hub's own tools use."""

    releases: HubReleases
    name: str
    private: bool = False

    @property
    def uri(self) -> str:
        """The repository as hf://ORG/NAME."""
        return self.releases.uri

    @property
    def repository(self) -> HubRepository:
        """The repository itself."""
        return self.releases.repository

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep nobody out: of several publishers the Hub lets one be first, and the others read its state again."""
        yield None

    def card_location(self, version: str) -> str:
        """Return the repository; the version is its revision."""
        return self.uri

    def check_writable(self, remove_unexpected: bool = False) -> None:
        """Raise InputError if the token may not write here: before hours of work, not after."""
        try:
            request_with_retry(self.uri, self._check_access)
        except LookupError:  # there is no repository yet
            return self._check_membership()
        if (head := self.releases.refs().main) and not remove_unexpected:
            self._refuse(self._find_unexpected(head))
        return None

    def _check_access(self) -> None:
        try:
            self.repository.api.auth_check(self.repository.name, repo_type="dataset", write=True)
        except Exception as error:
            if is_not_found(error):
                raise LookupError from None
            raise

    def _check_membership(self) -> None:
        user = request_with_retry(self.uri, self.repository.api.whoami)
        org = self.repository.name.split("/")[0]
        if org not in {user["name"], *(other["name"] for other in user.get("orgs", []))}:
            raise InputError(f"The Hub knows you as {user['name']}, who is not in {org}. {LOGIN_HINT}")

    # What it holds

    def get_state(self, finish: bool = False, remove_unexpected: bool = False) -> RegistryState:
        """Return its tags and what is on `main`.

        Args:
            finish: A commit whose publisher was killed gets its tag, and files that no manifest lists are refused.
            remove_unexpected: They are deleted instead, by a commit of their own.
        """
        refs = self.releases.refs()
        if refs.main is None:
            return RegistryState()
        if self.private and not self._is_private():
            raise InputError(f"{self.uri} is public already. Leave --private out, or change it on the Hub.")
        main = self.releases.read_manifest(refs.main) if finish else None
        if main and main["version"] not in refs.tags:
            refs.tags[main["version"]] = self._finish(main, refs.main)
        versions = sort_versions(refs.tags)
        newest = self.releases.open_commit(versions[-1], refs.tags[versions[-1]], refs.main) if versions else None
        head = self._remove_unexpected(refs.main, remove_unexpected) if finish else refs.main
        card = self.repository.read_file("README.md", head) or b""
        return RegistryState(newest, tuple(versions), card.decode(errors="replace"), head)

    def _find_unexpected(self, head: str) -> list[str]:
        """Return the files of a commit that its manifest does not list; none if it holds no release."""
        main = self.releases.read_manifest(head)
        return unexpected_paths(self.repository.list_files(head), main) if main else []

    def _refuse(self, unexpected: Sequence[str]) -> None:
        if unexpected:
            raise InputError(
                f"{self.uri} holds files that no manifest lists, such as {unexpected[0][:80]!r}, and `datasets` might "
                "read them from the next version. Delete them on the Hub, or with --remove-unexpected."
            )

    def _remove_unexpected(self, head: str, may_delete: bool) -> str:
        """Delete the files that no manifest lists, and return the head of `main`; without leave, refuse them."""
        unexpected = self._find_unexpected(head)
        if not (unexpected and may_delete):
            self._refuse(unexpected)
            return head
        operations = [CommitOperationDelete(path, is_folder=False) for path in unexpected]
        title = f"Remove {len(unexpected)} files that no manifest lists"
        try:
            with request_once(self.uri):
                return self.repository.api.create_commit(
                    self.repository.name, operations, commit_message=title, repo_type="dataset", parent_commit=head
                ).oid
        except ConflictError as conflict:
            raise InputError(f"{self.uri}: {conflict}. Run the same command again.") from None

    def _is_private(self) -> bool:
        api = self.repository.api
        return bool(request_with_retry(self.uri, api.repo_info, self.repository.name, repo_type="dataset").private)

    # Publishing

    def commit(self, folder: Path, manifest: Manifest, state: RegistryState, copied_from: Release | None = None) -> str:
        """Make one commit of a written release upon `state`, tag it, and read back what the Hub has."""
        head = state.head or self._create()
        files = self.repository.list_files(head)
        if state.newest is None and (foreign := sorted(set(files) - ALLOWED_FILES)):
            raise InputError(
                f"{self.uri} holds files that were not published by builders, such as {foreign[0][:80]!r}. "
                "Name another repository."
            )
        operations = _operations(folder, manifest, files, state, copied_from)
        with request_once(self.uri):
            commit = self.repository.api.create_commit(
                self.repository.name,
                operations,
                commit_message=_title(manifest),
                commit_description=f"manifest sha256 {identity(manifest)}\n\n{manifest['difference']}",
                repo_type="dataset",
                parent_commit=head,
            ).oid
        self._tag(manifest, commit)
        self._check(manifest, manifest["version"], folder)
        return f"{self.uri}@{manifest['version']}"

    def _create(self) -> str:
        """Make the repository and return the head of `main`; ConflictError if somebody has published to it by now."""
        visibility = {"private": True} if self.private else {}
        create = self.repository.api.create_repo
        request_with_retry(self.uri, create, self.repository.name, repo_type="dataset", exist_ok=True, **visibility)
        head = self.releases.refs().main
        if head is None or self.releases.read_manifest(head):
            raise ConflictError("another publisher made the repository")
        return head

    def _finish(self, main: Manifest, head: str) -> str:
        """Tag the commit of the release that is untagged on `main`: its publisher was killed, or is at it."""
        listed = self.repository.api.list_repo_commits
        commits = request_with_retry(
            self.uri, lambda: list(listed(self.repository.name, repo_type="dataset", revision=head))
        )
        own = next((commit.commit_id for commit in commits if commit.title == _title(main)), None)
        if own is None or self.releases.read_manifest(own) != main:
            raise InputError(
                f"The manifest on main of {self.uri} states {main['version']}, but no commit in its history published "
                "that. Restore its manifest.json."
            )
        self._check(main, own)
        self._tag(main, own)
        return own

    def _tag(self, manifest: Manifest, commit: str) -> None:
        """Tag a commit with its version; if the tag exists already it must be that commit's."""
        options = {"tag_message": f"manifest sha256 {identity(manifest)}", "revision": commit, "repo_type": "dataset"}
        create = self.repository.api.create_tag
        request_with_retry(self.uri, create, self.repository.name, tag=manifest["version"], exist_ok=True, **options)
        if self.releases.refs().tags.get(manifest["version"]) != commit:
            raise ConflictError(f"the tag {manifest['version']} is another commit's", failed=True)

    def _check(self, manifest: Manifest, revision: str, folder: Path | None = None) -> None:
        """Raise InputError unless the Hub lists every file as the manifest does, or as `folder` holds it."""
        uri, problems = f"{self.uri}@{manifest['version']}", self.releases.list_problems(manifest, revision)
        if folder and not problems:
            files = self.repository.list_files(revision)
            differs = [
                path for path in _metadata_paths(manifest) if path not in files or _differs(files[path], folder / path)
            ]
            problems = [f"{uri} has another {path} than was published." for path in differs]
        if problems:
            raise InputError(f"{problems[0]} Warn others with `builders yank {uri}`, then publish again.")

    # Yanking

    def yank(self, version: str, reason: str | None) -> None:
        """Record on `main` that a version is yanked, or no longer; if `main` holds it, its card says so."""
        for _ in range(MAX_CONFLICTS):
            head = self.releases.refs().main
            assert head, "a version that was found is in a repository"
            try:
                return self._write_status(version, reason, head)
            except ConflictError:
                continue
        raise InputError(f"Others wrote to {self.uri} first, {MAX_CONFLICTS} times. Run the same command again.")

    def _write_status(self, version: str, reason: str | None, head: str) -> None:
        status = format_yanked(self.releases.yanked(head), version, reason)
        operations = [CommitOperationAdd(STATUS_FILE, status.encode())]
        main, card = self.releases.read_manifest(head), self.repository.read_file("README.md", head)
        if main and card and main["version"] == version:
            notice = f"{version} was yanked: {reason}" if reason is not None else ""
            text = with_notice(card.decode(errors="replace"), notice)
            operations.append(CommitOperationAdd("README.md", text.encode()))
        title = f"Yank {version}: {reason}" if reason is not None else f"{version} is no longer yanked"
        with request_once(self.uri):
            self.repository.api.create_commit(
                self.repository.name, operations, commit_message=title[:200], repo_type="dataset", parent_commit=head
            )


def _title(manifest: Manifest) -> str:
    return f"{manifest['name']} {manifest['version']}"


def _metadata_paths(manifest: Manifest) -> list[str]:
    """Return the files of a release beside its data."""
    return [*(entry["path"] for entry in manifest["metadata_files"]), FILE, "build.json"]


def _operations(
    folder: Path,
    manifest: Manifest,
    files: Mapping[str, HubFile],
    state: RegistryState,
    copied_from: Release | None,
) -> list[Operation]:
    """Return what one commit must do: write what differs, and delete what the release no longer has."""
    data = {entry["path"]: entry["sha256"] for entry in data_files(manifest["configs"])}
    metadata = _metadata_paths(manifest)
    written = metadata if copied_from else [*data, *metadata]
    operations: list[Operation] = [
        CommitOperationAdd(path, folder / path)
        for path in written
        if path not in files or _differs(files[path], folder / path)
    ]
    if copied_from:
        copies = [path for path, sha256 in data.items() if path not in files or has_other_sha256(files[path], sha256)]
        operations += [CommitOperationCopy(path, path, src_revision=copied_from.commit) for path in copies]
    published = {entry["path"] for entry in release_files(state.newest.manifest)} if state.newest else set()
    kept = {*data, *metadata}
    stale = [path for path in files if path in published and path not in kept]
    return operations + [CommitOperationDelete(path, is_folder=False) for path in sorted(stale)]


def _differs(file: HubFile, path: Path) -> bool:
    """Return whether the Hub's file is another than the one on this disk."""
    if file.sha256 is not None:
        return file.sha256 != sha256_of(path)
    return differs_from_bytes(file, path.read_bytes())
