"""How much good text the filters lose and how much bad text they leave, against the label of every line.

    python tests/benchmarks/quality.py MIRROR [--langs ar,el,hi,tr,vi,zh] [--work FOLDER]

MIRROR is a folder in the form of the public servers with `labels/` beside it: a label a line, `clean` for what a
perfect cleaner keeps. Prints, for each language and corpus, the share of clean lines kept, the share of kept lines
that are not clean, and where the lost and the left ones went.
"""

import argparse
import gzip
import json
from collections import Counter
from pathlib import Path

import polars as pl
from tabulate import tabulate

from builders.options import BuildOptions
from builders.run import run_build

FILES = {"wikimatrix": "WikiMatrix.{pair}.tsv.gz.labels.gz", "news-commentary": "News-Commentary.{pair}.labels.gz"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--langs", default="ar,el,hi,tr,vi,zh")
    parser.add_argument("--work", type=Path, default=Path("work-quality"))
    asked = parser.parse_args()
    langs = tuple(asked.langs.split(","))
    request = BuildOptions(
        ("coit",),
        langs,
        mirror=str(asked.mirror),
        translator="none",
        work=asked.work,
        corpora_lock=asked.work / "lock.json",
    )
    built = run_build(request)[0]
    rows = []
    for lang in langs:
        judged = built.lines(lang).collect()
        for corpus, name in FILES.items():
            labels = asked.mirror / "labels" / name.format(pair="-".join(sorted(("en", lang))))
            if labels.exists():
                rows.append((lang, corpus, *measure(judged.filter(pl.col("corpus") == corpus), labels)))
    heads = ["lang", "corpus", "lines", "clean kept", "kept not clean", "lost to", "left"]
    print(tabulate(rows, heads, disable_numparse=True))


def measure(judged: pl.DataFrame, labels: Path) -> tuple[str, ...]:
    """Lines, recall of clean lines, impurity of kept lines, and the reasons for both losses."""
    with gzip.open(labels, "rt", encoding="utf-8") as file:
        judged = judged.sort("line_number").with_columns(label=pl.Series(file.read().split("\n")[:-1]))
    clean = judged.filter(pl.col("label") == "clean")["reject_reason"]
    kept = judged.filter(pl.col("reject_reason").is_null())["label"]
    lost, left = Counter(clean.drop_nulls()), Counter(kept.filter(kept != "clean"))
    shares = f"{clean.is_null().mean():.3%}", f"{(kept != 'clean').mean():.3%}"
    return f"{judged.height:,}", *shares, _told(lost), _told(left)


def _told(counts: Counter[str]) -> str:
    return json.dumps(dict(counts.most_common())).strip("{}").replace('"', "") or "-"


if __name__ == "__main__":
    main()
