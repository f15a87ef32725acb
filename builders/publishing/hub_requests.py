"""Requests to the Hub that must not be repeated: a commit either happened, or the state is read again."""

from collections.abc import Iterator
from contextlib import contextmanager

from builders.publishing.types import ConflictError
from corpora.errors import InputError
from corpora.hub import describe_answer, get_retry_after, hub_error, is_conflict, is_transient


@contextmanager
def request_once(uri: str) -> Iterator[None]:
    """Make the request of the block once.

    Raises:
        ConflictError: Another commit was first, or the outcome is unknown.
        InputError: The Hub refused the request.
    """
    from httpx2 import TransportError
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except (HfHubHTTPError, TransportError, ConnectionError, TimeoutError) as error:
        if is_conflict(error):
            raise ConflictError("another commit was first") from None
        _raise_if_transient(error)
        raise hub_error(uri, error) from None
    except (RuntimeError, ValueError) as error:  # what the upload of data and the check of the card raise
        if isinstance(error.__cause__, Exception):
            _raise_if_transient(error.__cause__)
        raise InputError(f"{uri} took no upload: {describe_answer(error)}. Run the same command again.") from None


def _raise_if_transient(error: Exception) -> None:
    """Raise ConflictError if the request may have been done, or may succeed later."""
    if is_transient(error):
        raise ConflictError(describe_answer(error), failed=True, wait_s=get_retry_after(error)) from None
