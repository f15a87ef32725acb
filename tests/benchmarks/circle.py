"""The circle, verb by verb, on real sentence pairs: publish, sweep, evaluate, fit, allocate, train, compare.

    python tests/benchmarks/circle.py OUT [--langs el,hi,tr,vi] [--mixtures 8] [--budgets 1500,3000] [--budget 4000]

Laws with transfer are fitted to mixtures that fill the space of shares, at two budgets, and to runs of one language.
Then models are trained at a budget above all of these, on the optimum of each objective and on the plain mixtures, with
several seeds. Every step is a command of the project, printed when it starts; a stopped circle goes on where it was.
Values are the token accuracy on the release's validation rows. It needs ../shared. `--estimate` prints how many pairs
and runs the circle has. `--twin el` adds a second world: the language's text in Latin letters, as a language of its
own, so that a relative exists whose weight the laws should find.
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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import t as student
from tabulate import tabulate

from corpora.catalog import language
from recipes.results import Result
from recipes.transfer import TransferLaws, fit_transfer, runs_from_results

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT.parent / "shared" / "data"
ISO3 = {"ar": "ara", "el": "ell", "hi": "hin", "tr": "tur", "vi": "vie", "zh": "zho"}
DEVTEST = {"en": "eng", "ar": "ara", "el": "ell", "hi": "hin", "tr": "tur", "vi": "vie", "zh": "cmn_Hans"}
# Two runs on one core each are three times as fast as one after the other on both: the steps of a tiny model are too
# short to divide. A third of the time is lost if glibc returns large arrays to the kernel.
KEPT = {f"MALLOC_{name}_": str(1 << 30) for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD")}
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | KEPT
METRIC = ("--metric", "token_accuracy", "--benchmark", "validation", "--direction", "en-xx")
SETTINGS = {
    "prompt": "raw",
    "save_steps": 0.9999,
    "eval_steps": 100_000,
    "logging_steps": 10,
    "per_device_train_batch_size": 16,
    "per_device_eval_batch_size": 64,
}
TWIN = "hu"  # a language of the catalogue in Latin letters, whose code the twin has
GREEK = "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ"
ROMAN = [*"aavgdeezii", "th", *"iiiiklmnxooprsstyyyyf", "ch", "ps", "o", "o"]
LETTERS = {  # by the language that has a twin: how the twin is written
    "el": dict(zip(GREEK + GREEK.upper(), ROMAN + [r.title() for r in ROMAN], strict=False)),
    "tr": dict(zip("çğıöşüâîÇĞİÖŞÜ", "cgiosuaiCGIOSU", strict=True)),
}
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
validation = {validation}
prompts = ["short"]
disable_filters = {disabled}
"""
PROMPTS = """
[translation.short]
text = "{target}:"
origin = "written for this benchmark: few tokens, so that a run is cheap"
"""


def main() -> None:
    """Run the circle and print its outcome."""
    options = arguments()
    if options.estimate:
        print(estimate(options))
        return
    if not DATA.is_dir():
        sys.exit(f"{DATA} does not exist; this benchmark needs it.")
    options.out.mkdir(parents=True, exist_ok=True)
    os.chdir(options.out)
    began = time.monotonic()
    write_data(options)
    run("builders", "publish", "circle.toml", "--with", ".")
    run_parallel(options, [partial(sweep, options, *part) for part in designs(options)])
    evaluate("design", options)
    run("builders", "fit", *METRIC, "--model", "design-*", "--output", "laws.json")
    if options.twin:
        print(f"{weights(langs_of(options))}\n\n{cost(began)}")
        return
    objectives = {name: allocate(name, choice, options) for name, choice in goals(options).items()}
    mixtures = [("--mixture", name) for name in ("worst.csv", "unimax", "weighted.csv", "by-weight.csv", "mean.csv")]
    write_by_weight(objectives, options)
    seeds = ("--seeds", str(options.seeds), "--budgets", options.budget, "--set", "seed=100")
    run_parallel(options, [partial(sweep, options, "final", *mixture, *seeds) for mixture in mixtures])
    evaluate("final", options)
    print(outcome(objectives, options))
    print(f"\n{cost(began)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--langs", default="el,hi,tr,vi")
    parser.add_argument("--mixtures", default="8", help="mixtures of the design at each budget")
    parser.add_argument("--budgets", default="1500,3000", help="of the design, in pairs")
    parser.add_argument(
        "--sizes", default="375,750,1500", help="of the runs of one language; of these languages all have"
    )
    parser.add_argument("--budget", default="4000", help="of the mixtures that are compared")
    parser.add_argument("--heavy", default="hi,vi", help="languages that count three times, for one objective")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", default="2")
    parser.add_argument("--validation", default="0.1")
    parser.add_argument("--limit", default="200", help="items of each language to evaluate on")
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="commands that run beside one another")
    parser.add_argument("--estimate", action="store_true", help="print the number of runs and pairs, and stop")
    parser.add_argument(
        "--twin",
        default="",
        choices=("", *LETTERS),
        help="add this language's text in other letters as a language of its own",
    )
    return parser.parse_args()


