"""Kills of `builders translate` at random moments, and whether the result is that of an undisturbed run, byte for byte.

    python tests/benchmarks/translate_kill.py RECORDS.json [--langs el,ar] [--kills 5] [--seed 1] [--work FOLDER]

The records go through the command with the tiny model of the tests, once undisturbed and once killed (SIGKILL) again
and again in one folder, until a last run ends: most kills at moments drawn between the start and the end of the
undisturbed run, the last two after the second language has begun. Prints what each kill met, how many records and
segments passed the checks, and exits with 1 if any byte of the results or of the translation memory differs.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from builders.translation.convert import convert_checkpoint
from tests.benchmarks.kill import BUILDERS, QUIET, differences
from tests.builders.translation import tiny_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", type=Path)
    parser.add_argument("--langs", default="el,ar")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("work-translate-kill"))
    asked = parser.parse_args()
    shutil.rmtree(asked.work, ignore_errors=True)
    model = convert_checkpoint(tiny_model.save(asked.work / "tiny"), asked.work, print).resolve()
    command = [*BUILDERS, "translate", str(asked.records.resolve()), "--langs", asked.langs, "--json"]
    command += ["--translator", str(model), "--beam", "1", "--threads", str(asked.threads)]
    command += ["--compute-type", "float32"]

    begun = time.perf_counter()
    told = finished(command, asked.work / "calm")
    whole = time.perf_counter() - begun
    account(told, whole)
    for number in range(asked.kills):
        killed(command, asked, random.Random(f"{asked.seed} {number}"), whole, number >= asked.kills - 2)
    finished(command, asked.work / "killed")
    calm, again = (contents(asked.work / name) for name in ("calm", "killed"))
    wrong = differences(calm, again)
    print(f"{len(calm)} files, {sum(map(len, calm.values())):,} bytes compared:", "; ".join(wrong) or "no difference")
    sys.exit(bool(wrong))


def finished(command: list[str], folder: Path) -> str:
    """What a run to the end prints."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"A run ended with exit code {done.returncode}:\n{done.stderr}")
    return done.stdout


def account(told: str, seconds: float) -> None:
    """How many records and segments passed the checks."""
    print(f"undisturbed: {seconds:.0f} s")
    report = json.loads(told)
    for row in report["ledger"]:
        if row["stage"] in ("translations", "translated_instructions"):
            counts = f"{row['num_kept']:7,} of {row['num_in']:,}" if row["reason"] is None else f"{row['num_rows']:7,}"
            print(f"  {row['stage']:24} {row['lang']}  {row['reason'] or 'kept':18} {counts}")
    print(f"  segments by method: {report['translator']['methods']}")


def killed(command: list[str], asked: argparse.Namespace, dice: random.Random, whole: float, late: bool) -> None:
    """Begin a run and kill it: `late` is after the second language has begun."""
    folder = asked.work / "killed"
    folder.mkdir(exist_ok=True)
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, **QUIET)
    second = asked.langs.split(",")[1]
    while late and process.poll() is None and not batches(folder, second):
        time.sleep(0.05)
    moment = dice.uniform(0, whole / (4 * asked.kills) if late else whole / asked.kills)
    deadline = time.perf_counter() + moment
    while process.poll() is None and time.perf_counter() < deadline:
        time.sleep(0.01)
    process.kill()
    met = "killed" if process.wait() == -signal.SIGKILL else "had ended"
    there = ", ".join(f"{lang} {batches(folder, lang)}" for lang in asked.langs.split(","))
    print(f"{met} after {time.perf_counter() - begun:.1f} s; finished batches: {there}", flush=True)


def batches(folder: Path, lang: str) -> int:
    """The finished batches of a language, and a hundred for its compacted table."""
    return len(list(folder.glob(f"work/memory/*/{lang}/batches/[0-9a-f]*"))) + 100 * len(
        list(folder.glob(f"work/memory/*/{lang}/memory.parquet"))
    )


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every result, unit and table of the memory; the names alone of notes on when a file was read."""
    return {
        path.relative_to(folder).as_posix(): b"" if path.suffix in (".json", ".lock") else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


if __name__ == "__main__":
    main()
