"""Instructions to be asked: those that a release holds back whole (`builders publish mi-eval`), or a user's own."""

import json
from collections.abc import Iterator
from pathlib import Path

from cards.releases import open_folder
from corpora.errors import InputError
from corpora.reading.questions import whole_file
from corpora.reading.strict_json import decode
from trainer.rows import read_rows


def published_instructions(folder: Path, lang: str) -> Iterator[tuple[str, str, str]]:
    """Id, instruction and input of each record in a language; the ids are the same in every language.

    InputError if the release in the folder is there to learn from, lacks the language, or is damaged.
    """
    release = open_folder(folder)
    if release.manifest["recipe"]["kind"] != "benchmark":
        raise InputError(f"{release.origin} is there to learn from. Name a release of the recipe mi-eval, or the like.")
    config = release.resolve_config(None)
    release.resolve_langs(config, () if lang == "en" else (lang,))
    rows = read_rows(release, config, "validation", [lang]).filter(lang=lang).sort("id")
    yield from rows.select("id", "instruction", "input").iter_rows()


def own_instructions(path: Path) -> Iterator[tuple[str, str, str]]:
    """Id, instruction and input of each line of JSON; the id is the line's number where it has none."""
    for number, line in enumerate(decode(whole_file(path), path).split("\n"), 1):
        if line.strip():
            yield _instruction(line, f"{path}, line {number}", str(number))


def _instruction(line: str, where: str, number: str) -> tuple[str, str, str]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a JSON object: {error}.") from None
    instruction, more = (row.get("instruction"), row.get("input", "")) if isinstance(row, dict) else (None, "")
    if not isinstance(instruction, str) or not instruction or not isinstance(more, str):
        raise InputError(f"{where}: an object with the texts 'instruction' and 'input' was expected.")
    return str(row.get("id", number)), instruction, more
