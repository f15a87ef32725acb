"""Build versioned datasets from public corpora: one function for each verb of the command `builders`.

    import builders

    release = builders.publish("coit", langs=["el", "hi"], sample=True)

The functions take the options of the command line as keyword arguments. What they need is imported at the first use.
"""

from typing import TYPE_CHECKING, Any

try:
    from corpora.hidden_packages import check_not_hidden
    from corpora.lazy_names import load_name
except ImportError:  # another package 'corpora'
    import corpora

    raise ImportError(f"{corpora.__file__} hides the package 'corpora' of coit-builders. Rename it.") from None

check_not_hidden()

if TYPE_CHECKING:
    from builders.api import build, publish, pull, translate
    from builders.audit import audit
    from builders.budget import allocate, check, fit, plan
    from builders.labels import check_labels
    from builders.language_list import list_languages, measure_languages
    from builders.options import BuildOptions
    from builders.releases import diff, fetch, load, lock, rollback, verify, versions, yank
    from builders.translation import export_memory, import_memory, list_memory
    from builders.views import browse, inspect, list_corpora, report
    from cards.releases import Release, open_release
    from corpora.errors import InputError

__all__ = [
    "BuildOptions",
    "InputError",
    "Release",
    "allocate",
    "audit",
    "browse",
    "build",
    "check",
    "check_labels",
    "diff",
    "export_memory",
    "fetch",
    "fit",
    "import_memory",
    "inspect",
    "list_corpora",
    "list_languages",
    "list_memory",
    "load",
    "lock",
    "measure_languages",
    "open_release",
    "plan",
    "publish",
    "pull",
    "report",
    "rollback",
    "translate",
    "verify",
    "versions",
    "yank",
]
_MODULES = {
    "builders.audit": ("audit",),
    "builders.budget": ("allocate", "check", "fit", "plan"),
    "builders.labels": ("check_labels",),
    "builders.language_list": ("list_languages", "measure_languages"),
    "builders.options": ("BuildOptions",),
    "builders.releases": ("diff", "fetch", "load", "lock", "rollback", "verify", "versions", "yank"),
    "builders.api": ("build", "publish", "pull", "translate"),
    "builders.translation": ("export_memory", "import_memory", "list_memory"),
    "builders.views": ("browse", "inspect", "list_corpora", "report"),
    "cards.releases": ("Release", "open_release"),
    "corpora.errors": ("InputError",),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return __all__
