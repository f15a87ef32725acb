"""A rehearsal at full size: `builders publish` from a mirror to a small Hub, killed on the way, every config loaded.

    python tests/benchmarks/rehearsal.py MIRROR [--langs ar,el,hi,tr,vi,zh] [--kill-after 200,900] [--work FOLDER]

MIRROR is a folder in the form of the public servers; it and the Hub of the tests are served on 127.0.0.1. Instructions
are translated by the tiny model of the tests. The command is killed (SIGKILL to all of its processes) after each of the
given numbers of seconds, and started again with the same arguments; the last time it ends by itself. Prints a row a
stage: seconds by the clock in each of the runs, the largest memory of the process tree while a file of it was written,
and the bytes that it left on the disk; then a row a config of each release, with the rows that
`datasets.load_dataset` finds and those that the manifest states. Exits with 1 if they differ.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tabulate import tabulate

from builders.translation.convert import convert_checkpoint
from tests.benchmarks.growth import Run, measured
from tests.benchmarks.kill import BUILDERS, served
from tests.builders.translation import tiny_model
from tests.builders.translation.expected import SCRIPTS

UNITS = {"s": 1, "min": 60, "h": 3600}
SERVER = Path(__file__).parents[1] / "hub" / "server.py"
RELEASES = ("org/coit", "org/muit")
STAGE = re.compile(r"(?:stage \d+ of \d+|start), (?P<stage>[^:]+): .*took (?P<took>(?:[\d.]+ (?:s|min|h) ?)+)")
MORE_SCRIPTS = {  # letter by letter, as the tiny model translates; what the checks stop stays in English and is counted
    "hin_Deva": "अआइईउऊऋऌएऐओऔऍऑऒऎॠॡॲकखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
    "zho_Hans": "的一是不了在人有我他这中大来上国个到说们为子"
    "和你地出道也时年得就那要下以生会自着去之过家学对可她里后多天",
    "tur_Latn": "ÂÇÊĞÎÏÔÖŞÛÜÁÀÄÃÈËÍÌÓÒÚÙÝŽŠâçêğîïôöşûüáàäãèëíìóòúùýžš",
    "vie_Latn": "ĂĐƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉị",
}
LOAD = """
import json, sys
from pathlib import Path
from huggingface_hub import hf_hub_download
from datasets import get_dataset_config_names, load_dataset
name = sys.argv[1]
rows = {}
for config in get_dataset_config_names(name):
    loaded = load_dataset(name, config)
    rows[config] = {split: part.num_rows for split, part in loaded.items()}
manifest = json.loads(Path(hf_hub_download(name, "manifest.json", repo_type="dataset")).read_text())
stated = {
    config: {split: part["num_rows"] for split, part in about["splits"].items()}
    for config, about in manifest["configs"].items()
}
for config, splits in rows.items():
    print(name, config, *(f"{split} {count:,}" for split, count in splits.items()), sep="\t")
sys.exit(rows != stated)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--langs", default="ar,el,hi,tr,vi,zh")
    parser.add_argument("--kill-after", default="200,900", help="Seconds after which a run is killed, with commas.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-memory", default="4GB")
    parser.add_argument("--work", type=Path, default=Path("work-rehearsal"))
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    work = asked.work.resolve()
    SCRIPTS.update(MORE_SCRIPTS)
    model = convert_checkpoint(tiny_model.save(work / "tiny", languages=tuple(SCRIPTS)), work, print).resolve()
    command = [*BUILDERS, "publish", "--langs", asked.langs, "--threads", str(asked.threads), "--registry", "hf://org"]
    command += ["--max-memory", asked.max_memory]
    with hub(work / "hub"), served(asked.mirror) as options:
        options = [*options[:2], "--translator", str(model), "--beam", "1", "--compute-type", "float32"]
        moments = [float(moment) for moment in asked.kill_after.split(",") if moment]
        runs = [rehearse([*command, *options], work, moment) for moment in [*moments, None]]
        report(runs, work)
        loaded = [loads(name, work) for name in RELEASES]
        sys.exit(not all(loaded))


@contextmanager
def hub(folder: Path) -> Iterator[None]:
    """Let the environment name a small Hub that runs as long as the block."""
    server = subprocess.Popen([sys.executable, str(SERVER), str(folder)], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    os.environ |= {"HF_ENDPOINT": server.stdout.readline().strip(), "HF_HOME": str(folder.parent / "home")}
    os.environ |= {"HF_TOKEN": "hf_alice", "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
    os.environ |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    try:
        yield
    finally:
        server.terminate()


def rehearse(command: list[str], work: Path, moment: float | None) -> tuple[Run, dict[str, float]]:
    """Run the command, to its end or until it is killed; return what it took, and the seconds of its stages."""
    with tempfile.TemporaryFile("w+") as log:
        try:
            run = measured(command, work, kill_after=moment, log=log)
        finally:
            log.seek(0)
            text = log.read()
            print(text[-1500:], file=sys.stderr)
    seconds = dict[str, float]()
    for found in STAGE.finditer(text):
        amount = sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+) (s|min|h)", found["took"]))
        seconds[found["stage"]] = seconds.get(found["stage"], 0) + amount
    return run, seconds


def report(runs: list[tuple[Run, dict[str, float]]], work: Path) -> None:
    """Print the tables of seconds, and of memory and disk by folder of the work."""
    stages = dict.fromkeys(stage for _, seconds in runs for stage in seconds)
    rows = [[stage, *(f"{seconds[stage]:,.1f}" if stage in seconds else "" for _, seconds in runs)] for stage in stages]
    rows += [["whole run", *(f"{run.seconds:,.1f}" for run, _ in runs)]]
    rows += [["of all cores", *(f"{run.core_seconds:,.1f}" for run, _ in runs)]]
    print(tabulate(rows, ["stage, seconds", *(f"run {n}" for n, _ in enumerate(runs, 1))], disable_numparse=True))
    folders = sorted(path.name for path in (work / "work").iterdir() if path.is_dir())
    peak = {name: max((run.by_stage.get(name, 0) for run, _ in runs)) for name in [*folders, "release"]}
    table = [[name, f"{peak[name] / 1e6:,.0f} MB", _size(work / "work" / name)] for name in folders]
    table += [["largest of all", f"{max(run.resident for run, _ in runs) / 1e6:,.0f} MB", _size(work / "work")]]
    table += [["downloads", "", _size(work / "downloads")], ["Hub", "", _size(work / "hub")]]
    print(tabulate(table, ["folder", "memory", "disk"], disable_numparse=True))


def loads(name: str, work: Path) -> bool:
    """Print the rows of each config of a release as a stranger loads it; whether they are those of the manifest."""
    done = subprocess.run([sys.executable, "-c", LOAD, name], cwd=work, capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    print(name, "does not load as its manifest says" if done.returncode else "loads as its manifest says", sep="\t")
    print(done.stderr[-2000:] if done.returncode else "", file=sys.stderr)
    return done.returncode == 0


def _size(folder: Path) -> str:
    return f"{sum(path.lstat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6:,.1f} MB"


if __name__ == "__main__":
    main()
