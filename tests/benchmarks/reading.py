"""Measure how long it takes to read a corpus of sentence pairs in each format, and how much memory.

    python tests/benchmarks/reading.py [--pairs 1000000] [--formats arrow,text-pair,moses-zip]

Each format is read by a process of its own; CPU seconds and the peak of its resident memory are printed, imports
included. The pairs are random words; the files are written to a temporary folder first.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.reading import InputFile, read_pairs

FORMATS = ("laser-tsv", "text-pair", "moses-zip", "arrow", "parquet", "jsonl", "tsv", "csv", "tmx", "xliff")
WORDS = ["λόγος", "πόλη", "θάλασσα", "σπίτι", "δρόμος", "βιβλίο", "ημέρα", "νερό", "χώρα", "άνθρωπος"]


def sentences(number: int) -> Iterator[tuple[str, str]]:
    """Yield pairs of about twelve words, all different."""
    chance = random.Random(0)
    for n in range(number):
        words = chance.choices(WORDS, k=12)
        yield f"Sentence {n} has {' '.join(word.upper() for word in words[:3])} and ten more words.", " ".join(words)


def write(name: str, folder: Path, number: int) -> list[Path]:
    """Write a corpus in a format, and return its files."""
    path, pairs = folder / f"corpus.{name}", sentences(number)
    if name in ("arrow", "parquet"):
        table = pa.table(dict(zip(("en", "xx"), map(list, zip(*pairs, strict=True)), strict=True)))
        if name == "parquet":
            pq.write_table(table, path, compression="zstd")
        else:
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=10_000)
        return [path]
    if name in ("text-pair", "moses-zip"):
        sides = [folder / "corpus.en", folder / "corpus.el"]
        with sides[0].open("w") as en, sides[1].open("w") as xx:
            for pair in pairs:
                en.write(pair[0] + "\n")
                xx.write(pair[1] + "\n")
        if name == "text-pair":
            return sides
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for side in sides:
                archive.write(side, side.name)
        return [path]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines(name, pairs))
    return [path]


def lines(name: str, pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Yield the text of a file in a format of text."""
    heads = {"tsv": "en\txx\n", "csv": "en,xx\n", "tmx": '<tmx version="1.4"><body>'}
    ends = {"tmx": "</body></tmx>", "xliff": "</body></file></xliff>"}
    heads["xliff"] = '<xliff version="1.2"><file source-language="en" target-language="el"><body>'
    yield heads.get(name, "")
    for en, xx in pairs:
        if name == "laser-tsv":
            yield f"1.2\t{xx}\t{en}\n"
        elif name == "jsonl":
            yield json.dumps({"en": en, "xx": xx}, ensure_ascii=False) + "\n"
        elif name == "tmx":
            yield f'<tu><tuv xml:lang="en"><seg>{en}</seg></tuv><tuv xml:lang="el"><seg>{xx}</seg></tuv></tu>\n'
        elif name == "xliff":
            yield f"<trans-unit><source>{en}</source><target>{xx}</target></trans-unit>\n"
        else:
            yield f"{en}{',' if name == 'csv' else chr(9)}{xx}\n"
    yield ends.get(name, "")


def read(name: str, paths: Sequence[Path]) -> None:
    """Read a corpus, and print rows, CPU seconds and peak memory as JSON."""
    file = InputFile(paths[0], name, "el", xx_code="el", others=tuple(paths[1:]))
    rows = sum(batch.num_rows for batch in read_pairs(file))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    status = Path("/proc/self/status").read_text()  # ru_maxrss would include the process that started this one
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"rows": rows, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": peak}))


def main() -> None:
    """Write and read each format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--read", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read(options.read[0], [Path(path) for path in options.read[1:]])
        return
    for name in options.formats.split(","):
        with tempfile.TemporaryDirectory() as folder:
            paths = write(name, Path(folder), options.pairs)
            size = sum(path.stat().st_size for path in paths) / 1e6
            command = [sys.executable, __file__, "--read", name, *map(str, paths)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            assert found["rows"] == options.pairs
            print(f"{name:10} {size:7.1f} MB {found['cpu_s']:6.1f} CPU s {found['peak_mb']:7.0f} MB peak", flush=True)


if __name__ == "__main__":
    main()
