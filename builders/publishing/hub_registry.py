"""A registry that is a repository on the Hugging Face Hub: a release is one commit, and a tag that never moves."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.hf_api import RepoFile

from builders.publishing.hub_errors import AUTH, request_once, request_with_retry
from builders.publishing.hub_repository import Repository, differs
from builders.publishing.local_registry import STATUS, status_text
from builders.publishing.types import ConflictError, RegistryState, Release
from builders.publishing.versions import in_order
from cards.human_written import with_notice
from cards.manifest import FILE, Manifest, data_files, identity, release_files
from corpora.errors import InputError

PART = r"[A-Za-z0-9](?:[A-Za-z0-9]|[._-](?![._-])){0,94}[A-Za-z0-9]|[A-Za-z0-9]"  # of a repository's name
ALLOWED_FILES = {".gitattributes", "README.md"}  # what a repository may hold that nothing was published to
Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


def open_hub_registry(to: str, name: str, private: bool = False, offline: bool = False) -> "HubRegistry":
    """The repository that hf://ORG (for releases of a name) or hf://ORG/NAME is; InputError if it is neither."""
    parts = to.removeprefix("hf://").removeprefix("datasets/").rstrip("/").split("/")
    if len(parts) == 1 and name:
        parts.append(name)
    if len(parts) != 2 or not all(re.fullmatch(PART, part) for part in parts):
        raise InputError(f"{to[:200]!r} is not a registry. Write hf://ORG, or hf://ORG/NAME for a repository.")
    return HubRegistry("/".join(parts), name, private, offline)


@dataclass(frozen=True)
class HubRegistry:
    """The releases of one name in one dataset repository. The token is the one that the Hub's own tools use."""

    repo: str
    name: str
    private: bool = False
    offline: bool = False  # ask no server: what is not in the cache is not there

    @property
    def uri(self) -> str:
        """The repository, as a person names it."""
        return self.there.uri

    @cached_property
    def there(self) -> Repository:
        """The repository itself."""
        return Repository(self.repo, self.offline)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Nobody is kept out: of several publishers the Hub lets one be first, and the others look again."""
        yield None

    def card_location(self, version: str) -> str:
        """The repository; the version is its revision."""
        return self.uri

    def check_writable(self) -> None:
        """InputError if the token may not write here: said before hours of work, not after."""
        try:
            request_with_retry(self.uri, self.there.may_write)
            return
        except LookupError:  # there is no repository yet
            who = request_with_retry(self.uri, self.there.api.whoami)
        org = self.repo.split("/")[0]
        if org not in {who["name"], *(other["name"] for other in who.get("orgs", []))}:
            raise InputError(f"The Hub knows you as {who['name']}, who is not in {org}. {AUTH}")

    # What it holds

    def get_state(self, finish: bool = False) -> RegistryState:
        """Its tags, and what stands on `main`. With `finish`, a commit whose publisher was killed gets its tag."""
        tags, head = self.there.refs()
        if head is None:
            return RegistryState()
        if (
            self.private
            and not request_with_retry(self.uri, self.there.api.repo_info, self.repo, repo_type="dataset").private
        ):
            raise InputError(f"{self.uri} is public already. Leave --private out, or change it on the Hub.")
        main = self.there.manifest(head) if finish else None
        if main and main["version"] not in tags:
            tags[main["version"]] = self._finish(main, head)
        there = in_order(tags)
        newest = self._at(there[-1], tags[there[-1]], head) if there else None
        return RegistryState(
            newest, tuple(there), (self.there.read("README.md", head) or b"").decode(errors="replace"), head
        )

    def release(self, version: str) -> Release:
        """One of its versions."""
        tags, head = self.there.refs()
        if version not in tags:
            raise InputError(f"{self.uri} has no {version}. `builders versions {self.uri}` lists what it has.")
        return self._at(version, tags[version], head)

    def at_commit(self, version: str, commit: str) -> Release:
        """The release of a version in a commit, wherever its tag may be now; needs no Hub if the cache has it."""
        return self._at(version, commit)

    def yanked(self) -> Mapping[str, str]:
        """The versions that are yanked, and why."""
        _, head = self.there.refs()
        return self.there.yanked(head) if head else {}

    def _at(self, version: str, commit: str, head: str | None = None) -> Release:
        manifest = self.there.manifest(commit)
        uri = f"{self.uri}@{version}"
        if manifest is None or manifest["version"] != version:
            raise InputError(
                f"The tag {version} of {self.uri} names a commit that does not hold {version}: it was moved or made "
                "by hand. Move it back to its commit, or delete it, on the Hub."
            )
        why = self.there.yanked(head).get(version) if head else None
        listed = partial(self.there.faults, manifest, version)
        return Release(uri, manifest, partial(self.there.fetch_files, uri, commit), commit, why, listed)

    # What is put there

    def commit(self, folder: Path, manifest: Manifest, state: RegistryState, copied_from: Release | None = None) -> str:
        """Make one commit of a written release upon what was state, tag it, and read back what the Hub has."""
        head = state.head or self._create()
        there = self.there.tree(head)
        if state.newest is None and (foreign := sorted(set(there) - ALLOWED_FILES)):
            raise InputError(
                f"{self.uri} holds files that were not published by builders, such as {foreign[0][:80]!r}. "
                "Name another repository."
            )
        operations = _operations(folder, manifest, there, state, copied_from)
        with request_once(self.uri):
            commit = self.there.api.create_commit(
                self.repo,
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
        """Make the repository; the head of its `main`. ConflictError if somebody has published to it by now."""
        visibility = {"private": True} if self.private else {}
        request_with_retry(
            self.uri, self.there.api.create_repo, self.repo, repo_type="dataset", exist_ok=True, **visibility
        )
        _, head = self.there.refs()
        if head is None or self.there.manifest(head):
            raise ConflictError("another made the repository")
        return head

    def _finish(self, main: Manifest, head: str) -> str:
        """Tag the commit of the release that stands untagged on `main`: its publisher was killed, or is at it."""
        commits = request_with_retry(
            self.uri, lambda: list(self.there.api.list_repo_commits(self.repo, repo_type="dataset", revision=head))
        )
        own = next((commit.commit_id for commit in commits if commit.title == _title(main)), None)
        if own is None or self.there.manifest(own) != main:
            raise InputError(
                f"{self.uri} says on main that it is {main['version']}, but no commit in its history published that. "
                "Restore its manifest.json."
            )
        self._check(main, own)
        self._tag(main, own)
        return own

    def _tag(self, manifest: Manifest, commit: str) -> None:
        """Tag a commit with its version; if the tag is there already it must be that commit's."""
        options = {"tag_message": f"manifest sha256 {identity(manifest)}", "revision": commit, "repo_type": "dataset"}
        request_with_retry(
            self.uri, self.there.api.create_tag, self.repo, tag=manifest["version"], exist_ok=True, **options
        )
        tags, _ = self.there.refs()
        if tags.get(manifest["version"]) != commit:
            raise ConflictError(f"the tag {manifest['version']} is another commit's", failed=True)

    def _check(self, manifest: Manifest, revision: str, folder: Path | None = None) -> None:
        """InputError unless the Hub says of every file of a release what the manifest says, or what `folder` holds."""
        uri, faults = f"{self.uri}@{manifest['version']}", self.there.faults(manifest, revision)
        if folder and not faults:
            there, own = self.there.tree(revision), _own(manifest)
            faults = [
                f"{uri} has another {path}."
                for path in own
                if path not in there or _differs_from(there[path], folder / path)
            ]
        if faults:
            raise InputError(f"{faults[0]} `builders yank {uri}` warns others; then publish again.")

    # What is said of it

    def yank(self, version: str, why: str | None) -> None:
        """Write down on `main` that a version is yanked, or no longer; if `main` holds it the card says so."""
        for _ in range(10):
            _, head = self.there.refs()
            assert head, "a version that was found is in a repository"
            try:
                return self._write_status(version, why, head)
            except ConflictError:
                continue
        raise InputError(f"Others wrote to {self.uri} first, ten times. Run the same command again.")

    def _write_status(self, version: str, why: str | None, head: str) -> None:
        status = status_text(self.there.yanked(head), version, why)
        operations = [CommitOperationAdd(STATUS, status.encode())]
        main, card = self.there.manifest(head), self.there.read("README.md", head)
        if main and card and main["version"] == version:
            notice = f"{version} was yanked: {why}" if why is not None else ""
            operations.append(
                CommitOperationAdd("README.md", with_notice(card.decode(errors="replace"), notice).encode())
            )
        done = f"Yank {version}: {why}" if why is not None else f"Take back that {version} is yanked"
        with request_once(self.uri):
            self.there.api.create_commit(
                self.repo, operations, commit_message=done[:200], repo_type="dataset", parent_commit=head
            )


