"""Names of a package that are imported when they are used."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any


def load_name(package: str, modules: Mapping[str, Sequence[str]], name: str) -> Any:
    """Return a name of a package from the module that defines it, and keep it in the package.

    The `__getattr__` of a package calls this, so that what the modules need is imported at the first use.

    Args:
        package: The package, as its `__name__` says.
        modules: The names by the module that defines them.
        name: The name that is used.

    Raises:
        AttributeError: The package has no such name.
    """
    for module, names in modules.items():
        if name in names:
            value = getattr(import_module(module), name)
            setattr(sys.modules[package], name, value)
            return value
    raise AttributeError(f"module '{package}' has no attribute '{name}'")
