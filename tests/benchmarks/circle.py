"""The circle, verb by verb, on real sentence pairs: publish, sweep, evaluate, fit, allocate, publish, train, compare.

    python tests/benchmarks/circle.py OUT [--langs el,hi,tr,vi] [--sizes 250,500,1k,2k] [--budget 11000] [--seeds 3]

What is fitted is token accuracy on the release's own validation rows; the mixtures are evaluated on FLORES-101 too.
Every step is a command of the project, printed as it is run, and what does not wait for another runs beside it, on one
core each; a run that was stopped goes on where it was. It needs ../shared. At its end stand the mixtures, what the
laws predicted that each would lose against the optimum, what was measured, with intervals over items and seeds, and
the tokens and seconds that it took.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tabulate import tabulate

from corpora.catalog import language

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT.parent / "shared" / "data"
ISO3 = {"ar": "ara", "el": "ell", "hi": "hin", "tr": "tur", "vi": "vie", "zh": "zho"}
DEVTEST = {"en": "eng", "ar": "ara", "el": "ell", "hi": "hin", "tr": "tur", "vi": "vie", "zh": "cmn_Hans"}
COMMANDS = {
    "builders": "from builders.cli.main import main; main()",
    "trainer": "from trainer.cli.main import main; main()",
}
# Two runs on a core each are three times as fast as one after the other on both: a tiny model's steps are too short to
# share. glibc gives large arrays back to the kernel at once and fetches them again, a third of the time.
KEPT = {f"MALLOC_{name}_": str(1 << 30) for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD")}
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | KEPT
MIXTURES = ("optimum", "unimax", "proportional")
METRIC = ("--metric", "token_accuracy", "--benchmark", "validation")  # of sentences like those trained on
CATALOG = """
[tatoeba]
title = "Tatoeba, from the Tatoeba Challenge's test sets"
kind = "bitext"
version = "v2021-08-07"
format = "moses-zip"
url = "{folder}/{{pair}}.txt.zip"
langs = "any"
licence = "cc-by-2.0"

