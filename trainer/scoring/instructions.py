"""Instructions that a release holds back whole, to be asked: MI-EVAL, as `builders publish mi-eval` makes it."""

from collections.abc import Iterator
from pathlib import Path

from corpora.errors import InputError
from trainer.release import choose_config, choose_langs, find_release, read_rows


def published_instructions(folder: Path, lang: str) -> Iterator[tuple[str, str, str]]:
    """Id, instruction and input of each record in a language; the ids are the same in every language.

    InputError if the release in the folder is there to learn from, lacks the language, or is damaged.
    """
    release = find_release(str(folder), folder.parent, folder / "datasets.lock")
    if release.manifest["recipe"]["validation"] != 1:
        raise InputError(f"{release.origin} is there to learn from. Name a release of the recipe mi-eval, or the like.")
    config = choose_config(release, None)
    choose_langs(release, config, () if lang == "en" else (lang,))
    rows = read_rows(release, config, "validation", [lang]).filter(lang=lang).sort("id")
    yield from rows.select("id", "instruction", "input").iter_rows()
