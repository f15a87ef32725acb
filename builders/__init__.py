"""Build versioned datasets from public corpora: one function for each verb of the command `builders`.

    import builders

    release = builders.publish("coit", langs=["el", "hi"], sample=True)

The functions take the options of the command line as keyword arguments. What they need is imported at the first use.
"""

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builders.api import build, publish, pull, translate
    from builders.budget import allocate, fit, plan
    from builders.options import BuildOptions
    from builders.releases import diff, fetch, load, lock, rollback, verify, versions, yank
    from builders.translation import export_memory, import_memory, list_memory
    from builders.views import inspect, list_corpora
    from cards.releases import Release, open_release
    from corpora.errors import InputError

__all__ = [
    "BuildOptions",
    "InputError",
    "Release",
    "allocate",
    "build",
    "diff",
    "export_memory",
    "fetch",
    "fit",
    "import_memory",
    "inspect",
    "list_corpora",
    "list_memory",
    "load",
    "lock",
    "open_release",
    "plan",
    "publish",
    "pull",
    "rollback",
    "translate",
    "verify",
    "versions",
    "yank",
]
_MODULES = {
    "builders.budget": ("allocate", "fit", "plan"),
    "builders.options": ("BuildOptions",),
    "builders.releases": ("diff", "fetch", "load", "lock", "rollback", "verify", "versions", "yank"),
    "builders.api": ("build", "publish", "pull", "translate"),
    "builders.translation": ("export_memory", "import_memory", "list_memory"),
    "builders.views": ("inspect", "list_corpora"),
    "cards.releases": ("Release", "open_release"),
    "corpora.errors": ("InputError",),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        from corpora.lazy_names import load_name

        return load_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return __all__


def _check_not_hidden() -> None:
    """Raise ImportError if a module of the user's own hides one of the packages that this one imports."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for name in ("corpora", "recipes", "cards"):
        spec = find_spec(name)
        path = os.path.abspath(spec.origin) if spec and spec.origin else "nothing"
        if not path.startswith(os.path.join(ours, name) + os.sep):
            raise ImportError(
                f"{path} hides the package '{name}' of coit-builders, because Python looks there first. Rename it, or "
                "start from another folder. A folder without __init__.py hides nothing."
            )


_check_not_hidden()
