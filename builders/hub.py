"""A home that is a repository on the Hugging Face Hub: a release is one commit, and a tag that never moves."""

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    constants,
    try_to_load_from_cache,
)
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import disable_progress_bars

from builders.answers import AUTH, ask, missing, once
from builders.at_rest import Overtaken, Release, Seen
from builders.folder import STATUS, read_status, status_text
from builders.versions import in_order
from cards.manifest import FILE, VERSION, Manifest, data_files, identity, parse_manifest, release_files
from cards.notes import with_notice
from corpora.errors import InputError

PART = r"[A-Za-z0-9](?:[A-Za-z0-9]|[._-](?![._-])){0,94}[A-Za-z0-9]|[A-Za-z0-9]"  # of a repository's name
WITH_US = {".gitattributes", "README.md"}  # what a repository may hold that nothing was published to
Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


def hub_home(to: str, name: str, private: bool = False, offline: bool = False) -> "HubHome":
    """The repository that hf://ORG (for releases of a name) or hf://ORG/NAME is; InputError if it is neither."""
    parts = to.removeprefix("hf://").removeprefix("datasets/").rstrip("/").split("/")
    if len(parts) == 1 and name:
        parts.append(name)
    if len(parts) != 2 or not all(re.fullmatch(PART, part) for part in parts):
        raise InputError(f"{to[:200]!r} is no place on the Hub. Write hf://ORG, or hf://ORG/NAME for one repository.")
    return HubHome("/".join(parts), name, private, offline)


