"""The whole build against its floor: nothing but fastText's predict, in two processes, on the texts that need it.

    python tests/benchmarks/floor.py MIRROR [--langs ar,el,hi,tr,vi,zh] [--threads 2]

Builds `coit` from an empty work folder, then identifies the same distinct texts again with nothing around it, in one
run on the same input. Prints both times, their ratio, and pairs per second.
"""

import argparse
import multiprocessing
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import polars as pl

from builders.options import BuildOptions
from builders.pipeline import BuildResult
from builders.run import run_build
from corpora.language_id import identify_languages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--langs", default="ar,el,hi,tr,vi,zh")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("work-floor"))
    asked = parser.parse_args()
    shutil.rmtree(asked.work, ignore_errors=True)
    langs = tuple(asked.langs.split(","))
    request = BuildOptions(
        ("coit",), langs, mirror=str(asked.mirror), translator="none", work=asked.work, corpora_lock=asked.work / "lock"
    )

    begun = time.perf_counter()
    built = run_build(request)[0]
    whole = time.perf_counter() - begun

    texts = identified_texts(built)
    parts = [texts[number :: asked.threads] for number in range(asked.threads)]
    with ProcessPoolExecutor(asked.threads, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(identify_languages, [["warm"]] * asked.threads))  # the model is loaded before the clock starts
        begun = time.perf_counter()
        list(pool.map(only_predict, parts))
        floor = time.perf_counter() - begun

    given = built.ledger.filter(pl.col("stage") == "measured")["num_in"].sum()
    print(f"pairs {given:,}; distinct texts identified {len(texts):,}")
    print(f"floor {floor:.1f} s, {len(texts) / floor:,.0f} texts/s")
    print(f"build {whole:.1f} s, {given / whole:,.0f} pairs/s; {whole / floor:.2f} times the floor")


def identified_texts(built: BuildResult) -> list[str]:
    """Return the distinct texts whose language the build identified."""
    frames = [built.lines(lang).collect() for lang in built.parts]
    sides = [f.filter(pl.col(f"{s}_label").is_not_null()).select(text=s) for f in frames for s in ("en", "xx")]
    return pl.concat(sides).unique(maintain_order=True)["text"].to_list()


def only_predict(texts: list[str]) -> int:
    """Identify texts; their number."""
    return len(identify_languages(texts)[0])


if __name__ == "__main__":
    main()
