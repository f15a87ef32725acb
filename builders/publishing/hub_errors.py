"""What the Hub answers, in sentences: what a person can mend, what is worth asking again, and when."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from httpx2 import TransportError
from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from builders.publishing.types import ConflictError
from corpora.errors import InputError

CONFLICT, BUSY = (409, 412), (408, 429, 500, 502, 503, 504)  # statuses
MAX_ATTEMPTS = 5  # of a request that changes nothing, or the same thing again
MAX_RETRY_AFTER_S = 300.0  # seconds that a Hub may ask us to wait
NO_ANSWER = (TransportError, ConnectionError, TimeoutError)
Answer = TypeVar("Answer")


def request_with_retry(uri: str, call: Callable[..., Answer], *values: Any, **options: Any) -> Answer:
    """The answer to a request that may safely be sent again; InputError if there is none in the end."""
    for left in reversed(range(MAX_ATTEMPTS)):
        try:
            return call(*values, **options)
        except (HfHubHTTPError, *NO_ANSWER) as error:
            if isinstance(error, OfflineModeIsEnabled) or not (left and _may_pass(error)):
                raise hub_error(uri, error) from None
            time.sleep(_wait(error) or random.uniform(0.05, 0.2) * 2 ** (MAX_ATTEMPTS - left))
        except (LocalEntryNotFoundError, HFValidationError) as error:
            raise hub_error(uri, error) from None
        except LocalTokenNotFoundError:
            raise InputError(f"There is no token for {uri}. {AUTH}") from None
        except UnicodeEncodeError:
            raise InputError(f"The token for {uri} has characters that no token has. {AUTH}") from None
        except OSError as error:
            if error.errno is not None:
                raise  # of this machine's disk
            if not left:
                raise InputError(f"{uri}: what came is not what was announced: {_line(str(error))}.") from None
    raise AssertionError("the last try either answers or raises")


@contextmanager
def request_once(uri: str) -> Iterator[None]:
    """Send a request once: ConflictError if its outcome is unknown, InputError if it was refused."""
    try:
        yield
    except (HfHubHTTPError, *NO_ANSWER) as error:
        if isinstance(error, HfHubHTTPError) and _status(error) in CONFLICT:
            raise ConflictError("another commit was first") from None
        if _may_pass(error) and not isinstance(error, OfflineModeIsEnabled):
            raise ConflictError(_told(error), failed=True, wait=_wait(error)) from None
        raise hub_error(uri, error) from None
    except (RuntimeError, ValueError) as error:  # what the uploading of data and the check of the card raise
        cause = error.__cause__
        if isinstance(cause, (HfHubHTTPError, *NO_ANSWER)) and _may_pass(cause):
            raise ConflictError(_told(cause), failed=True, wait=_wait(cause)) from None
        raise InputError(f"{uri} took no upload: {_line(str(error))}. Run the same command again.") from None


def is_not_found(error: Exception) -> bool:
    """Whether an error says that a repository, revision or file is not there."""
    return isinstance(error, RepositoryNotFoundError | RevisionNotFoundError | EntryNotFoundError) and not isinstance(
        error, LocalEntryNotFoundError
    )


def hub_error(uri: str, error: Exception) -> InputError:
    """The sentence for an answer that asking again does not change."""
    if isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError):
        return InputError(
            f"{uri} is not all in the cache, and the Hub is not asked or not reached. "
            "Unset HF_HUB_OFFLINE and look at the connection, then run it again."
        )
    status = _status(error) if isinstance(error, HfHubHTTPError) else None
    if isinstance(error, RepositoryNotFoundError):
        return InputError(f"{uri} is not there, or not for you to see: `hf auth whoami` says who you are. {AUTH}")
    if status == 401:
        return InputError(f"The Hub does not know you: it refused the token for {uri}, or there is none. {AUTH}")
    if status == 403:
        return InputError(f"The Hub forbids this for {uri}: {_told(error)}. {AUTH}")
    if isinstance(error, RevisionNotFoundError):
        return InputError(f"{uri} has no such version. `builders versions` lists those that it has.")
    told = _told(error)
    return InputError(f"{uri} could not be reached as it should: {told}. Nothing is half-done; run it again.")


AUTH = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write there."


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, HfHubHTTPError) or _status(error) in BUSY


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    return int(response.status_code) if response is not None else None


def _wait(error: Exception) -> float:
    """The seconds that an answer asks us to wait before the next request, or none."""
    response = getattr(error, "response", None)
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(asked), MAX_RETRY_AFTER_S) if asked.isdecimal() else 0.0


def _told(error: Exception) -> str:
    """What the Hub said, or that it said nothing, on one line and without anything secret."""
    if not isinstance(error, HfHubHTTPError):
        return f"no answer from {constants.ENDPOINT} ({type(error).__name__})"
    said = error.server_message or (error.response.reason_phrase if error.response is not None else "")
    return f"it answered {_status(error)} {_line(str(said))}".rstrip()


def _line(text: str) -> str:
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown[:200].rstrip(".")
