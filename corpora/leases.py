"""Leases: a folder that several machines see belongs to one run at a time; a file in it says to which, and is renewed.

The newest lease is the one with the highest number. A run takes the next number, which the filesystem gives to one run
only; numbers are never used twice, since a lease that ends stays until the next one. So no lock of the filesystem is
needed, which some network filesystems lack or keep to one machine.
"""

import _thread
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex
from threading import Event, Thread

from corpora.errors import InputError

RENEWED_S = 30.0  # between two renewals
VOID_S = 120.0  # without a renewal, after which another machine may take the folder
PREFIX = ".lease-"


@dataclass(frozen=True)
class Holder:
    """The process that holds a lease."""

    machine: str
    pid: int
    began: str  # when the process began, as the system counts; empty if it does not say
    namespace: str  # of its process numbers: another container or another boot has other processes
    is_released: bool = False


@contextmanager
def lease_folder(folder: Path, name: str) -> Iterator[None]:
    """Hold the lease of a folder; InputError, with its `name`, if another run has it, on whichever machine."""
    label = f"the {name} {folder}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"The {name} {folder} cannot be made: there is a file of this name. Name another.") from None
    try:
        path = _take(folder, label)
    except PermissionError as error:
        raise InputError(
            f"T{label[1:]} cannot be used: {error.filename} belongs to another user. Name another folder."
        ) from None
    with renewed(label, partial(_renew, path), partial(_release, path)):
        yield


@contextmanager
def renewed(label: str, renew: Callable[[], bool], release: Callable[[], None]) -> Iterator[None]:
    """Renew a lease within the block, and release it after.

    Args:
        label: What is leased, for the error.
        renew: Renews the lease; False if another run has taken it, so that this one is interrupted.
        release: Releases it.

    Raises:
        InputError: Another run has taken it.
    """
    ended, lost = Event(), Event()
    Thread(target=_keep_renewing, args=(renew, ended, lost), daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        if lost.is_set():
            raise InputError(
                f"Another run has taken {label}, since this one did not renew its lease for {VOID_S:.0f} seconds. "
                "Finished work is kept: wait until the other run has ended, and run the same command again."
            ) from None
        raise
    finally:
        ended.set()
        release()


def _keep_renewing(renew: Callable[[], bool], ended: Event, lost: Event) -> None:
    while not ended.wait(RENEWED_S):
        with suppress(OSError, InputError):  # the filesystem or store does not answer now
            if not renew():
                lost.set()
                _thread.interrupt_main()
                return


def _take(folder: Path, label: str) -> Path:
    while True:
        number, newest = _newest(folder)
        if newest and (use := _use(newest)):
            raise InputError(f"Another run is using {label}: {use}. Wait until it has ended, or name another folder.")
        path = folder / f"{PREFIX}{number + 1:06}"
        try:
            with open(path, "x", opener=_private) as file:
                json.dump(asdict(this_process()), file)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            continue
        if _newest(folder)[0] == number + 1:
            break
        path.unlink(missing_ok=True)  # others have taken and released the folder in between
    for older in _leases(folder):
        if older < number + 1:
            (folder / f"{PREFIX}{older:06}").unlink(missing_ok=True)
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _leases(folder: Path) -> list[int]:
    names = (re.fullmatch(rf"{re.escape(PREFIX)}(\d+)", name) for name in os.listdir(folder))
    return sorted(int(match[1]) for match in names if match)


def _newest(folder: Path) -> tuple[int, Path | None]:
    numbers = _leases(folder)
    return (numbers[-1], folder / f"{PREFIX}{numbers[-1]:06}") if numbers else (0, None)


def _use(path: Path) -> str:
    """Return who uses the folder by this lease, empty if it has been released or is void."""
    try:
        age = _age(path)
        holder = Holder(**json.loads(path.read_text()))
    except FileNotFoundError:
        return ""
    except (ValueError, TypeError):
        return "its lease is being written" if age < VOID_S else ""
    return "" if holder.is_released else use_of(holder, age)


def use_of(holder: Holder, age: float) -> str:
    """Return who uses what is leased, empty if the lease, renewed some seconds ago, is void."""
    if _is_here(holder):
        return f"process {holder.pid} of this machine" if _is_running(holder) else ""
    seen = f"process {holder.pid} on {holder.machine}, which renewed its lease {max(0.0, age):.0f} seconds ago"
    return f"{seen} (a run that was killed is recognised after {VOID_S:.0f} seconds)" if age < VOID_S else ""


def _age(path: Path) -> float:
    """Return the seconds since a lease was renewed by the clock of the filesystem, whatever that of this machine."""
    probe = path.with_name(f".tmp-{token_hex(8)}-probe")
    probe.touch()
    try:
        return probe.stat().st_mtime - path.stat().st_mtime
    finally:
        probe.unlink()


def _is_here(holder: Holder) -> bool:
    """Return whether a process is, or was, one of this machine since it was started."""
    return holder.namespace == _namespace()


def _is_running(holder: Holder) -> bool:
    """Return whether a process of this machine still runs."""
    return _began(holder.pid) == holder.began if holder.began else _is_alive(holder.pid)


def this_process() -> Holder:
    """Return this process, as a holder of leases."""
    return Holder(socket.gethostname(), os.getpid(), _began(os.getpid()), _namespace())


def _namespace() -> str:
    """Return what the processes of this machine have in common since it was started."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    return socket.gethostname()


def _began(pid: int) -> str:
    """Return when a process began, which tells it from a later one of the same number; empty if it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _renew(path: Path) -> bool:
    if _newest(path.parent)[1] != path:
        return False
    os.utime(path)
    return True


def _release(path: Path) -> None:
    with suppress(OSError):
        if path.exists():
            temporary = path.with_name(f".tmp-{token_hex(8)}-lease")
            temporary.write_text(json.dumps(asdict(this_process()) | {"is_released": True}))
            os.replace(temporary, path)
