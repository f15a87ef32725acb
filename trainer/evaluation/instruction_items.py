"""Instruction benchmarks: open instructions of a benchmark release (`builders publish mi-eval`) or a user's own."""

from collections.abc import Iterator
from pathlib import Path

from cards.manifest import FILE as MANIFEST
from cards.releases import open_folder
from corpora.errors import InputError
from corpora.reading import decode_text, read_whole_file
from corpora.strict_json import load_json
from trainer.evaluation.benchmark_files import find_file
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item, Items
from trainer.rows import read_rows

Row = tuple[str, str, str]  # id, instruction, input


def load_instructions(benchmark: Benchmark, lang: str, direction: str, source: BenchmarkSource) -> Items:
    """Return the instructions of the release or folder of --data; they have no references."""
    if source.data and (source.data / MANIFEST).is_file():
        return _items(_published_instructions(source.data, lang))
    path = find_file(source, [f"{lang}.jsonl"])
    if path is None:
        raise InputError(
            f"{benchmark.name} cannot be downloaded: build it with `builders publish mi-eval` and name its folder with "
            f"--data, or put {lang}.jsonl (in each line an object with instruction and input) into your own folder."
        )
    return _items(_own_instructions(path))


def _items(rows: Iterator[Row]) -> Items:
    return Items(tuple(Item(*row, ()) for row in rows))


def _published_instructions(folder: Path, lang: str) -> Iterator[Row]:
    """Yield the rows of a release in a language; ids are the same in every language.

    Raises:
        InputError: The release is one to train on, lacks the language, or is damaged.
    """
    release = open_folder(folder)
    if release.manifest["recipe"]["kind"] != "benchmark":
        raise InputError(
            f"{release.origin} is a release to train on. Name a benchmark release, such as one of the recipe mi-eval."
        )
    config = release.resolve_config(None)
    release.resolve_langs(config, () if lang == "en" else (lang,))
    rows = read_rows(release, config, "validation", [lang]).filter(lang=lang).sort("id")
    yield from rows.select("id", "instruction", "input").iter_rows()


def _own_instructions(path: Path) -> Iterator[Row]:
    """Yield the rows of a JSON Lines file; an id that is missing is the line's number."""
    for number, line in enumerate(decode_text(read_whole_file(path), path).split("\n"), 1):
        if line.strip():
            yield _parse_line(line, f"{path}, line {number}", str(number))


def _parse_line(line: str, where: str, number: str) -> Row:
    try:
        row = load_json(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a JSON object: {error}.") from None
    instruction, text = (row.get("instruction"), row.get("input", "")) if isinstance(row, dict) else (None, "")
    if not isinstance(instruction, str) or not instruction or not isinstance(text, str):
        raise InputError(f"{where}: an object with the texts 'instruction' and 'input' was expected.")
    return str(row.get("id", number)), instruction, text