@dataclass(frozen=True)
class HubHome:
    """The releases of one name in one dataset repository. The token is the one that the Hub's own tools use."""

    repo: str
    name: str
    private: bool = False
    offline: bool = False  # ask no server: what is not in the cache is not there

    @property
    def place(self) -> str:
        """The repository, as a person names it."""
        return f"hf://{self.repo}"

    @cached_property
    def api(self) -> HfApi:
        """The client; its progress bars are for a terminal only."""
        if not sys.stderr.isatty():
            disable_progress_bars()
        return HfApi(library_name="coit-builders")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody is kept out: of several publishers the Hub lets one be first, and the others look again."""
        yield None

    def told(self, version: str) -> str:
        """The repository; the version is its revision."""
        return self.place

    def ready(self) -> None:
        """InputError if the token may not write here: said before hours of work, not after."""
        try:
            ask(self.place, self._may_write)
            return
        except LookupError:  # there is no repository yet
            who = ask(self.place, self.api.whoami)
        org = self.repo.split("/")[0]
        if org not in {who["name"], *(other["name"] for other in who.get("orgs", []))}:
            raise InputError(f"The Hub knows you as {who['name']}, who is not in {org}. {AUTH}")

    def _may_write(self) -> None:
        try:
            self.api.auth_check(self.repo, repo_type="dataset", write=True)
        except HfHubHTTPError as error:
            if missing(error):
                raise LookupError from None
            raise

    # What it holds

    def look(self, finish: bool = False) -> Seen:
        """Its tags, and what stands on `main`. With `finish`, a commit whose publisher was killed gets its tag."""
        tags, head = self._refs()
        if head is None:
            return Seen()
        if self.private and not ask(self.place, self.api.repo_info, self.repo, repo_type="dataset").private:
            raise InputError(f"{self.place} is public already. Leave --private out, or change it on the Hub.")
        main = self._manifest(head) if finish else None
        if main and main["version"] not in tags:
            tags[main["version"]] = self._finish(main, head)
        there = in_order(tags)
        newest = self._at(there[-1], tags[there[-1]], head) if there else None
        return Seen(newest, tuple(there), (self._read("README.md", head) or b"").decode(errors="replace"), head)

    def release(self, version: str) -> Release:
        """One of its versions."""
        tags, head = self._refs()
        if version not in tags:
            raise InputError(f"{self.place} has no {version}. `builders versions {self.place}` lists what it has.")
        return self._at(version, tags[version], head)

    def at_commit(self, version: str, commit: str) -> Release:
        """The release of a version in a commit, wherever its tag may be now; needs no Hub if the cache has it."""
        return self._at(version, commit)

    def yanked(self) -> Mapping[str, str]:
        """The versions that are yanked, and why."""
        _, head = self._refs()
        return self._yanked(head) if head else {}

    def _refs(self) -> tuple[dict[str, str], str | None]:
        """The commits that versions are tags of, and the head of `main`; no head if there is no repository."""
        try:
            refs = ask(self.place, self._list_refs)
        except LookupError:
            return {}, None
        heads = [branch.target_commit for branch in refs.branches if branch.name == "main"]
        tags = {tag.name: tag.target_commit for tag in refs.tags if VERSION.fullmatch(tag.name)}
        return tags, heads[0] if heads else None

    def _list_refs(self) -> Any:
        try:
            return self.api.list_repo_refs(self.repo, repo_type="dataset")
        except HfHubHTTPError as error:
            if missing(error):
                raise LookupError from None
            raise

    def _at(self, version: str, commit: str, head: str | None = None) -> Release:
        manifest = self._manifest(commit)
        place = f"{self.place}@{version}"
        if manifest is None or manifest["version"] != version:
            raise InputError(
                f"The tag {version} of {self.place} names a commit that does not hold {version}: it was moved or made "
                "by hand. Move it back to its commit, or delete it, on the Hub."
            )
        why = self._yanked(head).get(version) if head else None
        listed = partial(self._faults, manifest, version)
        return Release(place, manifest, partial(self._bring, place, commit), commit, why, listed)

    def _manifest(self, commit: str) -> Manifest | None:
        text = self._read(FILE, commit)
        return None if text is None else parse_manifest(text, f"{self.place}@{commit[:12]}/{FILE}")

    def _yanked(self, commit: str) -> dict[str, str]:
        text = self._read(STATUS, commit)
        return {} if text is None else read_status(text, f"{self.place}/{STATUS}")

    def _read(self, path: str, commit: str) -> bytes | None:
        """The bytes of a small file at a commit; None if it is not there."""
        try:
            return Path(ask(self.place, self._download, path, commit)).read_bytes()
        except LookupError:
            return None

    def _download(self, path: str, commit: str) -> str:
        try:
            download = partial(self.api.hf_hub_download, self.repo, path, repo_type="dataset", revision=commit)
            return str(download(local_files_only=self.offline))
        except EntryNotFoundError as error:
            if missing(error):
                raise LookupError from None
            raise

    def _bring(self, place: str, commit: str, paths: Sequence[str]) -> Path:
        """Fetch files of a commit to the Hub's cache; the folder there that holds them."""
        cached = [try_to_load_from_cache(self.repo, path, revision=commit, repo_type="dataset") for path in paths]
        if all(isinstance(path, str) for path in cached):
            return Path(str(cached[0])).parents[paths[0].count("/")]
        options = {"repo_type": "dataset", "revision": commit, "local_files_only": self.offline}
        folder = Path(ask(place, self.api.snapshot_download, self.repo, allow_patterns=list(paths), **options))
        if lost := [path for path in paths if not (folder / path).is_file()]:
            what = "not all in the cache, and no server is asked" if self.offline else "not whole on the Hub"
            raise InputError(f"{place} is {what}: {lost[0]} is missing.")
        return folder

    def _tree(self, revision: str) -> dict[str, RepoFile]:
        tree = partial(self.api.list_repo_tree, self.repo, recursive=True, revision=revision, repo_type="dataset")
        return {file.path: file for file in ask(self.place, lambda: list(tree())) if isinstance(file, RepoFile)}

    # What is put there

    def put(self, folder: Path, manifest: Manifest, seen: Seen, copied_from: Release | None = None) -> str:
        """Make one commit of a written release upon what was seen, tag it, and read back what the Hub has."""
        head = seen.head or self._create()
        there = self._tree(head)
        if seen.newest is None and (foreign := sorted(set(there) - WITH_US)):
            raise InputError(
                f"{self.place} holds files that were not published by builders, such as {foreign[0][:80]!r}. "
                "Name another repository."
            )
        operations = _operations(folder, manifest, there, seen, copied_from)
        with once(self.place):
            commit = self.api.create_commit(
                self.repo,
                operations,
                commit_message=_title(manifest),
                commit_description=f"manifest sha256 {identity(manifest)}\n\n{manifest['difference']}",
                repo_type="dataset",
                parent_commit=head,
            ).oid
        self._tag(manifest, commit)
        self._check(manifest, manifest["version"], folder)
        return f"{self.place}@{manifest['version']}"

    def _create(self) -> str:
        """Make the repository; the head of its `main`. Overtaken if somebody has published to it by now."""
        visibility = {"private": True} if self.private else {}
        ask(self.place, self.api.create_repo, self.repo, repo_type="dataset", exist_ok=True, **visibility)
        _, head = self._refs()
        if head is None or self._manifest(head):
            raise Overtaken("another made the repository")
        return head

    def _finish(self, main: Manifest, head: str) -> str:
        """Tag the commit of the release that stands untagged on `main`: its publisher was killed, or is at it."""
        commits = ask(
            self.place, lambda: list(self.api.list_repo_commits(self.repo, repo_type="dataset", revision=head))
        )
        own = next((commit.commit_id for commit in commits if commit.title == _title(main)), None)
        if own is None or self._manifest(own) != main:
            raise InputError(
                f"{self.place} says on main that it is {main['version']}, but no commit in its history published that. "
                "Restore its manifest.json."
            )
        self._check(main, own)
        self._tag(main, own)
        return own

    def _tag(self, manifest: Manifest, commit: str) -> None:
        """Tag a commit with its version; if the tag is there already it must be that commit's."""
        options = {"tag_message": f"manifest sha256 {identity(manifest)}", "revision": commit, "repo_type": "dataset"}
        ask(self.place, self.api.create_tag, self.repo, tag=manifest["version"], exist_ok=True, **options)
        tags, _ = self._refs()
        if tags.get(manifest["version"]) != commit:
            raise Overtaken(f"the tag {manifest['version']} is another commit's", failed=True)

    def _check(self, manifest: Manifest, revision: str, folder: Path | None = None) -> None:
        """InputError unless the Hub says of every file of a release what the manifest says, or what `folder` holds."""
        place, faults = f"{self.place}@{manifest['version']}", self._faults(manifest, revision)
        if folder and not faults:
            there, own = self._tree(revision), _own(manifest)
            faults = [
                f"{place} has another {path}."
                for path in own
                if path not in there or _differs_from(there[path], folder / path)
            ]
        if faults:
            raise InputError(f"{faults[0]} `builders yank {place}` warns others; then publish again.")

    def _faults(self, manifest: Manifest, revision: str) -> list[str]:
        """What the Hub says otherwise than the manifest of the files of a revision."""
        there = self._tree(revision)
        entries = {entry["path"]: entry for entry in release_files(manifest)}
        wrong = [path for path, entry in entries.items() if not (file := there.get(path)) or _is_other(file, entry)]
        wrong += [path for path in there if path.startswith("data/") and path not in entries]
        return [f"{self.place} does not hold {path[:200]!r} of {revision} as it was published." for path in wrong]

    # What is said of it

    def yank(self, version: str, why: str | None) -> None:
        """Write down on `main` that a version is yanked, or no longer; if `main` holds it the card says so."""
        for _ in range(10):
            _, head = self._refs()
            assert head, "a version that was found is in a repository"
            try:
                return self._write_status(version, why, head)
            except Overtaken:
                continue
        raise InputError(f"Others wrote to {self.place} first, ten times. Run the same command again.")

    def _write_status(self, version: str, why: str | None, head: str) -> None:
        status = status_text(self._yanked(head), version, why)
        operations = [CommitOperationAdd(STATUS, status.encode())]
        main, card = self._manifest(head), self._read("README.md", head)
        if main and card and main["version"] == version:
            notice = f"{version} was yanked: {why}" if why is not None else ""
            operations.append(
                CommitOperationAdd("README.md", with_notice(card.decode(errors="replace"), notice).encode())
            )
        done = f"Yank {version}: {why}" if why is not None else f"Take back that {version} is yanked"
        with once(self.place):
            self.api.create_commit(
                self.repo, operations, commit_message=done[:200], repo_type="dataset", parent_commit=head
            )


