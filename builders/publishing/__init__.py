"""Publish builds as versioned releases, in a folder or on the Hub; compare, verify, yank and roll back versions."""

from builders.publishing.comparison import ReleaseDiff, compare_releases
from builders.publishing.data_files import SCHEMAS, write_data
from builders.publishing.description import describe, release_name
from builders.publishing.difference import Difference
from builders.publishing.format import (
    fetched_text,
    locked_text,
    versions_json,
    versions_text,
    yanked_text,
)
from builders.publishing.publish import Draft, publish_draft, roll_back
from builders.publishing.registry import existing_registry, open_registry, yank_version
from builders.publishing.row_digests import count_digests, rows_digest
from builders.publishing.types import ConflictError, Published, PublishOptions, Registry, RegistryState, UploadPlan
from builders.publishing.verify import Verification, verified_json, verified_text, verify_release
from builders.publishing.versions import validate_version

__all__ = [
    "SCHEMAS",
    "ConflictError",
    "Difference",
    "Draft",
    "PublishOptions",
    "Published",
    "Registry",
    "RegistryState",
    "ReleaseDiff",
    "UploadPlan",
    "Verification",
    "compare_releases",
    "count_digests",
    "describe",
    "existing_registry",
    "fetched_text",
    "locked_text",
    "open_registry",
    "publish_draft",
    "release_name",
    "roll_back",
    "rows_digest",
    "validate_version",
    "verified_json",
    "verified_text",
    "verify_release",
    "versions_json",
    "versions_text",
    "write_data",
    "yank_version",
    "yanked_text",
]
