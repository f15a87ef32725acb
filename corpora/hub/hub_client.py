"""The token goes to the Hub's own address alone, wherever a reply points: for the Hub's client and for downloads."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2


@cache
def keep_token_at_hub() -> None:
    """Let the Hub's client of this process send its token to no other scheme, host or port.

    The client drops the token where it is redirected; the address of a next page it follows with the token.
    """
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    make = _http._GLOBAL_CLIENT_FACTORY  # the user's own, if there is one

    def make_client() -> "httpx2.Client":
        client = make()
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "request": [*hooks.get("request", []), _drop_token_elsewhere]}
        return client

    set_client_factory(make_client)


def hub_authorization(url: str) -> dict[str, str]:
    """Return the header with the user's token for a URL of the Hub's own address, if there is one; none for others."""
    from huggingface_hub import get_token

    token = get_token() if is_hub_url(url) else None
    return {"Authorization": f"Bearer {token}"} if token else {}


def _drop_token_elsewhere(request: "httpx2.Request") -> None:
    if not is_hub_url(str(request.url)):
        request.headers.pop("Authorization", None)


def is_hub_url(url: str) -> bool:
    """Return whether a URL has scheme, host and port of the Hub."""
    from httpx2 import URL
    from huggingface_hub import constants

    own, hub = URL(url), URL(constants.ENDPOINT)
    return (own.scheme, own.host, own.port) == (hub.scheme, hub.host, hub.port)
