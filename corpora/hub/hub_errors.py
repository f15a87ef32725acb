"""Errors of the Hub in sentences: what a person can fix, what is worth another attempt, and when."""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from corpora.errors import InputError

CONFLICT_STATUSES, BUSY_STATUSES = (409, 412), (408, 429, 500, 502, 503, 504)
MAX_ATTEMPTS = 5  # of a request that changes nothing, or the same thing again
MAX_RETRY_AFTER_S = 300.0
LOGIN_HINT = "Log in with `hf auth login`, or set HF_TOKEN to a token with the rights that this needs."
Answer = TypeVar("Answer")


def request_with_retry(label: str, call: Callable[..., Answer], *values: Any, **options: Any) -> Answer:
    """Return the answer to a request that may safely be repeated.

    Args:
        label: What is asked for, such as `hf://ORG/NAME`: the subject of error sentences.
        call: The request.
        *values: Its positional arguments.
        **options: Its keyword arguments.

    Raises:
        InputError: The Hub refused, did not answer in `MAX_ATTEMPTS` attempts, or sent damaged files.
        OSError: The disk of this machine failed.
    """
    for attempts_left in reversed(range(MAX_ATTEMPTS)):
        try:
            return call(*values, **options)
        except Exception as error:  # the classes are known only after the import of a library that takes its time
            if not _is_from_hub(error):
                raise
            if not (attempts_left and _is_worth_retry(error)):
                raise hub_error(label, error) from None
            time.sleep(get_retry_after(error) or random.uniform(0.05, 0.2) * 2 ** (MAX_ATTEMPTS - attempts_left))
    raise AssertionError("the last attempt either answers or raises")


def is_offline() -> bool:
    """Return whether HF_HUB_OFFLINE forbids requests."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def is_not_found(error: Exception) -> bool:
    """Return whether the Hub has no such repository, revision or file."""
    from huggingface_hub import errors

    missing = (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError)
    return isinstance(error, missing) and not isinstance(error, errors.LocalEntryNotFoundError)


def is_conflict(error: Exception) -> bool:
    """Return whether the Hub refused a commit because another one was first."""
    return _status(error) in CONFLICT_STATUSES


def is_transient(error: Exception) -> bool:
    """Return whether the same request may succeed later: the Hub is busy, or did not answer."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, HfHubHTTPError):
        return _status(error) in BUSY_STATUSES
    return _is_without_answer(error) and not isinstance(error, OfflineModeIsEnabled)


def get_retry_after(error: Exception) -> float:
    """Return the seconds that the Hub asks to wait before the next request; 0 if it does not ask."""
    response = getattr(error, "response", None)
    seconds = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(seconds), MAX_RETRY_AFTER_S) if seconds.isdecimal() else 0.0


def describe_answer(error: Exception) -> str:
    """Return the Hub's answer, or that there was none, on one line and without anything secret."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        message = error.server_message or (error.response.reason_phrase if error.response is not None else "")
        return f"it answered {_status(error)} {_one_line(str(message))}".rstrip()
    if _is_without_answer(error):
        return f"no answer from {constants.ENDPOINT} ({type(error).__name__})"
    return _one_line(str(error)) or type(error).__name__


def hub_error(label: str, error: Exception) -> InputError:
    """Return the sentence for an error that another attempt does not change."""
    from huggingface_hub import errors

    status = _status(error)
    if isinstance(error, errors.LocalTokenNotFoundError):
        return InputError(f"There is no token for {label}. {LOGIN_HINT}")
    if isinstance(error, UnicodeEncodeError):
        return InputError(f"The token for {label} has characters that no token has. {LOGIN_HINT}")
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError):
        return InputError(
            f"{label} is not completely in the local cache, and the Hub cannot be reached or HF_HUB_OFFLINE "
            "is set. Check the connection and the variable, then run the command again."
        )
    if isinstance(error, errors.GatedRepoError):
        return InputError(f"{label} is gated: accept its terms on its page on the Hub first. {LOGIN_HINT}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return InputError(
            f"{label} does not exist on the Hub, or you may not read it: `hf auth whoami` shows who you are. "
            f"Correct the name. {LOGIN_HINT}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return InputError(f"{label} has no such revision on the Hub. Correct it, or leave it out for the newest.")
    if status == 401:
        return InputError(f"The Hub refused the token for {label}, or there is none. {LOGIN_HINT}")
    if status == 403:
        return InputError(f"The Hub forbids this for {label}: {describe_answer(error)}. {LOGIN_HINT}")
    return InputError(
        f"{label}: the Hub did not answer as expected: {describe_answer(error)}. Nothing is half done; "
        "run the command again."
    )


def _is_without_answer(error: Exception) -> bool:
    from httpx2 import TransportError

    return isinstance(error, TransportError | ConnectionError | TimeoutError)


def _is_from_hub(error: Exception) -> bool:
    """Return whether the Hub, its client or the network raised an error, and not the disk or our own code."""
    from huggingface_hub import errors

    own = (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, errors.LocalTokenNotFoundError)
    named = isinstance(error, (*own, errors.HFValidationError, UnicodeEncodeError))
    return named or _is_without_answer(error) or _is_damaged(error)


def _is_worth_retry(error: Exception) -> bool:
    return is_transient(error) or _is_damaged(error)


def _is_damaged(error: Exception) -> bool:
    """Return whether what came is not what was announced, for which the client raises an OSError without a number."""
    from huggingface_hub import errors

    own = (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, errors.LocalTokenNotFoundError, ConnectionError)
    return isinstance(error, OSError) and error.errno is None and not isinstance(error, own)


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    return int(response.status_code) if response is not None else None


def _one_line(text: str) -> str:
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown[:200].rstrip(".")