def list_hub_registries(org: str) -> list[HubRegistry]:
    """The repositories of an organisation or person on the Hub that releases were published to."""
    api = HfApi(library_name="coit-builders")
    found = request_with_retry(f"hf://{org}", lambda: sorted(info.id for info in api.list_datasets(author=org)))
    registries = [HubRegistry(repo, "") for repo in found]
    return [registry for registry in registries if registry.get_state().versions]


def _title(manifest: Manifest) -> str:
    return f"{manifest['name']} {manifest['version']}"


def _own(manifest: Manifest) -> list[str]:
    """The files of a release beside its data."""
    return [*(entry["path"] for entry in manifest["beside"]), FILE, "build.json"]


def _operations(
    folder: Path, manifest: Manifest, there: Mapping[str, RepoFile], state: RegistryState, copied_from: Release | None
) -> list[Operation]:
    """What one commit must do: write what differs, and delete what the release no longer has."""
    data = {entry["path"]: entry["sha256"] for entry in data_files(manifest["configs"])}
    own = _own(manifest)
    written = own if copied_from else [*data, *own]
    operations: list[Operation] = [
        CommitOperationAdd(path, folder / path)
        for path in written
        if path not in there or _differs_from(there[path], folder / path)
    ]
    if copied_from:
        copies = [path for path, sha256 in data.items() if path not in there or differs(there[path], sha256)]
        operations += [CommitOperationCopy(path, path, src_revision=copied_from.commit) for path in copies]
    published = {entry["path"] for entry in release_files(state.newest.manifest)} if state.newest else set()
    stale = [path for path in there if (path in published or path.startswith("data/")) and path not in {*data, *own}]
    return operations + [CommitOperationDelete(path, is_folder=False) for path in sorted(stale)]


def _differs_from(file: RepoFile, path: Path) -> bool:
    """Whether the Hub's file is not the one on this disk."""
    content = path.read_bytes() if file.lfs is None else b""
    if file.lfs is None:
        return bool(file.blob_id != hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest())
    with path.open("rb") as opened:
        return bool(file.lfs.sha256 != hashlib.file_digest(opened, "sha256").hexdigest())
