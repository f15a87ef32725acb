"""What the filters make of real lines that a person has labelled, and which mistakes they make.

    python tests/benchmarks/real_lines.py FOLDER [FOLDER ...] [--mistakes] [--among SENTENCES] [--set FILTER.NAME=VALUE]

Each FOLDER holds one TSV a language, en-LANG.tsv or en-LANG.VERSION.tsv, with the columns label (or note), en and xx;
the lines have no margin. Prints how many of each label are kept and which filters reject the others; `--mistakes` adds
the good lines that are rejected and the others that are kept. `--among` puts the lines of each language among others
of which 30 % are shuffled, as `misaligned.py` reads them: the lines of a small corpus alone are not judged.
"""

import argparse
import csv
import json
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
from tabulate import tabulate

from builders.options import BuildOptions
from builders.run import run_build

GOOD = ("good", "1-1", "entity")  # the labels of what a perfect cleaner keeps
CORPUS = 'title = "{0}"\nkind = "bitext"\nversion = "1"\nformat = "moses-zip"\n'
CORPUS += 'url = "{0}.{{pair}}.zip"\nlicence = "cc0-1.0"\n'
RECIPE = 'title = "Real"\nsummary = "Real lines."\nconfigs = "language"\ndirections = ["en-xx"]\n'
RECIPE += "decontaminate_against = []\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--mistakes", action="store_true")
    parser.add_argument("--among", type=Path)
    parser.add_argument("--set", dest="changes", action="append", default=[])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        changes = {key: float(value) for key, value in (pair.split("=") for pair in asked.changes)}
        judged = pl.concat(
            [judge(read(own), own.name.replace("_", "-"), Path(folder), asked.among, changes) for own in asked.folders]
        )
    for corpus in judged["corpus"].unique(maintain_order=True):
        print(f"\n{corpus}")
        print(tabulate(by_label(judged.filter(corpus=corpus)), ["label", "lines", "kept", "rejected by"]))
    if asked.mistakes:
        print(*mistakes(judged), sep="\n")


def read(folder: Path) -> dict[str, list[tuple[str, str, str]]]:
    """(label, en, xx) of every line, by language."""
    rows = defaultdict(list)
    for path in sorted(folder.glob("en-*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                label = row.get("label") or row.get("note") or "good"
                rows[path.name.split(".")[0].removeprefix("en-")].append((label, row["en"], row["xx"]))
    return rows


def judge(
    rows: dict[str, list[tuple[str, str, str]]],
    name: str,
    folder: Path,
    among: Path | None,
    changes: Mapping[str, float],
) -> pl.DataFrame:
    """Every line with its label and the filter that rejects it, built in `folder`."""
    lines = {lang: [(en, xx) for _, en, xx in own] for lang, own in rows.items()}
    if among:
        from misaligned import read_sentences, shuffle_share

        for lang, own in lines.items():
            others, is_wrong = shuffle_share(read_sentences(among, lang), 0.3)
            own += others
            rows[lang] += [
                ("shuffled" if wrong else "sentence", *pair) for pair, wrong in zip(others, is_wrong, strict=True)
            ]
    (built,) = run_build(
        replace(write_corpus(lines, name, folder), set={key: float(text) for key, text in changes.items()})
    )
    frames = []
    for lang, own in rows.items():
        frame = built.lines(lang).collect().sort("line_number")
        labels = pl.Series("label", [label for label, _, _ in own])
        frames.append(frame.select("corpus", "lang", "line_number", "en", "xx", "reject_reason").with_columns(labels))
    return pl.concat(frames)


def write_corpus(lines: Mapping[str, Sequence[tuple[str, str]]], name: str, folder: Path) -> BuildOptions:
    """Write the pairs of each language as a corpus, and return the options that build it in `folder`."""
    (folder / name).mkdir(exist_ok=True)
    for lang, own in lines.items():
        pair = "-".join(sorted(("en", lang)))
        with zipfile.ZipFile(folder / name / f"{name}.{pair}.zip", "w") as archive:
            for index, code in enumerate(("en", lang)):
                archive.writestr(f"{name}.{pair}.{code}", "".join(f"{line[index]}\n" for line in own))
    langs = f"langs = {json.dumps(list(lines))}\n"
    (folder / name / "corpora.toml").write_text(f"[{name}]\n{CORPUS.format(name)}{langs}", encoding="utf-8")
    (folder / f"{name}.toml").write_text(f"{RECIPE}{langs}bitext = {json.dumps([name])}\n", encoding="utf-8")
    request = BuildOptions((str(folder / f"{name}.toml"),), with_=(folder / name,), translator="none")
    return replace(request, work=folder / name, corpora_lock=folder / f"{name}.lock")


def by_label(judged: pl.DataFrame) -> list[tuple[str, int, int, str]]:
    """Lines, lines kept and the filters that rejected the others, a row a label."""
    rows = []
    for label in sorted(judged["label"].unique()):
        reasons = judged.filter(label=label)["reject_reason"]
        counts = Counter(reasons.drop_nulls()).most_common()
        rows.append((label, len(reasons), reasons.null_count(), ", ".join(f"{n} {c}" for n, c in counts)))
    return rows


def mistakes(judged: pl.DataFrame) -> list[str]:
    """The good lines that are rejected, and the others that are kept."""
    wrong = judged.filter(pl.col("label").is_in(GOOD) != pl.col("reject_reason").is_null())
    return [
        f"{row['lang']} {row['line_number']:3} {row['label']:8} {row['reject_reason'] or 'kept':20} "
        f"{row['en']} | {row['xx']}"
        for row in wrong.iter_rows(named=True)
    ]


if __name__ == "__main__":
    main()
