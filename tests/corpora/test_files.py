"""Files are whole or absent, whatever happens to the process that writes them."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from corpora.errors import InputError
from corpora.files import (
    atomic_path,
    is_intact,
    lock_folder,
    move_into_place,
    remove_leftovers,
    remove_sealed,
    sealed_path,
    sha256_of,
    temporary_folder,
)


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write_half(path: Path, error: BaseException) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error


def fill_scratch(folder: Path, end: Callable[[Path], None]) -> None:
    with temporary_folder(folder) as new:
        (new / "file").write_text("after")
        end(new)


def fail(folder: Path) -> None:
    raise RuntimeError(folder)


def test_file_appears_whole_under_its_name(tmp_path):
    with atomic_path(tmp_path / "new" / "file") as temporary:
        temporary.write_text("all")
        assert not (tmp_path / "new" / "file").exists()
    assert (tmp_path / "new" / "file").read_text() == "all"
    assert below(tmp_path) == ["new", "new/file"]


def test_block_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError):
        write_half(tmp_path / "file", RuntimeError())
    assert below(tmp_path) == []


def test_block_that_fails_leaves_what_was_there(tmp_path):
    (tmp_path / "file").write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "file", KeyboardInterrupt())
    assert (tmp_path / "file").read_text() == "before"
    assert below(tmp_path) == ["file"]


def test_block_that_writes_nothing_makes_no_file(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "file"):
        pass
    assert below(tmp_path) == []


def test_temporary_file_is_in_a_folder_of_this_user_alone(tmp_path):
    with atomic_path(tmp_path / "file") as one, atomic_path(tmp_path / "file") as other:
        assert one != other
        assert one.parent.parent == tmp_path
        assert one.parent.stat().st_mode & 0o777 == 0o700
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "file").read_text() in ("one", "other")


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_files_and_folders_have_the_permissions_that_the_user_has_set(tmp_path, umask, file, folder):
    before = os.umask(umask)
    try:
        with atomic_path(tmp_path / "file") as temporary:
            temporary.write_text("all")
        with temporary_folder(tmp_path) as new:
            move_into_place(new, tmp_path / "release")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == file
    assert (tmp_path / "release").stat().st_mode & 0o777 == folder


def test_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "file").symlink_to(tmp_path / "victim")
    with atomic_path(tmp_path / "file") as temporary:
        temporary.write_text("mine")
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "file").is_symlink()


def test_link_in_the_place_of_a_lock_is_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / ".lock").symlink_to(tmp_path / "victim")
    with pytest.raises(InputError, match="is a link"), lock_folder(tmp_path, "work folder"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"


def test_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a file"):
        sha256_of(tmp_path / "pipe")


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    code = (
        "import os, pathlib, signal, sys\n"
        "from corpora.files import atomic_path, temporary_folder\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with atomic_path(folder / 'deep' / 'file') as path, temporary_folder(folder) as other:\n"
        "    path.write_text('half')\n"
        "    (other / '.tmp-inner').mkdir()\n"
        "    (other / '.tmp-inner' / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "kept.tmp-").write_text("whole")
    assert run(code, tmp_path).returncode == -9
    assert len(below(tmp_path)) == 7
    remove_leftovers(tmp_path / "deep")
    remove_leftovers(tmp_path)
    assert below(tmp_path) == ["deep", "kept.tmp-"]


def test_removing_leftovers_does_not_follow_a_link_out_of_the_folder(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    (outside / ".tmp-mine").write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".tmp-link").symlink_to(outside)
    (folder / "link").symlink_to(outside)
    remove_leftovers(folder)
    assert below(outside) == [".tmp-mine", "mine"]


def test_temporary_folder_is_removed_unless_it_was_moved(tmp_path):
    with temporary_folder(tmp_path) as folder:
        (folder / "file").write_text("gone")
    assert below(tmp_path) == []
    with temporary_folder(tmp_path) as folder:
        (folder / "data").mkdir()
        (folder / "data" / "file").write_text("kept")
        move_into_place(folder, tmp_path / "release")
    assert below(tmp_path) == ["release", "release/data", "release/data/file"]
    assert (tmp_path / "release").stat().st_mode & 0o777 == 0o755


def test_temporary_folder_of_a_failed_block_is_removed(tmp_path):
    with pytest.raises(RuntimeError):
        fill_scratch(tmp_path, fail)
    assert below(tmp_path) == []


def test_folder_never_replaces_one_that_has_content(tmp_path):
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "file").write_text("before")
    with pytest.raises(OSError, match="release"):
        fill_scratch(tmp_path, lambda folder: move_into_place(folder, tmp_path / "release"))
    assert (tmp_path / "release" / "file").read_text() == "before"
    assert below(tmp_path) == ["release", "release/file"]


def test_second_run_in_a_locked_folder_is_an_error(tmp_path):
    code = (
        "import pathlib, sys\n"
        "from corpora.errors import InputError\n"
        "from corpora.files import lock_folder\n"
        "try:\n"
        "    with lock_folder(pathlib.Path(sys.argv[1]), 'work folder'): print('mine')\n"
        "except InputError as error:\n"
        "    print(error)\n"
    )
    folder = tmp_path / "work"
    with lock_folder(folder, "work folder"):
        message = run(code, folder).stdout.strip()
    assert message == f"Another run is using the work folder {folder}. Wait until it has ended, or name another folder."
    assert run(code, folder).stdout.strip() == "mine"


def test_killed_run_has_no_lock(tmp_path):
    code = (
        "import os, pathlib, signal, sys\n"
        "from corpora.files import lock_folder\n"
        "with lock_folder(pathlib.Path(sys.argv[1]), 'work folder'): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run(code, tmp_path / "work").returncode == -9
    with lock_folder(tmp_path / "work", "work folder"):
        pass


def test_error_within_the_lock_is_raised_and_releases_it(tmp_path):
    for _ in range(2):
        with pytest.raises(InputError, match="another matter"), lock_folder(tmp_path, "work folder"):
            raise InputError("another matter")


def test_digest_of_a_file_is_the_sha256_of_its_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    data = os.urandom(3_000_000)
    (tmp_path / "long").write_bytes(data)
    assert sha256_of(tmp_path / "long") == hashlib.sha256(data).hexdigest()


def test_sealed_file_is_intact_until_a_byte_changes(tmp_path):
    path = tmp_path / "table.parquet"
    with sealed_path(path) as temporary:
        temporary.write_bytes(b"four")
    assert is_intact(path)
    path.write_bytes(b"foul")
    assert not is_intact(path)
    remove_sealed(path)
    assert not is_intact(path)
    assert list(tmp_path.iterdir()) == []


def test_file_or_seal_alone_is_not_intact(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"four")
    assert not is_intact(path)
    path.unlink()
    path.with_suffix(".sha256").write_text(sha256_of(Path(__file__)))
    assert not is_intact(path)


def test_block_that_fails_seals_nothing(tmp_path):
    with pytest.raises(IsADirectoryError), sealed_path(tmp_path / "table.parquet") as temporary:
        temporary.write_bytes(tmp_path.read_bytes())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/folder"])
def test_lock_on_a_file_is_an_input_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match=r"The work folder .* cannot be made"),
        lock_folder(tmp_path / name, "work folder"),
    ):
        pass
