"""The versions of a release on the Hugging Face Hub: tags of a dataset repository."""

import hashlib
import re
from dataclasses import dataclass
from functools import partial

from cards.manifest import FILE, is_version, parse_manifest, release_files, to_text
from cards.manifest_types import Manifest
from cards.releases.files import MAX_UNEXPECTED, unexpected_paths
from cards.releases.release import Release
from cards.releases.versions import sort_versions
from cards.releases.yanked import STATUS_FILE, parse_yanked
from corpora.errors import InputError
from corpora.hub import HubFile, HubRepository, Refs, request_with_retry

HUB = "hf://"
MAX_NAME_CHARS = 96  # of ORG/NAME
PART = r"[A-Za-z0-9](?:[A-Za-z0-9]|[._-](?![._-])){0,94}[A-Za-z0-9]|[A-Za-z0-9]"  # of a repository's name


@dataclass(frozen=True)
class HubReleases:
    """The versions of one name in a dataset repository."""

    repository: HubRepository

    @property
    def uri(self) -> str:
        """The repository as hf://ORG/NAME."""
        return self.repository.uri

    def refs(self) -> Refs:
        """Return the commits of the versions and of `main`; a repository that does not exist has none."""
        refs = self.repository.get_refs()
        return Refs({name: commit for name, commit in refs.tags.items() if is_version(name)}, refs.main)

    def versions(self) -> list[str]:
        """Return the versions, oldest first."""
        return sort_versions(self.refs().tags)

    def yanked(self, commit: str | None = None) -> dict[str, str]:
        """Return the reasons of the versions that a commit (`main` by default) says are yanked, by version."""
        commit = commit or self.refs().main
        text = self.repository.read_file(STATUS_FILE, commit) if commit else None
        return {} if text is None else parse_yanked(text, f"{self.uri}/{STATUS_FILE}")

    def open(self, version: str) -> Release:
        """Return one of the versions.

        Raises:
            InputError: There is no such version, or its tag was moved to another commit.
        """
        refs = self.refs()
        if version not in refs.tags:
            raise InputError(f"{self.uri} has no version {version}. `builders versions {self.uri}` lists its versions.")
        return self.open_commit(version, refs.tags[version], refs.main)

    def open_commit(self, version: str, commit: str, main: str | None = None) -> Release:
        """Return a version at a commit, whatever its tag names now; the Hub is asked only for what the cache lacks.

        Args:
            version: The version that the commit must hold.
            commit: The commit.
            main: The commit of `main`, which says what is yanked; None to not ask.
        """
        manifest = self.read_manifest(commit)
        if manifest is None or manifest["version"] != version:
            raise InputError(
                f"The commit {commit[:12]} of {self.uri} does not hold {version}: the tag was moved or made by other "
                "means. Move it back to its commit, or delete it, on the Hub."
            )
        return Release(
            uri=f"{self.uri}@{version}",
            manifest=manifest,
            fetch_files=partial(self.repository.download, commit),
            commit=commit,
            yanked=self.yanked(main).get(version) if main else None,
            list_problems=partial(self.list_problems, manifest, commit),
        )

    def read_manifest(self, commit: str) -> Manifest | None:
        """Return the manifest at a commit; None if there is none."""
        text = self.repository.read_file(FILE, commit)
        return None if text is None else parse_manifest(text, f"{self.uri}@{commit[:12]}/{FILE}")

    def list_problems(self, manifest: Manifest, revision: str) -> list[str]:
        """Return a sentence for each file that the Hub lists otherwise than the manifest."""
        files = self.repository.list_files(revision)
        entries = {entry["path"]: entry for entry in release_files(manifest)}
        wrong = [
            path
            for path, entry in entries.items()
            if path not in files or files[path].size != entry["size"] or has_other_sha256(files[path], entry["sha256"])
        ]
        if FILE not in files or differs_from_bytes(files[FILE], to_text(manifest).encode()):
            wrong.append(FILE)  # the one that was opened is from a cache, which others may share
        version = f"{self.uri}@{manifest['version']}"
        problems = [f"{version} does not hold '{path[:200]}' as it was published." for path in wrong]
        unexpected = unexpected_paths(files, manifest)[:MAX_UNEXPECTED]
        return problems + [f"{version} holds '{path[:200]}', which is not in its manifest." for path in unexpected]


def has_other_sha256(file: HubFile, sha256: str) -> bool:
    """Return whether the Hub states another SHA-256 of a file; it states none of files outside Git LFS."""
    return file.sha256 is not None and file.sha256 != sha256


def differs_from_bytes(file: HubFile, content: bytes) -> bool:
    """Return whether a file of the Hub is another than these bytes."""
    if file.sha256 is not None:
        return file.sha256 != hashlib.sha256(content).hexdigest()
    return file.blob_id != hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def hub_releases(uri: str, name: str = "", offline: bool = False) -> HubReleases:
    """Return the releases of hf://ORG/NAME, or of a name in hf://ORG.

    Raises:
        InputError: `uri` is neither.
    """
    parts = uri.removeprefix(HUB).removeprefix("datasets/").rstrip("/").split("/")
    if len(parts) == 1 and name:
        parts.append(name)
    if len(parts) != 2 or not all(parts):
        raise InputError(f"{uri[:200]!r} is not a registry. Write hf://ORG, or hf://ORG/NAME for a repository.")
    _check_repository("/".join(parts))
    return HubReleases(HubRepository("/".join(parts), offline=offline))


def _check_repository(name: str) -> None:
    """Raise InputError for ORG/NAME if the Hub refuses repositories of this name (`validate_repo_id` of its client)."""
    is_valid = all(re.fullmatch(PART, part) for part in name.split("/"))
    if not is_valid or len(name) > MAX_NAME_CHARS or name.endswith(".git"):
        raise InputError(
            f"{name[:200]!r} is no name of a repository on the Hub: both parts have letters and digits, with single -, "
            f"_ and . between them, no .git at the end, and together at most {MAX_NAME_CHARS} characters. Rename the "
            "recipe's file, or name another registry."
        )


def list_hub_releases(org: str) -> list[HubReleases]:
    """Return the repositories of an organisation or person that hold releases."""
    repository = HubRepository(org)
    names = request_with_retry(
        f"{HUB}{org}", lambda: sorted(info.id for info in repository.api.list_datasets(author=org))
    )
    repositories = [HubReleases(HubRepository(name)) for name in names]
    return [releases for releases in repositories if releases.versions()]