def hub_homes(org: str) -> list[HubHome]:
    """The repositories of an organisation or person on the Hub that releases were published to."""
    api = HfApi(library_name="coit-builders")
    found = ask(f"hf://{org}", lambda: sorted(info.id for info in api.list_datasets(author=org)))
    homes = [HubHome(repo, "") for repo in found]
    return [home for home in homes if home.look().versions]


def forget_cached(folder: Path, path: str) -> None:
    """Remove a file that is not what it should be from the Hub's cache, so that nobody takes it for whole."""
    pointer = folder / path
    blob = pointer.resolve()
    pointer.unlink(missing_ok=True)
    if Path(constants.HF_HUB_CACHE).resolve() in blob.parents:
        blob.unlink(missing_ok=True)


def _title(manifest: Manifest) -> str:
    return f"{manifest['name']} {manifest['version']}"


def _own(manifest: Manifest) -> list[str]:
    """The files of a release beside its data."""
    return [*(entry["path"] for entry in manifest["beside"]), FILE, "build.json"]


def _operations(
    folder: Path, manifest: Manifest, there: Mapping[str, RepoFile], seen: Seen, copied_from: Release | None
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
        copies = [path for path, sha256 in data.items() if path not in there or _differs(there[path], sha256)]
        operations += [CommitOperationCopy(path, path, src_revision=copied_from.commit) for path in copies]
    published = {entry["path"] for entry in release_files(seen.newest.manifest)} if seen.newest else set()
    stale = [path for path in there if (path in published or path.startswith("data/")) and path not in {*data, *own}]
    return operations + [CommitOperationDelete(path, is_folder=False) for path in sorted(stale)]


def _differs(file: RepoFile, sha256: str) -> bool:
    """Whether the Hub says another SHA-256 of a file; of those outside LFS it says none."""
    return file.lfs is not None and file.lfs.sha256 != sha256


def _is_other(file: RepoFile, entry: Mapping[str, Any]) -> bool:
    return bool(file.size != entry["size"]) or _differs(file, entry["sha256"])


def _differs_from(file: RepoFile, path: Path) -> bool:
    """Whether the Hub's file is not the one on this disk."""
    content = path.read_bytes() if file.lfs is None else b""
    if file.lfs is None:
        return bool(file.blob_id != hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest())
    with path.open("rb") as opened:
        return bool(file.lfs.sha256 != hashlib.file_digest(opened, "sha256").hexdigest())
