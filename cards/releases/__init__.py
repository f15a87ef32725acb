"""Read releases: find one in a folder, a registry or on the Hub, check its files, lock it, and load its rows.

release = open_release("hf://ORG/NAME@v1.0.0")    # or NAME, NAME@v1, a folder
release.rows("el")                                # a Polars frame of the split `train`
release.load("el")                                # a datasets.DatasetDict
lock_releases([release])                          # datasets.lock
fetch_locked()                                    # {"hf://ORG/NAME": a folder with exactly the locked bytes}
"""

from cards.releases.files import (
    check_files,
    find_file_problem,
    find_file_problems,
    find_unexpected_files,
    unexpected_paths,
)
from cards.releases.find import (
    ReleaseLike,
    Releases,
    find_releases,
    list_names,
    list_releases,
    open_release,
    registry_folder,
)
from cards.releases.folder import FolderReleases, release_names
from cards.releases.hub import HUB, HubReleases, differs_from_bytes, has_other_sha256, hub_releases
from cards.releases.lock_file import LOCK_FILE, LockEntry, fetch_locked, load_locked, lock_releases, read_lock
from cards.releases.release import Release, open_folder
from cards.releases.store import StoreReleases
from cards.releases.verified_rows import read_split
from cards.releases.versions import format_version, parse_version, resolve_version, sort_versions
from cards.releases.yanked import STATUS_FILE, format_yanked

__all__ = [
    "HUB",
    "LOCK_FILE",
    "STATUS_FILE",
    "FolderReleases",
    "HubReleases",
    "LockEntry",
    "Release",
    "ReleaseLike",
    "Releases",
    "StoreReleases",
    "check_files",
    "differs_from_bytes",
    "fetch_locked",
    "find_file_problem",
    "find_file_problems",
    "find_releases",
    "find_unexpected_files",
    "format_version",
    "format_yanked",
    "has_other_sha256",
    "hub_releases",
    "list_names",
    "list_releases",
    "load_locked",
    "lock_releases",
    "open_folder",
    "open_release",
    "parse_version",
    "read_lock",
    "read_split",
    "registry_folder",
    "release_names",
    "resolve_version",
    "sort_versions",
    "unexpected_paths",
]
