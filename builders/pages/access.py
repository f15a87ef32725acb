"""Who may ask: requests with the token in their path, for this host, from pages of this server; headers of answers."""

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 1024  # of a form
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer, forms would be sent without their origin
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
WRONG_HOST = "This server answers only under 127.0.0.1 and localhost, with the port that it was started with."
WRONG_TOKEN = "This address lacks the token of the running server. Open the address that `builders browse` has printed."
WRONG_ORIGIN = "A form of another page was refused. Open the page of `builders browse` itself."
TOO_LARGE = "The form is larger than 64 KiB. Send less."


class AccessCheck:
    """An ASGI application that passes on only what may be asked, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.root = app, f"/{token}"
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of HTTP; refuse others."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _with_headers(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], scope["path"], headers)
        if refusal:
            return await PlainTextResponse(refusal[0] + "\n", refusal[1])(scope, receive, send)
        return await self.app({**scope, "root_path": self.root}, receive, send)

    def _refusal(self, method: str, path: str, headers: Headers) -> tuple[str, int] | None:
        """Return why a request is refused, and the status; None if it is not."""
        if headers.getlist("host") and set(headers.getlist("host")) <= self.hosts:
            root = "/" + path.split("/")[1]
            if not hmac.compare_digest(root.encode(), self.root.encode()):
                return WRONG_TOKEN, 404
            if method not in ("GET", "HEAD"):
                return self._form_refusal(headers)
            return None
        return WRONG_HOST, 421

    def _form_refusal(self, headers: Headers) -> tuple[str, int] | None:
        origin = urlsplit(headers.get("origin", ""))
        if origin.scheme != "http" or origin.netloc not in self.hosts or origin.netloc != headers.get("host"):
            return WRONG_ORIGIN, 403
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            return TOO_LARGE, 413
        return None


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return send_with_headers