def langs_of(options: argparse.Namespace) -> list[str]:
    """Return the languages, the twin among them."""
    return options.langs.split(",") + ([TWIN] if options.twin else [])


def designs(options: argparse.Namespace) -> list[tuple[str, ...]]:
    """Return the sweeps of the design: mixtures, repeated UniMax for the noise, and runs of one language."""
    largest = options.budgets.split(",")[-1]
    return [
        ("design", "--mixtures", options.mixtures, "--budgets", options.budgets),
        ("design", "--mixture", "unimax", "--budgets", largest, "--seeds", "3"),
        ("design", "--sizes", options.sizes),
    ]


def goals(options: argparse.Namespace) -> dict[str, tuple[str, ...]]:
    """Return the options of `builders allocate` for each objective."""
    heavy = [text for lang in options.heavy.split(",") for text in ("--weight", f"{lang}=3")]
    return {"worst": ("--objective", "worst"), "weighted": (*heavy, "--no-worse-than", "unimax:2"), "mean": ()}


def allocate(name: str, choice: Sequence[str], options: argparse.Namespace) -> dict:
    """Allocate the budget for an objective, and return what is predicted."""
    limits = ("--budget", options.budget, "--laws", "laws.json", "--release", "circle")
    print(run("builders", "allocate", *limits, *choice, "--output", f"{name}.csv"))
    return json.loads(run("builders", "allocate", *limits, *choice, "--json"))


def write_by_weight(objectives: dict[str, dict], options: argparse.Namespace) -> None:
    """Write the mixture that shares the budget by the weights of the weighted objective."""
    rows = {row["name"]: row["pairs"] for row in objectives["weighted"]["alternatives"]}
    text = "".join(f"{lang},{pairs},1\n" for lang, pairs in rows["by-weight"].items())
    Path("by-weight.csv").write_text(f"lang,rows,epochs\n{text}", encoding="utf-8")


def estimate(options: argparse.Namespace) -> str:
    """Return how many runs and pairs the circle trains."""
    langs, epochs = len(langs_of(options)), float(options.epochs)
    budgets = [int(budget) for budget in options.budgets.split(",")]
    sizes = [int(size) for size in options.sizes.split(",")]
    num = len(goals(options)) + 2
    runs = int(options.mixtures) * len(budgets) + 3 + langs * len(sizes) + num * options.seeds
    pairs = int(options.mixtures) * sum(budgets) + 3 * budgets[-1] + langs * sum(sizes)
    pairs += num * options.seeds * int(options.budget)
    return (
        f"{runs} runs train {pairs:,} pairs, {epochs:g} times each. At 0.005 processor seconds a pair and epoch and 8 "
        f"a run (as measured on one core) that is {(pairs * epochs * 0.005 + 8 * runs) / 60:.0f} minutes."
    )


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


def sweep(options: argparse.Namespace, folder: str, *choice: str) -> None:
    """Train the runs of a sweep; those that are finished are not repeated."""
    settings = SETTINGS | {"num_train_epochs": options.epochs}
    changes = [text for key, value in settings.items() for text in ("--set", f"{key}={value}")]
    run("trainer", "sweep", f"{folder}.yaml", "--release", "circle", "--with", ".", "--runs", folder, *changes, *choice)


def evaluate(folder: str, options: argparse.Namespace) -> None:
    """Evaluate the runs of a folder from English into all languages."""
    runs = sorted(str(path.parent) for path in Path(folder).glob("*/run.json"))
    items = ("--benchmarks", "validation", "--release", "circle", "--directions", "en-xx", "--with", ".")
    langs = ("--langs", ",".join(langs_of(options)), "--limit", options.limit)
    run("trainer", "evaluate", *runs, *items, *langs, "--metrics", "token_accuracy", "--offline")


