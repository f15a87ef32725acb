"""Read from the Hugging Face Hub: refs, files and bytes of a repository, with one wording of what went wrong.

    repository = HubRepository("ORG/NAME")                    # or HubRepository("ORG/NAME", "model", offline=True)
    repository.get_refs()                                     # Refs(tags={"v1.0.0": COMMIT}, main=COMMIT)
    repository.resolve("v1.0.0")                              # COMMIT; offline from the cache
    repository.get_info("v1.0.0")                             # RepositoryInfo(commit, files, licence)
    repository.list_files(COMMIT)                             # {path: HubFile(path, size, sha256, blob_id)}
    repository.read_file("manifest.json", COMMIT)             # bytes, or None if the commit has no such file
    repository.download(COMMIT, ["manifest.json", "data/**"]) # a folder of the Hub's cache
    repository.find_cached(COMMIT, ["*.json"])                # the same without a request, or None
    repository.api                                            # huggingface_hub's HfApi, for what writes

Requests that may be repeated go through `request_with_retry`: five attempts, `Retry-After` is obeyed, and what is left
becomes an InputError by `hub_error`. What must not be repeated (a commit) calls `api` itself and asks `is_conflict`,
`is_transient`, `is_not_found`, `get_retry_after` and `describe_answer` about the error. The token is the one of
`hf auth login` or HF_TOKEN. `huggingface_hub` is imported by the first call, not with this package.
"""

from corpora.hub.hub_client import hub_authorization, is_hub_url
from corpora.hub.hub_errors import (
    LOGIN_HINT,
    describe_answer,
    get_retry_after,
    hub_error,
    is_conflict,
    is_not_found,
    is_offline,
    is_transient,
    request_with_retry,
)
from corpora.hub.repository import COMMIT, HubFile, HubRepository, Refs, RepositoryInfo, remove_cached
from corpora.hub.upload import commit_files, create_repository, tag_commit

__all__ = [
    "COMMIT",
    "LOGIN_HINT",
    "HubFile",
    "HubRepository",
    "Refs",
    "RepositoryInfo",
    "commit_files",
    "create_repository",
    "describe_answer",
    "get_retry_after",
    "hub_authorization",
    "hub_error",
    "is_conflict",
    "is_hub_url",
    "is_not_found",
    "is_offline",
    "is_transient",
    "remove_cached",
    "request_with_retry",
    "tag_commit",
]
