"""Start the server on this machine, with a token in its address, and open the browser."""

import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from builders.lines import comparison_or_none, open_build, open_database, open_lines
from builders.pages.app import make_app
from builders.pages.filter_page import read_histogram
from builders.pages.project import Project
from corpora.errors import InputError

HOST = "127.0.0.1"


def serve(project: Project, port: int = 0, on_start: Callable[[str], None] = lambda url: None) -> None:
    """Serve the pages of a project until it is interrupted.

    Args:
        project: What the pages show.
        port: The port; 0 for a free one.
        on_start: Called with the address when the server listens.

    Raises:
        InputError: The port is in use.
    """
    server, listener, url = make_server(project, port)
    threading.Thread(target=prepare, args=(project,), daemon=True).start()
    on_start(url)
    server.run(sockets=[listener])


def prepare(project: Project) -> None:
    """Read what the first pages need, while the user looks at the first one."""
    with suppress(Exception):  # a page reports it
        build = open_build(project.work)
        open_database()
        for lang in build.langs:
            open_lines(build, lang).counts()
        lines = open_lines(build, build.langs[0])
        for rule in build.filters:
            if comparison := comparison_or_none(lines, rule):
                read_histogram(lines, rule, comparison)


def make_server(project: Project, port: int = 0) -> tuple[uvicorn.Server, socket.socket, str]:
    """Return a server, the socket that it has to be run with, and the address of its first page."""
    listener = _listen(port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    app = make_app(project, token, port)
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)
    return uvicorn.Server(config), listener, f"http://{HOST}:{port}/{token}/"


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        raise InputError(
            f"Port {port} cannot be used: {error.strerror}. Name another --port, or leave it out."
        ) from None
    listener.listen(64)
    return listener


def open_browser(url: str) -> None:
    """Open an address in the browser of this machine, if it has one."""
    webbrowser.open(url)
