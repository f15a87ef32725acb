"""What every page has: the build that it shows, and the values of its frame."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from builders.lines import Build, list_builds, open_build
from builders.pages.project import Project
from builders.pages.render import render


def frame(project: Project, request: Request, page: str, build: Build | None = None) -> dict[str, Any]:
    """Return what the frame of every page shows."""
    return {
        "root": request.scope["root_path"],
        "page": page,
        "builds": list_builds(project.work),
        "build": build.recipe if build else "",
        "langs": build.langs if build else [],
        "project": project,
    }


def build_of(project: Project, request: Request) -> Build:
    """Return the build that an address names, or the newest."""
    return open_build(project.work, request.query_params.get("build"))


def html(template: str, **values: Any) -> Response:
    """Return a template as an answer."""
    return HTMLResponse(render(template, **values))


def is_part(request: Request) -> bool:
    """Return whether htmx asks, which replaces a part of the page."""
    return "hx-request" in request.headers


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form."""
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
