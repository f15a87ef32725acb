"""Write to the Hub: all files of a repository in one commit upon the one that was read, and a tag for it."""

from collections.abc import Mapping
from pathlib import Path

from corpora.errors import InputError
from corpora.hub.hub_errors import describe_answer, hub_error, is_conflict, request_with_retry
from corpora.hub.repository import HubRepository


def create_repository(repository: HubRepository, private: bool) -> str:
    """Make a repository unless it exists, and return the head of its branch `main`.

    Raises:
        InputError: The token may not write there.
    """
    visibility = {"private": True} if private else {}
    create = repository.api.create_repo
    request_with_retry(repository.uri, create, repository.name, repo_type=repository.kind, exist_ok=True, **visibility)
    head = repository.get_refs().main
    if head is None:
        raise InputError(f"{repository.uri} has no branch main. Make it on the Hub, or name another repository.")
    return head


def commit_files(repository: HubRepository, files: Mapping[str, Path | bytes], title: str, head: str) -> str:
    """Make one commit after which a repository holds these files and no other; return it.

    Args:
        repository: The repository.
        files: A file, or its bytes, for each path.
        title: The title of the commit.
        head: The commit that was read; InputError if another has followed since.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    stale = sorted(set(repository.list_files(head)) - set(files) - {".gitattributes"})
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    deletions = [CommitOperationDelete(path, is_folder=False) for path in stale]
    try:
        commit = repository.api.create_commit(
            repository.name,
            [*operations, *deletions],
            commit_message=title,
            repo_type=repository.kind,
            parent_commit=head,
        )
    except (RuntimeError, ValueError) as error:  # what the upload of data and the check of the card raise
        raise InputError(f"{repository.uri} took no upload: {describe_answer(error)}. Run the command again.") from None
    except Exception as error:
        if is_conflict(error):
            raise InputError(
                f"{repository.uri} was changed by somebody else meanwhile. Run the command again."
            ) from None
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise hub_error(repository.uri, error) from None
    return str(commit.oid)


def tag_commit(repository: HubRepository, tag: str, commit: str) -> None:
    """Tag a commit; InputError if the tag is another commit's."""
    create = repository.api.create_tag
    options = {"tag": tag, "revision": commit, "repo_type": repository.kind, "exist_ok": True}
    request_with_retry(repository.uri, create, repository.name, **options)
    if repository.get_refs().tags.get(tag) != commit:
        raise InputError(f"The tag {tag} of {repository.uri} is another commit's. Name another with --tag.")