[flores101]
title = "FLORES-101 devtest"
kind = "benchmark"
version = "1"
format = "flores-tar"
url = "{folder}/flores101.tar.gz"
langs = "any"
code = "flores101"
licence = "cc-by-sa-4.0"
"""
RECIPE = """
title = "Circle"
summary = "Translations from English, for the circle from data to models and back."
configs = "all"
langs = {langs}
bitext = ["tatoeba"]
decontaminate_against = ["flores101"]
directions = ["en-xx"]
validation = 0.1
"""


def main() -> None:
    asked = arguments()
    if not DATA.is_dir():
        sys.exit(f"{DATA} is not there; this benchmark needs it.")
    asked.out.mkdir(parents=True, exist_ok=True)
    os.chdir(asked.out)
    langs = asked.langs.split(",")
    began = time.monotonic()
    write_data(langs, dict(part.split("=") for part in asked.lines.split(",") if part))
    settings = ("--set", f"num_train_epochs={asked.epochs}", "--set", "save_steps=0.5", "--set", "eval_steps=0.5")
    publish = ("builders", "publish", "circle.toml", "--with", ".")
    run(*publish)
    at_once(asked, [partial(measure_law, lang, asked, settings) for lang in langs])
    run("builders", "fit", *METRIC, "--direction", "en-xx", "--model", "tiny-circle-v*", "--output", "laws.json")
    limits = ("--budget", asked.budget, "--laws", "laws.json", "--release", "circle")
    pictures = ("--output", "mixture.csv", "--picture", "frontier.png")
    split = json.loads(run("builders", "allocate", *limits, *pictures, "--json"))
    releases = {}
    for mixture in MIXTURES:
        how = ("--laws", "laws.json") if mixture == "optimum" else ("--mixture", mixture)
        (made,) = json.loads(run(*publish, "--budget", asked.budget, *how, "--json"))
        releases[mixture] = f"{made['name']}@{made['version']}"
    found = {mixture: [f"runs/{mixture}-seed{seed}" for seed in range(asked.seeds)] for mixture in MIXTURES}
    at_once(asked, [partial(train, releases[m], run_of, settings) for m in MIXTURES for run_of in found[m]])
    at_once(asked, [partial(evaluate, found[mixture], "validation,flores", asked.langs, asked) for mixture in MIXTURES])
    run("trainer", "align", found["optimum"][0], "--langs", asked.langs, *place(), "--limit", asked.limit)
    print(outcome(split, found))
    print(f"\n{spent(began)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--langs", default="el,hi,tr,vi")
    parser.add_argument("--sizes", default="250,500,1k,2k")
    parser.add_argument("--budget", default="11000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", default="2")
    parser.add_argument("--limit", default="1012", help="items of each benchmark and language to evaluate on")
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="commands that run beside one another")
    parser.add_argument("--lines", default="", help="use only so many pairs, such as el=3000,vi=700")
    return parser.parse_args()


def run(*command: str) -> str:
    """Run one command of the project; what it prints."""
    print(f"$ {' '.join(command)}\n", end="", flush=True)  # in one piece: others print beside it
    code = COMMANDS[command[0]]
    process = [sys.executable, "-c", code, *command[1:]]
    done = subprocess.run(process, stdout=subprocess.PIPE, text=True, env=os.environ | ENVIRONMENT)
    if done.returncode:
        sys.exit(f"{command[0]} {command[1]} ended with {done.returncode}")
    if "--json" not in command:
        print(done.stdout, flush=True)
    return done.stdout


def place() -> tuple[str, ...]:
    return ("--data", "devtest", "--offline")


def at_once(asked: argparse.Namespace, steps: list[Callable[[], None]]) -> None:
    """Take steps that do not need one another, a few at a time; after the first that fails none begins."""
    with ThreadPoolExecutor(asked.at_once) as pool:
        taken = [pool.submit(step) for step in steps]
        try:
            for step in taken:
                step.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def measure_law(lang: str, asked: argparse.Namespace, settings: tuple[str, ...]) -> None:
    """Train on every size and seed in a language, and evaluate the models on what is held back."""
    seeds = ("--seeds", str(asked.seeds))
    run("trainer", "sweep", "tiny", "--release", "circle", "--langs", lang, "--sizes", asked.sizes, *seeds, *settings)
    evaluate([str(path) for path in sorted(Path("runs").glob(f"tiny-circle-v*-{lang}-*"))], "validation", lang, asked)


def train(release: str, folder: str, settings: tuple[str, ...]) -> None:
    """Train on a mixture's release with the seed that a run's folder is named after."""
    seed = f"seed={folder.partition('seed')[2]}"
    run("trainer", "sft", "tiny", "--release", release, "--output", folder, *settings, "--set", seed)


def evaluate(runs: list[str], benchmarks: str, langs: str, asked: argparse.Namespace) -> None:
    of = ("--benchmarks", benchmarks, "--release", "circle", "--directions", "en-xx", "--langs", langs)
    run("trainer", "evaluate", *runs, *of, "--metrics", "token_accuracy", "--limit", asked.limit, *place())


def outcome(split: dict, found: dict[str, list[str]]) -> str:
    """Each mixture beside the optimum: the gain that was predicted, and the one that was measured."""
    names = {mixture: ",".join(Path(run).name for run in runs) for mixture, runs in found.items()}
    predicted = {row["name"]: row for row in split["alternatives"]}
    rows = []
    for mixture in MIXTURES[1:]:
        for row in json.loads(run("trainer", "compare", names[mixture], names["optimum"], *METRIC, "--json")):
            low, high = row["difference"]["interval"]
            told = f"{predicted[mixture]['advantage']:+.2f}" if row["lang"] == "mean" else ""
            values = (row["a"], row["b"], told, f"{row['difference']['value']:+.2f}", f"{low:+.2f} .. {high:+.2f}")
            rows.append([f"optimum less {mixture}", row["lang"], *values, row["difference"]["p"]])
    heads = ["", "lang", "other", "optimum", "predicted", "measured", "95 % interval", "p"]
    pairs = {name: predicted[name]["pairs"] for name in MIXTURES if name in predicted}
    mixtures = tabulate(pairs.values(), headers="keys", showindex=pairs)
    return f"{mixtures}\n\n{tabulate(rows, headers=heads, floatfmt='.3f', disable_numparse=[4, 5])}"


def spent(began: float) -> str:
    """What all runs learned from, and what this time took."""
    records = [json.loads(path.read_text("utf-8")) for path in sorted(Path("runs").glob("*/run.json"))]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = [(time.monotonic() - began) / 60, (used.ru_utime + used.ru_stime) / 60]
    return (
        f"{len(records)} runs learned from {sum(record['num_tokens'] for record in records):,} tokens. This time took "
        f"{minutes[0]:.1f} minutes by the clock and {minutes[1]:.1f} of all cores."
    )


def write_data(langs: list[str], most: dict[str, str]) -> None:
    """Tatoeba as moses zips and FLORES-101 devtest as a tar, with a catalogue and a recipe of their own."""
    Path("corpora.toml").write_text(CATALOG.format(folder=Path.cwd()), encoding="utf-8")
    Path("circle.toml").write_text(RECIPE.format(langs=json.dumps(langs)), encoding="utf-8")
    for lang in langs:
        write_bitext(lang, int(most.get(lang, 10**9)))
    if Path("devtest").exists():
        return
    Path("devtest").mkdir()
    with tarfile.open("flores101.tar.gz", "w:gz") as tar:
        for lang in ["en", *langs]:
            text = (DATA / "flores101_devtest" / f"{DEVTEST[lang]}.devtest").read_bytes()
            name = f"{language(lang).flores101}.devtest"
            Path("devtest", name).write_bytes(text)
            entry = tarfile.TarInfo(f"flores101_dataset/devtest/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))


def write_bitext(lang: str, most: int) -> None:
    pair = "-".join(sorted(("eng", ISO3[lang])))
    ours = "-".join(sorted(("en", lang)))
    if Path(f"{ours}.txt.zip").exists():  # other bytes would be another release
        return
    with zipfile.ZipFile(f"{ours}.txt.zip", "w") as archive:
        for theirs, code in (("eng", "en"), (ISO3[lang], lang)):
            lines = (DATA / "tatoeba" / f"{pair}.tatoeba-v2021-08-07.{theirs}").read_text("utf-8").split("\n")
            archive.writestr(f"Tatoeba.{ours}.{code}", "\n".join(lines[:most]) + "\n")


if __name__ == "__main__":
    main()
