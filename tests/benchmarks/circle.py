"""The circle, verb by verb, on real sentence pairs: publish, sweep, evaluate, fit, allocate, publish, train, compare.

    python tests/benchmarks/circle.py OUT [--langs el,hi,tr,vi] [--sizes 250,500,1k,2k] [--budget 11000] [--seeds 3]

The laws are fitted to token accuracy on the release's validation rows; the mixtures are evaluated on FLORES-101 too.
Every step is a command of the project, printed when it starts. Independent steps run at the same time, one per core; a
stopped run continues. It needs ../shared. The outcome: the mixtures, the predicted and the measured advantage of the
optimum over each, with intervals over items and seeds, and the tokens and seconds of the whole.
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
# Two runs on one core each are three times as fast as one after the other on both: the steps of a tiny model are too
# short to divide. A third of the time is lost if glibc returns large arrays to the kernel.
KEPT = {f"MALLOC_{name}_": str(1 << 30) for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD")}
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | KEPT
MIXTURES = ("optimum", "unimax", "proportional")
METRIC = ("--metric", "token_accuracy", "--benchmark", "validation")  # on sentences like those trained on
SOURCE = ("--data", "devtest", "--offline")
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
    """Run the circle and print its outcome."""
    options = arguments()
    if not DATA.is_dir():
        sys.exit(f"{DATA} does not exist; this benchmark needs it.")
    options.out.mkdir(parents=True, exist_ok=True)
    os.chdir(options.out)
    langs = options.langs.split(",")
    began = time.monotonic()
    write_data(langs, dict(part.split("=") for part in options.lines.split(",") if part))
    settings = ("--set", f"num_train_epochs={options.epochs}", "--set", "save_steps=0.5", "--set", "eval_steps=0.5")
    publish = ("builders", "publish", "circle.toml", "--with", ".")
    run(*publish)
    run_parallel(options, [partial(measure_law, lang, options, settings) for lang in langs])
    run("builders", "fit", *METRIC, "--direction", "en-xx", "--model", "tiny-circle-v*", "--output", "laws.json")
    limits = ("--budget", options.budget, "--laws", "laws.json", "--release", "circle")
    pictures = ("--output", "mixture.csv", "--picture", "frontier.png")
    allocation = json.loads(run("builders", "allocate", *limits, *pictures, "--json"))
    releases = {}
    for mixture in MIXTURES:
        source = ("--laws", "laws.json") if mixture == "optimum" else ("--mixture", mixture)
        (release,) = json.loads(run(*publish, "--budget", options.budget, *source, "--json"))
        releases[mixture] = f"{release['name']}@{release['version']}"
    runs = {mixture: [f"runs/{mixture}-seed{seed}" for seed in range(options.seeds)] for mixture in MIXTURES}
    run_parallel(options, [partial(train, releases[m], folder, settings) for m in MIXTURES for folder in runs[m]])
    of_mixtures = [partial(evaluate, runs[m], "validation,flores", options.langs, options) for m in MIXTURES]
    run_parallel(options, of_mixtures)
    run("trainer", "align", runs["optimum"][0], "--langs", options.langs, *SOURCE, "--limit", options.limit)
    print(outcome(allocation, runs))
    print(f"\n{cost(began)}")


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
    """Run one command of the project and return what it prints."""
    print(f"$ {' '.join(command)}\n", end="", flush=True)  # at once: parallel commands print too
    process = [sys.executable, "-m", *command]
    done = subprocess.run(process, stdout=subprocess.PIPE, text=True, env=os.environ | ENVIRONMENT)
    if done.returncode:
        sys.exit(f"{command[0]} {command[1]} ended with {done.returncode}")
    if "--json" not in command:
        print(done.stdout, flush=True)
    return done.stdout


def run_parallel(options: argparse.Namespace, steps: list[Callable[[], None]]) -> None:
    """Take independent steps, a few at a time; after the first that fails none begins."""
    with ThreadPoolExecutor(options.at_once) as pool:
        futures = [pool.submit(step) for step in steps]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def measure_law(lang: str, options: argparse.Namespace, settings: tuple[str, ...]) -> None:
    """Train on every size and seed in a language, and evaluate the models on validation rows."""
    seeds = ("--seeds", str(options.seeds))
    run("trainer", "sweep", "tiny", "--release", "circle", "--langs", lang, "--sizes", options.sizes, *seeds, *settings)
    runs = sorted(Path("runs").glob(f"tiny-circle-v*-{lang}-*"))
    evaluate([str(path) for path in runs], "validation", lang, options)


def train(release: str, folder: str, settings: tuple[str, ...]) -> None:
    """Train on a mixture's release with the seed in the name of the run's folder."""
    seed = f"seed={folder.partition('seed')[2]}"
    run("trainer", "sft", "tiny", "--release", release, "--output", folder, *settings, "--set", seed)


def evaluate(runs: list[str], benchmarks: str, langs: str, options: argparse.Namespace) -> None:
    """Evaluate runs from English into some languages."""
    items = ("--benchmarks", benchmarks, "--release", "circle", "--directions", "en-xx", "--langs", langs)
    run("trainer", "evaluate", *runs, *items, "--metrics", "token_accuracy", "--limit", options.limit, *SOURCE)


def outcome(allocation: dict, runs: dict[str, list[str]]) -> str:
    """Return each mixture beside the optimum: its predicted advantage, and the measured one."""
    names = {mixture: ",".join(Path(folder).name for folder in folders) for mixture, folders in runs.items()}
    predicted = {row["name"]: row for row in allocation["alternatives"]}
    rows = []
    for mixture in MIXTURES[1:]:
        for row in json.loads(run("trainer", "compare", names[mixture], names["optimum"], *METRIC, "--json")):
            low, high = row["difference"]["interval"]
            advantage = f"{predicted[mixture]['advantage']:+.2f}" if row["lang"] == "mean" else ""
            values = (row["a"], row["b"], advantage, f"{row['difference']['value']:+.2f}", f"{low:+.2f} .. {high:+.2f}")
            rows.append([f"optimum less {mixture}", row["lang"], *values, row["difference"]["p"]])
    heads = ["", "lang", "other", "optimum", "predicted", "measured", "95 % interval", "p"]
    pairs = {name: predicted[name]["pairs"] for name in MIXTURES if name in predicted}
    mixtures = tabulate(pairs.values(), headers="keys", showindex=pairs)
    return f"{mixtures}\n\n{tabulate(rows, headers=heads, floatfmt='.3f', disable_numparse=[4, 5])}"


def cost(began: float) -> str:
    """Return the tokens of all runs, and the time of this call."""
    runs = [json.loads(path.read_text("utf-8")) for path in sorted(Path("runs").glob("*/run.json"))]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = [(time.monotonic() - began) / 60, (used.ru_utime + used.ru_stime) / 60]
    return (
        f"{len(runs)} runs trained {sum(metadata['num_tokens'] for metadata in runs):,} tokens. This call took "
        f"{minutes[0]:.1f} minutes of wall time and {minutes[1]:.1f} of processor time."
    )


def write_data(langs: list[str], most: dict[str, str]) -> None:
    """Write Tatoeba as Moses zips and FLORES-101 devtest as a tar, with their rows of corpora and a recipe."""
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
    """Write the first pairs of Tatoeba in a language as a Moses zip."""
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
