"""One GET request: safe redirects, the user's proxy and certificates, and network errors in plain words."""

import ssl
from urllib.parse import unquote, urljoin
from urllib.request import getproxies, proxy_bypass

from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout
from urllib3 import exceptions as failures
from urllib3.util import make_headers

from corpora.errors import InputError
from corpora.hub import hub_authorization
from corpora.urls import is_url, public_url, request_url, split_url

MAX_REDIRECTS = 10
TIMEOUT = Timeout(connect=15, read=30)
DESCRIPTIONS: dict[type[Exception], str] = {
    failures.NameResolutionError: "the host's name is not known",
    failures.NewConnectionError: "no connection to the host could be made",
    failures.TimeoutError: "the server took too long",
    failures.ProxyError: "the proxy that the environment names could not be reached",
    failures.SSLError: "the encrypted connection failed",
}


def open_url(url: str, headers: dict[str, str]) -> BaseHTTPResponse:
    """Return the response at the end of the redirects, its body unread and as the server stores it.

    Raises:
        HTTPError: urllib3's error for the network.
        InputError: A redirect must not be followed.
    """
    current = url
    for _ in range(MAX_REDIRECTS + 1):
        response = _request(current, headers)
        location = response.get_redirect_location()
        if not location:
            return response
        response.close()
        current = _follow(current, location, url)
    raise InputError(f"{public_url(url)} redirects more than {MAX_REDIRECTS} times. Correct the URL or name a mirror.")


def describe_network_error(error: failures.HTTPError, url: str) -> str:
    """Return a network error in plain words without URLs; InputError if another attempt is of no use."""
    if isinstance(error.args[0] if error.args else None, ssl.SSLCertVerificationError):
        raise InputError(
            f"{public_url(url)}: the server's certificate is not trusted here. "
            "Set SSL_CERT_FILE to the certificates of your network, or name a mirror."
        )
    if isinstance(error, failures.LocationValueError):
        raise InputError(f"{public_url(url)}: this URL, or one that it redirects to, is not valid. Correct it.")
    return next((words for kind, words in DESCRIPTIONS.items() if isinstance(error, kind)), "the connection broke off")


def _follow(current: str, location: str, url: str) -> str:
    """Return the target of a redirect; InputError if it leaves http(s), or https for http."""
    target = urljoin(current, location)
    if not is_url(target) or (current.lower().startswith("https:") and target.lower().startswith("http:")):
        raise InputError(
            f"{public_url(url)} redirects to an address of the kind '{target.partition(':')[0]}', which is not safe to "
            "follow from there. Correct the URL in the catalogue or name a mirror."
        )
    return target


def _request(url: str, headers: dict[str, str]) -> BaseHTTPResponse:
    own = make_headers(basic_auth=_credentials(url), user_agent="coit-builders")
    headers = {**own, **hub_authorization(url), "Accept-Encoding": "identity", **headers}
    return connect(url).request(
        "GET", request_url(url), headers=headers, preload_content=False, redirect=False, retries=False, timeout=TIMEOUT
    )


def connect(url: str) -> PoolManager:
    """Return connections to a URL's host, through the proxy that the environment names for it."""
    proxies, parts = getproxies(), split_url(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    context = ssl.create_default_context()
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return PoolManager(ssl_context=context)
    return _proxy_pool(proxy if "://" in proxy else f"http://{proxy}", context)


def _proxy_pool(proxy: str, context: ssl.SSLContext) -> ProxyManager:
    if not is_url(proxy):
        scheme = proxy.partition("://")[0]
        raise InputError(f"The environment names a proxy of the kind '{scheme}'; only http and https proxies work.")
    headers = make_headers(proxy_basic_auth=_credentials(proxy))
    return ProxyManager(request_url(proxy), proxy_headers=headers, ssl_context=context)


def _credentials(url: str) -> str | None:
    """Return `user:password` of a URL, decoded, or None."""
    parts = split_url(url)
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