def outcome(objectives: dict[str, dict], options: argparse.Namespace) -> str:
    """Return for each objective the optimum beside the plain mixtures: predicted and measured advantage."""
    values = measured(langs_of(options))
    rows = []
    for name, table in objectives.items():
        predicted = {row["name"]: row for row in table["alternatives"]}
        weights = np.array(list(table["objective"]["weights"].values()) or [0.0])
        for other in ("unimax", "by-weight"):
            if other in predicted:
                rows.append([name, other, *_advantage(predicted, other, values, table["objective"]["kind"], weights)])
    heads = ["objective", "against", "predicted (90 %)", "measured (95 %)", "seeds"]
    mixtures = {name: [f"{row['num_pairs']:,}" for row in table["mixture"]] for name, table in objectives.items()}
    taken = [f"{name}: {table['recommended']['sentence']}" for name, table in objectives.items()]
    shown = tabulate([[name, *pairs] for name, pairs in mixtures.items()], ["", *langs_of(options)])
    return "\n".join([shown, "", *taken, "", tabulate(rows, heads), "", by_lang(values, objectives, options)])


def measured(langs: list[str]) -> dict[tuple[int, ...], dict[int, np.ndarray]]:
    """Return the values of the final runs by mixture and seed, in the order of the languages."""
    rows: dict[tuple[int, ...], dict[int, np.ndarray]] = {}
    for line in Path("results.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["seed"] < 100 or row["benchmark"] != "validation" or row["metric"] != "token_accuracy":
            continue
        counts = tuple(row["composition"]["translation"].get(lang, 0) for lang in langs)
        own = rows.setdefault(counts, {}).setdefault(row["seed"], np.full(len(langs), np.nan))
        own[langs.index(row["lang"])] = row["value"]
    return rows


def _of_mixture(values: dict, pairs: dict[str, int]) -> dict[int, np.ndarray]:
    """Return the values of a mixture by seed, none if it was not trained; rows that are too long do not count."""
    at = np.array(list(pairs.values()))
    nearest = min(values, key=lambda own: float(np.abs(np.array(own) - at).sum()))
    return values[nearest] if np.abs(np.array(nearest) - at).sum() < 0.01 * at.sum() else {}


def _advantage(predicted: dict, other: str, values: dict, kind: str, weights: np.ndarray) -> list[str | int]:
    row = predicted[other]
    low, high = row["advantage_interval"]
    a, b = _of_mixture(values, predicted["optimum"]["pairs"]), _of_mixture(values, row["pairs"])
    seeds = sorted(a.keys() & b.keys())
    if len(seeds) < 2:
        return [f"{row['advantage']:+.2f} ({low:+.2f} to {high:+.2f})", "not measured", len(seeds)]
    of = (lambda v: v.min()) if kind == "worst" else (lambda v: float(v @ weights))
    differences = np.array([of(a[seed]) - of(b[seed]) for seed in seeds])
    half = student.ppf(0.975, len(seeds) - 1) * differences.std(ddof=1) / np.sqrt(len(seeds))
    shown = f"{differences.mean():+.2f} ({differences.mean() - half:+.2f} to {differences.mean() + half:+.2f})"
    return [f"{row['advantage']:+.2f} ({low:+.2f} to {high:+.2f})", shown, len(seeds)]


def by_lang(values: dict, objectives: dict[str, dict], options: argparse.Namespace) -> str:
    """Return the predicted and the measured value of each language for the optimum of each objective."""
    rows = []
    for name, table in objectives.items():
        own = _of_mixture(values, {row["lang"]: row["num_pairs"] for row in table["mixture"]})
        if not own:
            continue
        mean = np.mean(list(own.values()), axis=0)
        pairs = zip(table["predicted"], mean, strict=True)
        rows.append([name, *(f"{p['value']:.2f} {m:.2f}" for p, m in pairs)])
    return tabulate(rows, ["predicted, measured", *langs_of(options)], disable_numparse=True)


def weights(langs: list[str]) -> str:
    """Return each donor's weight by the form that has one for each, and what models of one language show directly."""
    rows = [json.loads(line) for line in Path("results.jsonl").read_text("utf-8").splitlines()]
    results = [Result(**row) for row in rows if row["metric"] == "token_accuracy" and row["benchmark"] == "validation"]
    laws = fit_transfer(runs_from_results(results), "token_accuracy", form="donors")
    table = [[f"{lang} from", *_donor_weights(laws, lang, langs)] for lang in langs]
    single: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        counts = row["composition"]["translation"]
        if len([lang for lang, count in counts.items() if count]) == 1 and row["metric"] == "token_accuracy":
            donor = max(counts, key=lambda lang: counts[lang])
            single.setdefault((row["lang"], donor), {})[counts[donor]] = row["value"]
    largest = [[lang, *(f"{max(single[lang, d].items())[1]:.2f}" for d in langs)] for lang in langs]
    return "\n\n".join(
        [
            tabulate(table, ["weight u [90 %]", *langs], disable_numparse=True),
            tabulate(largest, ["models of one language", *langs], disable_numparse=True),
        ]
    )


def _donor_weights(laws: TransferLaws, lang: str, langs: list[str]) -> list[str]:
    """Return the weight of each donor for a language, with its interval."""
    law = laws.laws[lang]
    columns = {donor: 6 + number for number, donor in enumerate(laws.donors)}
    ends = np.quantile(law.samples, [0.05, 0.95], axis=0)
    return [
        "" if d == lang else f"{law.parameters[c]:.2f} [{ends[0, c]:.2f}, {ends[1, c]:.2f}]"
        for d, c in ((d, columns[d]) for d in langs)
    ]


def cost(began: float) -> str:
    """Return the tokens of all runs, and the time of this call."""
    paths = [*Path("design").glob("*/run.json"), *Path("final").glob("*/run.json")]
    runs = [json.loads(path.read_text("utf-8")) for path in sorted(paths)]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = [(time.monotonic() - began) / 60, (used.ru_utime + used.ru_stime) / 60]
    return (
        f"{len(runs)} runs trained {sum(metadata['num_tokens'] for metadata in runs):,} tokens. This call took "
        f"{minutes[0]:.1f} minutes of wall time and {minutes[1]:.1f} of processor time."
    )


def write_data(options: argparse.Namespace) -> None:
    """Write Tatoeba as Moses zips and FLORES-101 devtest as a tar, with their rows of corpora, prompts and recipes."""
    langs = langs_of(options)
    Path("corpora.toml").write_text(CATALOG.format(folder=Path.cwd()), encoding="utf-8")
    Path("prompts.toml").write_text(PROMPTS, encoding="utf-8")
    disabled = ["wrong_language_xx"] if options.twin else []  # the twin is in no language
    recipe = RECIPE.format(langs=json.dumps(langs), validation=options.validation, disabled=json.dumps(disabled))
    Path("circle.toml").write_text(recipe, encoding="utf-8")
    for name in ("design", "final"):  # a run's name begins with its recipe's
        Path(f"{name}.yaml").write_text("extends: tiny\n", encoding="utf-8")
    for lang in langs:
        write_bitext(lang, options.twin)
    if Path("devtest").exists():
        return
    Path("devtest").mkdir()
    with tarfile.open("flores101.tar.gz", "w:gz") as tar:
        for lang in ["en", *langs]:
            text = (
                DATA / "flores101_devtest" / f"{DEVTEST[lang if lang != TWIN else options.twin]}.devtest"
            ).read_bytes()
            name = f"{language(lang).flores101}.devtest"
            Path("devtest", name).write_bytes(text)
            entry = tarfile.TarInfo(f"flores101_dataset/devtest/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))


def write_bitext(lang: str, twin: str) -> None:
    """Write the pairs of Tatoeba in a language as a Moses zip; those of the twin are Greek ones in Latin letters."""
    source = twin if lang == TWIN else lang
    pair = "-".join(sorted(("eng", ISO3[source])))
    ours = "-".join(sorted(("en", lang)))
    if Path(f"{ours}.txt.zip").exists():  # other bytes would be another release
        return
    table = str.maketrans(LETTERS.get(twin, {}))
    half = slice(1, None, 2) if lang == TWIN else slice(0, None, 2) if lang == twin else slice(None)
    with zipfile.ZipFile(f"{ours}.txt.zip", "w") as archive:
        for theirs, code in (("eng", "en"), (ISO3[source], lang)):
            lines = (DATA / "tatoeba" / f"{pair}.tatoeba-v2021-08-07.{theirs}").read_text("utf-8").split("\n")[half]
            lines = [line.translate(table) for line in lines] if code == TWIN else lines
            archive.writestr(f"Tatoeba.{ours}.{code}", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
