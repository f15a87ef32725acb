"""The application: its addresses, and what an error answers."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from builders.lines import ReplacedError
from builders.pages.access import AccessCheck
from builders.pages.corpora_page import corpora_page
from builders.pages.filter_page import estimate_page, filter_page, filters_page, save_form
from builders.pages.frame import read_form
from builders.pages.labels_page import label_form, label_page, labels_page
from builders.pages.laws_page import laws_page
from builders.pages.lines_page import lines_page
from builders.pages.project import Project
from builders.pages.releases_page import difference_page, origin_page, release_page, releases_page
from builders.pages.render import render
from builders.pages.runs_page import runs_page
from builders.pages.translations_page import edit_form, translation_page, translations_page
from corpora.errors import InputError

Page = Callable[[Project, Request], Response]
Form = Callable[[Project, Request, dict[str, str]], Response]
PAGES: dict[str, Page] = {
    "/corpora": corpora_page,
    "/filters": filters_page,
    "/filter": filter_page,
    "/estimate": estimate_page,
    "/lines": lines_page,
    "/translations": translations_page,
    "/translation": translation_page,
    "/releases": releases_page,
    "/release": release_page,
    "/difference": difference_page,
    "/origin": origin_page,
    "/laws": laws_page,
    "/runs": runs_page,
    "/labels": labels_page,
    "/label": label_page,
}


FORMS: dict[str, Form] = {"/label": label_form, "/save": save_form, "/edit": edit_form}


def make_app(project: Project, token: str, port: int) -> ASGIApp:
    """Return the application that answers requests for the pages of a project."""
    routes: list[Any] = [Route("/", _first_page)]
    routes += [Route(path, _endpoint(page, project)) for path, page in PAGES.items()]
    routes += [Route(path, _form_endpoint(form, project), methods=["POST"]) for path, form in FORMS.items()]
    routes.append(Mount("/assets", StaticFiles(directory=Path(str(files("builders") / "pages" / "assets")))))
    handlers: Any = {InputError: _explain_error, 404: _no_such_page}
    return AccessCheck(Starlette(routes=routes, exception_handlers=handlers), token, port)


def _endpoint(page: Page, project: Project) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return page(project, request)

    return answer


def _form_endpoint(form: Form, project: Project) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(form, project, request, await read_form(request))

    return answer


def _first_page(request: Request) -> Response:
    return RedirectResponse(f"{request.scope['root_path']}/corpora")


def _explain_error(request: Request, error: Exception) -> Response:
    status = 409 if isinstance(error, ReplacedError) else 400
    return _message(request, str(error), status)


def _no_such_page(request: Request, error: Exception) -> Response:
    return _message(request, "There is no such page.", 404)


def _message(request: Request, sentence: str, status: int) -> Response:
    is_part = "hx-request" in request.headers
    root = request.scope.get("root_path", "")
    page = render("error_part" if is_part else "error", sentence=sentence, root=root, page="", build="", builds=[])
    return HTMLResponse(page, status)
