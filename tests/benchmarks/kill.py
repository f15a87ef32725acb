"""Kills at random moments and inside writes: what a rerun publishes after each, byte for byte against a calm run.

    python tests/benchmarks/kill.py [MIRROR] [--kills 20] [--seed 1] [--langs ar,el,hi,tr,vi,zh]

MIRROR is a folder in the form of the public servers, which is served over HTTP on 127.0.0.1 and pulled anew by every
run; without one the bundled sample is built. A kill is a SIGKILL to a `builders publish` that began in an empty folder:
every second one at a moment drawn between its start and the end of the undisturbed run; the others before or after the
rename of a file, drawn among all files and seals that the undisturbed run renamed, so that a file is without its seal,
or a seal without its file. The same command then runs to its end with --explain. Exits with 1 if any byte of a release
or a download, or the name of any other file, is not as the undisturbed run left it, or if the tasks that were made and
those that were reused are not all of them.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tabulate import tabulate

BUILDERS = [sys.executable, "-m", "builders"]
HEADS = ["killed at", "while making", "tasks done", "differences"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
# Runs the command line, and kills its process before or after rename `number` of a file; prints how many there were.
INSIDE = """
import os, signal, sys
from itertools import count
import corpora.files as files
from builders.cli import main
side, last = sys.argv[1], int(sys.argv[2])
del sys.argv[1:3]
numbers, rename = count(1), files.move_into_place
def move(temporary, path):
    number = next(numbers)
    if number == last and side == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    rename(temporary, path)
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)
files.move_into_place = move
try:
    main()
finally:
    print(next(numbers) - 1, file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path, nargs="?")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--langs", default="ar,el,hi,tr,vi,zh")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("work-kill"))
    asked = parser.parse_args()
    command = [*BUILDERS, "publish", "--langs", asked.langs, "--threads", str(asked.threads)]
    shutil.rmtree(asked.work, ignore_errors=True)
    with served(asked.mirror) if asked.mirror else sample() as options:
        bad = kill_and_compare([*command, *options], asked)
    sys.exit(bad)


def kill_and_compare(command: list[str], asked: argparse.Namespace) -> bool:
    """Print a row a kill, and how many left no trace; whether any left one."""
    begun = time.perf_counter()
    calm, num_renames, calm_tasks = finished(inside(command, "before", 0), asked.work / "calm")
    whole = time.perf_counter() - begun

    dice, rows = random.Random(asked.seed), list[tuple[str, ...]]()
    folder = asked.work / "killed"
    while len(rows) < asked.kills:
        shutil.rmtree(folder, ignore_errors=True)
        if len(rows) % 2:
            side, number = dice.choice(("before", "after")), dice.randint(1, num_renames)
            where, is_killed = f"{side} rename {number}", killed(inside(command, side, number), folder, None)
        else:
            moment = dice.uniform(0, whole)
            where, is_killed = f"{moment:.2f} s", killed(command, folder, moment)
        if not is_killed:
            continue
        state = found_there(folder)
        again, _, tasks = finished(inside(command, "before", 0), folder)
        wrong = differences(calm, again) + [f"{name} is not accounted for" for name in calm_tasks ^ tasks]
        rows.append((where, *state, "; ".join(wrong[:3]) or "none"))
        print(*rows[-1], sep="\t", file=sys.stderr)
    print(tabulate(rows, HEADS, disable_numparse=True))
    bad = sum(row[-1] != "none" for row in rows)
    print(f"{len(rows) - bad} of {len(rows)} kills in a run of {whole:.1f} s left no trace", end=" ")
    print(f"({len(calm)} files, {sum(map(len, calm.values())):,} bytes compared)")
    return bad > 0


@contextmanager
def sample() -> Iterator[list[str]]:
    """The options of a run of the bundled sample."""
    yield ["--sample"]


@contextmanager
def served(mirror: Path) -> Iterator[list[str]]:
    """The options of a run that pulls from a folder, which is served as long as the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(mirror))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield ["--mirror", f"http://127.0.0.1:{server.server_port}", "--translator", "none"]
        server.shutdown()


class Server(SimpleHTTPRequestHandler):
    """A folder over HTTP, without a word: a client that is killed in the middle of a file is nothing to tell of."""

    def log_message(self, *arguments: object) -> None:
        pass

    def copyfile(self, source: object, outputfile: object) -> None:
        try:
            super().copyfile(source, outputfile)  # type: ignore[type-var]
        except ConnectionError:
            self.close_connection = True


def inside(command: list[str], side: str, number: int) -> list[str]:
    """Return a command of `builders` that is killed before or after a rename; never for number 0."""
    return [sys.executable, "-c", INSIDE, side, str(number), *command[len(BUILDERS) :], "--explain"]


def finished(command: list[str], folder: Path) -> tuple[dict[str, bytes], int, set[str]]:
    """What a run to the end leaves, as `contents` has it, how many files it renamed, and its tasks, made or reused."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"A run ended with exit code {done.returncode}:\n{done.stderr}")
    told = [line.partition(": ")[0] for line in done.stderr.splitlines() if ": reused" in line or ": made" in line]
    return contents(folder), int(done.stderr.splitlines()[-1]), set(told)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file.

    Of the files of tasks, whose names contain their keys, and of notes on checked downloads the names are enough.
    """
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.name.startswith(".lease-"):
            is_task = name.startswith("work/") and path.suffix in (".parquet", ".sha256")
            is_note = path.suffix == ".json" and path.with_suffix("").exists()
            found[name] = b"" if is_task or is_note else path.read_bytes()
    return found


def killed(command: list[str], folder: Path, moment: float | None) -> bool:
    """Kill a run with all of its processes after some seconds, or let it kill itself; False if it ended before."""
    folder.mkdir(parents=True)
    process = subprocess.Popen(command, cwd=folder, start_new_session=True, **QUIET)
    if moment is not None:
        time.sleep(moment)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def found_there(folder: Path) -> tuple[str, str]:
    """Return what a killed run was writing, and how many tasks it had done."""
    writing = sorted({"/".join(path.relative_to(folder).parts[:-1][:2]) for path in folder.rglob(".tmp-*")})
    return ", ".join(writing) or "-", str(len(list(folder.glob("work/*/*.parquet"))))


def differences(calm: dict[str, bytes], again: dict[str, bytes]) -> list[str]:
    """Files that only one of two runs left, and files with other bytes."""
    lost = [f"{name} is missing" for name in calm.keys() - again.keys()]
    left = [f"{name} is left over" for name in again.keys() - calm.keys()]
    other = [f"{name} differs" for name in calm.keys() & again.keys() if calm[name] != again[name]]
    return sorted([*lost, *left, *other])


if __name__ == "__main__":
    main()
