"""The Hub's client with one rule more: the token goes to the Hub's own address, wherever a reply points."""

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


def _drop_token_elsewhere(request: "httpx2.Request") -> None:
    from httpx2 import URL
    from huggingface_hub import constants

    hub = URL(constants.ENDPOINT)
    if (request.url.scheme, request.url.host, request.url.port) != (hub.scheme, hub.host, hub.port):
        request.headers.pop("Authorization", None)
