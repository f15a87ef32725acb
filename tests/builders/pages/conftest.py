"""One real server over one real build of the sample, and a real browser where there is one."""

import http.client
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass(frozen=True)
class Site:
    """A server that runs, and its project."""

    project: Any
    url: str

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, form: Mapping[str, Any], **headers: str) -> tuple[int, str]:
        own = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.url.rsplit("/", 2)[0]}
        return self.ask("POST", path, urlencode(form), own | headers)

    def ask(self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] = {}) -> tuple[int, str]:
        """Send one request; a path that begins with / replaces the token too."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        connection.request(method, path if path.startswith("/") else parts.path + path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(scope="session")
def built_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a build of the sample; nothing may write into its work folder."""
    from builders.options import BuildOptions
    from builders.run import run_build

    folder = tmp_path_factory.mktemp("browse")
    run_build(
        BuildOptions(
            ("coit",), ("ar", "el", "zh"), sample=True, work=folder / "work", corpora_lock=folder / "corpora.lock"
        )
    )
    return folder


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Any], Site]]:
    """Start servers, which are stopped at the end."""
    from builders.pages import make_server

    running = []

    def start(project: Any) -> Site:
        server, listener, url = make_server(project)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        return Site(project, url)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def site(built_sample: Path, serve: Callable[[Any], Site]) -> Site:
    from builders.pages import Project

    return serve(
        Project(
            built_sample / "work",
            str(built_sample / "registry"),
            built_sample / "runs",
            built_sample / "labels.csv",
            built_sample / "mine.toml",
            "ann",
        )
    )
