"""The user's own folders: tables from all of them, Python code only from those that are given as code."""

from pathlib import Path

import pytest

from corpora.errors import InputError
from corpora.extensions import TABLES, Extensions, check_folders, extension_files, load_function, use_extensions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_code.py").write_text("import json\n\ndef double(x):\n    return 2 * x\n\nVALUE = 3\n")
    (tmp_path / "broken.py").write_text("import nosuchmodule\n")
    (tmp_path / "filters.toml").write_text("")
    return tmp_path


def test_tables_are_found_in_every_folder_in_use(folder: Path) -> None:
    with use_extensions(Extensions((folder,))):
        assert extension_files("filters.toml") == (folder / "filters.toml",)
        assert extension_files("corpora.toml") == ()


def test_function_is_loaded_once_with_the_digest_of_its_file(folder: Path) -> None:
    with use_extensions(Extensions((folder,), (folder,))):
        first, second = (load_function("my_code:double", "here", folder / "filters.toml") for _ in range(2))
        assert first.function(4) == 8
        assert first == second
        (folder / "my_code.py").write_text("def double(x):\n    return x + x + 1\n")
        changed = load_function("my_code:double", "here")
    assert changed.function(4) == 9
    assert changed.sha256 != first.sha256


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("my_code", "must be module:function"),
        ("my.code:double", "must be module:function"),
        ("my_code:treble", "has no function 'treble'"),
        ("my_code:VALUE", "has no function 'VALUE'"),
        ("other:double", "no code folder holds other.py"),
        ("broken:double", "cannot be imported: ModuleNotFoundError: No module named 'nosuchmodule'"),
    ],
)
def test_wrong_reference_is_an_error_with_its_row(reference: str, message: str, folder: Path) -> None:
    with (
        use_extensions(Extensions((folder,), (folder,))),
        pytest.raises(InputError, match=f"^filters.toml, table .x.: .*{message}"),
    ):
        load_function(reference, "filters.toml, table [x]")


def test_code_is_never_read_from_a_folder_that_may_only_hold_tables(folder: Path) -> None:
    with use_extensions(Extensions((folder,))), pytest.raises(InputError, match="given with --with on the command"):
        load_function("my_code:double", "here", folder / "filters.toml")


def test_file_that_is_named_almost_like_a_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "corpora.toml").touch()
    (tmp_path / "builders.toml").touch()
    (tmp_path / "notes.toml").touch()
    check_folders([tmp_path], "--with")
    (tmp_path / "filter.toml").touch()
    with pytest.raises(InputError, match=r"filter\.toml is not the name of a table.* Did you mean filters\.toml\?"):
        check_folders([tmp_path], "--with")


def test_every_table_of_the_project_is_known_by_name() -> None:
    root = Path(__file__).parent.parent.parent
    tables = [path for room in ("corpora", "recipes", "builders", "trainer") for path in (root / room).rglob("*.toml")]
    names = {path.name for path in tables if path.parent.name != "datasets"}
    own = {
        "stages.toml",
        "limits.toml",
        "devices.toml",
        "servers.toml",
        "token_schemes.toml",
        "transliterations.toml",
        "units.toml",
    }
    assert set(TABLES) == names - own | {"languages.csv", "licences.csv"}  # no folder of a user extends our own
