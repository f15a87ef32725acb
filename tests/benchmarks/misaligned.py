"""How many misaligned pairs the filter `misaligned` finds, and how many good ones it loses, in corpora of known noise.

    python tests/benchmarks/misaligned.py SENTENCES [--langs ar,el,hi,tr,vi,zh] [--shares 0,0.3] [--lines 20000]

SENTENCES is a folder with tatoeba/ and, for some languages, tico19/: sentence pairs, a file a side. Lines are joined
from them at random, as a mirror has them; the sentences are divided, so that none stands in both halves of a corpus,
and a share of the lines gets the other side of another line. Prints for each language and share: the estimated share,
wrong pairs that `misaligned` or another filter rejects, good ones that `misaligned` rejects, and the CPU
seconds of the build with the filter and without it.
"""

import argparse
import hashlib
import random
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
from real_lines import write_corpus
from tabulate import tabulate

from builders.options import BuildOptions
from builders.pipeline import BuildResult
from builders.run import run_build

CODES = {"ar": "ara", "el": "ell", "hi": "hin", "tr": "tur", "vi": "vie", "zh": "zho"}
HEADS = ["lang", "wrong", "estimated", "wrong rejected", "by others", "good lost", "not judged", "CPU s", "without"]

Pairs = list[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--langs", default=",".join(CODES))
    parser.add_argument("--shares", default="0,0.3")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--as-they-are", action="store_true", help="Use the sentences themselves, not joined lines.")
    parser.add_argument("--time", action="store_true", help="Build without the filter too.")
    asked = parser.parse_args()
    rows = []
    for lang in asked.langs.split(","):
        sentences = read_sentences(asked.sentences, lang)
        lines = sentences if asked.as_they_are else join_sentences(sentences, asked.lines)
        for share in map(float, asked.shares.split(",")):
            rows.append((lang, f"{share:.0%}", *measure(*shuffle_share(lines, share), lang, asked.time)))
            print(tabulate(rows[-1:], HEADS, tablefmt="plain", disable_numparse=True), flush=True)
    print(tabulate(rows, HEADS, disable_numparse=True))


def read_sentences(folder: Path, lang: str) -> Pairs:
    """Return the pairs of a language, each English sentence once."""
    code = CODES[lang]
    stem = f"tatoeba/{'-'.join(sorted(('eng', code)))}.tatoeba-v2021-08-07"
    files = [(f"{stem}.eng", f"{stem}.{code}"), ("tico19/tico19-test.eng", f"tico19/eng-{code}.tico19-test.{code}")]
    pairs = {}
    for names in files:
        if all((folder / name).exists() for name in names):
            sides = [(folder / name).read_text(encoding="utf-8").split("\n") for name in names]
            pairs |= {en.casefold(): (en, xx) for en, xx in zip(*sides, strict=True) if en and xx}
    return list(pairs.values())


def half_of(en: str) -> int:
    """Return the half of a corpus that an English side is in, as the pipeline divides it."""
    norm = re.sub(r"[\W_]+", "", en.lower().replace("ς", "σ"))
    return int(hashlib.sha256(norm.encode()).hexdigest()[:15], 16) % 2


def join_sentences(sentences: Pairs, count: int) -> Pairs:
    """Return different lines of one to three sentences, from one half of the sentences in each half of the lines."""
    source = random.Random(3)
    halves = [sentences[0::2], sentences[1::2]]
    lines: dict[str, str] = {}
    while len(lines) < count:
        half = len(lines) % 2
        chosen = source.sample(halves[half], source.randint(1, 3))
        en, xx = (" ".join(pair[side] for pair in chosen) for side in (0, 1))
        if half_of(en) == half:
            lines[en] = xx
    return list(lines.items())


def shuffle_share(lines: Pairs, share: float) -> tuple[Pairs, list[bool]]:
    """Return lines of which a share has the other side of another line, and whether each has."""
    wrong = random.Random(4).sample(range(len(lines)), int(len(lines) * share))
    wrong.sort(key=lambda row: len(lines[row][0]))  # of about the same length, or length_ratio finds them
    moved = dict(zip(wrong, [lines[row][1] for row in wrong[7:] + wrong[:7]], strict=True))
    return [(en, moved.get(row, xx)) for row, (en, xx) in enumerate(lines)], [row in moved for row in range(len(lines))]


def measure(lines: Pairs, is_wrong: Sequence[bool], lang: str, is_timed: bool) -> Iterator[str]:
    """Yield what a build makes of the lines, as text."""
    with tempfile.TemporaryDirectory() as folder:
        request = write_corpus({lang: lines}, "noisy", Path(folder))
        built, seconds = build(request)
        judged = built.lines(lang).collect().sort("line_number").with_columns(is_wrong=pl.Series(is_wrong))
        shares = pl.read_parquet(built.parts[lang][0].misaligned_shares[0])
        row = shares.row(0, named=True)
        yield f"{row['share']:.3f} [{row['share_low']:.3f}, {row['share_high']:.3f}]"
        reason, wrong = pl.col("reject_reason").fill_null(""), judged.filter("is_wrong")
        yield f"{wrong.select((reason == 'misaligned').mean()).item() or 0:.2%}"
        yield f"{wrong.select((~reason.is_in(['', 'misaligned'])).mean()).item() or 0:.2%}"
        yield f"{judged.filter(~pl.col('is_wrong')).select((reason == 'misaligned').mean()).item():.2%}"
        yield f"{1 - row['num_judged'] / row['num_pairs']:.2%}"
        yield f"{seconds:.1f}"
        others = replace(request, work=Path(folder) / "others", disable_filters=("misaligned",))
        yield f"{build(others)[1]:.1f}" if is_timed else ""


def build(request: BuildOptions) -> tuple[BuildResult, float]:
    """Return what is built, and the CPU seconds of it."""
    start = time.process_time()
    (built,) = run_build(request)
    return built, time.process_time() - start


if __name__ == "__main__":
    main()
