"""Build versioned datasets from public corpora: one function for each verb of the command `builders`.

    import builders

    release = builders.publish("coit", langs=["el", "hi"], sample=True)

The functions take the options of the command line as keyword arguments. What they need is imported at the first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builders.options import BuildOptions
    from builders.releases import diff, fetch, load, lock, rollback, verify, versions, yank
    from builders.run import build, publish, pull, translate
    from builders.views import inspect, list_corpora
    from cards.releases import Release, open_release
    from corpora.errors import InputError

__all__ = [
    "BuildOptions",
    "InputError",
    "Release",
    "build",
    "diff",
    "fetch",
    "inspect",
    "list_corpora",
    "load",
    "lock",
    "open_release",
    "publish",
    "pull",
    "rollback",
    "translate",
    "verify",
    "versions",
    "yank",
]
_MODULES = {
    "builders.options": ("BuildOptions",),
    "builders.releases": ("diff", "fetch", "load", "lock", "rollback", "verify", "versions", "yank"),
    "builders.run": ("build", "publish", "pull", "translate"),
    "builders.views": ("inspect", "list_corpora"),
    "cards.releases": ("Release", "open_release"),
    "corpora.errors": ("InputError",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'builders' has no attribute '{name}'")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
