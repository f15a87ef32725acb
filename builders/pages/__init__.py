"""Local pages to look at corpora, filters, translations, releases and laws; needs the extra `browse`.

Names are loaded when they are used, so that no other verb loads a server.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.pages.project import Project
    from builders.pages.report import write_report
    from builders.pages.server import make_server, open_browser, serve

__all__ = ["Project", "make_server", "open_browser", "serve", "write_report"]
_MODULES = {
    "builders.pages.project": ("Project",),
    "builders.pages.report": ("write_report",),
    "builders.pages.server": ("make_server", "open_browser", "serve"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
