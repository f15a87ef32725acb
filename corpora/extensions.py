"""The user's own tables: folders whose `corpora.toml`, `languages.csv`, `filters.toml` ... extend the project's.

Folders come from `--with`, from the environment variable `COIT_WITH`, or from the key `with` of a `builders.toml`.
Every table of the project is read through `extension_files`, so a user's row is as good as one of ours. Only a folder
that is named on the command line, or by a caller of the Python API, may also hold Python code.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from corpora.errors import InputError
from corpora.files import sha256_of

Row = TypeVar("Row")
TABLES = (  # the files that extend a table of the project
    *("corpora.toml", "languages.csv", "language_checks.toml", "filters.toml", "prompts.toml"),
    "licences.csv",
    *(
        "translators.toml",
        "scorers.toml",
        "placeholders.toml",
        "lines.toml",
        "do_not_translate.toml",
        "empty_input.toml",
    ),
    *("instruction_columns.toml", "server_prompts.toml"),
    *("quality_checks.toml", "benchmarks.toml", "metrics.toml"),
)
OTHER_FILES = ("builders.toml", "pyproject.toml")
VARIABLE = "COIT_WITH"  # folders, separated as in PATH


@dataclass(frozen=True)
class Extensions:
    """The folders in use: all of them may hold tables, those of `code` Python functions too."""

    folders: tuple[Path, ...] = ()
    code: tuple[Path, ...] = ()


@dataclass(frozen=True)
class UserFunction:
    """A Python function of a code folder, and the digest of the file that holds it, for the keys of cached results."""

    reference: str
    function: Callable[..., Any]
    sha256: str


_active: ContextVar[Extensions | None] = ContextVar("extensions", default=None)


def current_extensions() -> Extensions:
    """Return the extensions in use: those of the innermost `use_extensions`, else those of the environment."""
    active = _active.get()
    return active if active is not None else Extensions(environment_folders())


def environment_folders() -> tuple[Path, ...]:
    """Return the folders that the environment variable names."""
    return check_folders([part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part], VARIABLE)


@contextmanager
def use_extensions(extensions: Extensions) -> Iterator[None]:
    """Use these extensions, and no others, within the block."""
    token = _active.set(extensions)
    try:
        yield
    finally:
        _active.reset(token)


@contextmanager
def extend(folders: Sequence[str | Path]) -> Iterator[None]:
    """Use more folders within the block, for tables and for Python functions; their rows come last."""
    current, more = current_extensions(), check_folders(folders, "--with")
    merged = (tuple(dict.fromkeys((*before, *more))) for before in (current.folders, current.code))
    with use_extensions(Extensions(*merged)):
        yield


def check_folders(folders: Sequence[str | Path], source: str) -> tuple[Path, ...]:
    """Return absolute paths of folders.

    Raises:
        InputError: One of them is not a folder (`source` says who named it), or has a file with a mistyped name.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            raise InputError(f"{source} names {folder}, which is not a folder. Name a folder with your own tables.")
        _check_file_names(Path(folder))
    return tuple(dict.fromkeys(Path(folder).resolve() for folder in folders))


def _check_file_names(folder: Path) -> None:
    """Raise InputError for a file that is named almost like a table: it would not be read."""
    others = [path for path in sorted(folder.iterdir()) if path.name not in (*TABLES, *OTHER_FILES)]
    for path in others:
        if near := get_close_matches(path.name, TABLES, 1, 0.9):
            raise InputError(f"{path} is not the name of a table, so it would not be read. Did you mean {near[0]}?")


def extension_files(name: str) -> tuple[Path, ...]:
    """Return the files of this name in the folders in use, in the order in which they extend the project's table."""
    return tuple(path for folder in current_extensions().folders if (path := folder / name).exists())


def load_function(reference: str, where: str, table: Path | None = None) -> UserFunction:
    """Return the Python function that a row names as `module:function`.

    The module is the file `module.py` of the folder that holds the row's table, or of the first code folder that has
    it. It is loaded once, under a name of its own, so that it never replaces an installed module.

    Args:
        reference: The name, such as `my_filters:is_short`.
        where: The file, row and key that holds it, for errors.
        table: The file of the row, if it is the user's.

    Raises:
        InputError: The name is malformed, no code folder holds the module, it cannot be imported, or it has no such
            function.
    """
    module, _, name = reference.partition(":")
    if not (module.isidentifier() and name.isidentifier()):
        raise InputError(f"{where}: '{reference}' must be module:function, such as my_code:my_function.")
    code = current_extensions().code
    own = [folder for folder in code if table is not None and folder == table.parent.resolve()]
    path = next((path for folder in (*own, *code) if (path := folder / f"{module}.py").is_file()), None)
    if path is None:
        folders = ", ".join(map(str, code)) or "none is given"
        raise InputError(
            f"{where}: no code folder holds {module}.py ({folders}). Python code is read only from a folder that is "
            "given with --with on the command line, or to the Python API."
        )
    sha256 = sha256_of(path)
    function = getattr(_load_module(path, sha256, where), name, None)
    if not callable(function):
        raise InputError(f"{where}: {path} has no function '{name}'.")
    return UserFunction(reference, function, sha256)


def _load_module(path: Path, sha256: str, where: str) -> ModuleType:
    """Return the module in a file, loaded again only if the file has changed."""
    name = f"coit_extension_{sha256[:16]}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise InputError(f"{where}: {path} cannot be imported: {type(error).__name__}: {error}.") from error
    return sys.modules[name]


def extension_versions(name: str) -> tuple[tuple[Path, int, int], ...]:
    """Return the files of this name in the folders in use, each with its time of change and its size.

    As the key of a cache it makes rows that a user has just edited count.
    """
    return tuple((path, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in extension_files(name))


def read_extended_rows(path: Path, row_type: type[Row], name: str = "name") -> Mapping[str, Row]:
    """Return the rows of one of the project's TOML tables and of the user's files of the same name.

    A user's row replaces ours of the same name, in its position; others follow.

    Args:
        path: The project's table.
        row_type: The dataclass of a row.
        name: The field that receives the table's name.

    Raises:
        InputError: A file cannot be read, or a row does not fit `row_type`.
    """
    kind: Any = row_type
    rows: Mapping[str, Row] = _read_versions(path, kind, name, extension_versions(path.name))
    return rows


def row_file(path: Path, name: str) -> Path:
    """Return the file that the row of this name is from: the last of the user's that has it, else the project's."""
    from corpora.tables import read_toml

    return next((file for file in reversed(extension_files(path.name)) if name in read_toml(file)), path)


@cache
def _read_versions(path: Path, row_type: Any, name: str, versions: tuple[tuple[Path, int, int], ...]) -> Any:
    from corpora.tables import read_toml_rows

    rows: dict[str, Any] = {}
    for file in (path, *(file for file, _, _ in versions)):
        rows |= read_toml_rows(file, row_type, name)
    return rows
