"""Packages of the user's own that Python finds before ours: an error at the import, not a strange one later."""

from importlib.util import find_spec
from pathlib import Path

OURS = Path(__file__).absolute().parent.parent


def check_not_hidden() -> None:
    """Raise ImportError if a package of the user's own hides one that `builders` and `trainer` import."""
    for name in ("recipes", "cards"):
        spec = find_spec(name)
        path = Path(spec.origin).absolute() if spec and spec.origin else Path("nothing")
        if path.parent != OURS / name:
            raise ImportError(
                f"{path} hides the package '{name}' of coit-builders, because Python looks there first. Rename it, or "
                "start from another folder. A folder without __init__.py hides nothing."
            )
