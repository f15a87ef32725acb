"""Our rule for wrongly decoded text against ftfy on real lines: what each finds, and which right lines each breaks.

    pip install ftfy
    python tests/benchmarks/mojibake.py DATA [--lines 2000]

DATA holds FLORES-101's *.devtest files (a sentence a line) below any folder. Each sentence is decoded by each code page
of the table below, as files are by mistake. Prints for each language the share of right lines that `has_mojibake`
rejects and ftfy changes, and, for each code page, the share of wrong lines that each finds and that ftfy restores.
"""

import argparse
from pathlib import Path

import duckdb
import ftfy
from tabulate import tabulate

from builders.workspace import macros

PAGES = ("latin-1", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1256", "gbk")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--lines", type=int, default=2000)
    arguments = parser.parse_args()
    database = duckdb.connect()
    database.execute(macros())
    right, wrong = [], []
    for path in sorted(arguments.data.rglob("*.devtest")):
        lines = path.read_text(encoding="utf-8").split("\n")[: arguments.lines]
        lines = [line for line in lines if line]
        changed = [ftfy.fix_text(line) != line for line in lines]
        encoding = [ftfy.fix_encoding(line) != line for line in lines]
        right.append((path.stem, len(lines), *map(share, (find(database, lines), encoding, changed))))
        for page in PAGES:
            pairs = [(line, spoil(line, page)) for line in lines]
            pairs = [pair for pair in pairs if pair[0] != pair[1]]
            if pairs:
                spoilt = [own for _, own in pairs]
                fixed = [ftfy.fix_encoding(own) for own in spoilt]
                changes = [new != own for new, own in zip(fixed, spoilt, strict=True)]
                restored = [new == line for new, (line, _) in zip(fixed, pairs, strict=True)]
                rows = (find(database, spoilt), changes, restored)
                wrong.append((path.stem, page, len(pairs), *map(share, rows)))
    heads = ["right lines", "lines", "rejected", "ftfy.fix_encoding changes", "ftfy.fix_text changes"]
    print(tabulate(right, heads, disable_numparse=True))
    print(
        tabulate(wrong, ["wrong lines", "as", "lines", "found", "ftfy finds", "ftfy restores"], disable_numparse=True)
    )


def spoil(line: str, page: str) -> str:
    """Return a line in UTF-8 as it is read by a code page."""
    return line.encode().decode(page, "replace")


def find(database: duckdb.DuckDBPyConnection, lines: list[str]) -> list[bool]:
    """Return what our rule says of each line."""
    rows = database.execute("select has_mojibake(unnest($lines))", {"lines": lines}).fetchall()
    return [found for (found,) in rows]


def share(found: list[bool]) -> str:
    return f"{sum(found) / len(found):.2%}"


if __name__ == "__main__":
    main()
