"""Options that several verbs share, and what they mean."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trainer.evaluation.comet import Comet
    from trainer.evaluation.items import Place

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
OUT = click.option("--out", type=FOLDER, default="evaluations", show_default=True, help="Where outputs are kept.")
RESULTS = click.option("--results", type=FILE, default="results.jsonl", show_default=True, help="The file of results.")
PLACE_NAMES = ("data", "mirror", "offline", "work", "lock", "any_rows", "release", "registry")
PLACE_OPTIONS = [
    click.option("--data", type=FOLDER, help="A folder with benchmark files, asked before upstream."),
    click.option("--mirror", help="URL or folder that stands for the public servers: scheme and host are replaced."),
    click.option("--offline", is_flag=True, help="Use what is downloaded already; never touch the network."),
    click.option("--work", type=FOLDER, default="work", show_default=True, help="Where downloads are kept."),
    click.option("--lock", type=FILE, default="corpora.lock", show_default=True, help="Digests of downloads."),
    click.option("--any-rows", is_flag=True, help="Take a benchmark with another number of items than upstream's."),
    click.option("--release", help="The release whose validation rows are asked (benchmark validation)."),
    click.option("--registry", type=FOLDER, default="registry", show_default=True, help="The registry folder."),
]


def place_options(verb: Any) -> Any:
    """The options of every verb that reads benchmarks."""
    for option in reversed(PLACE_OPTIONS):
        verb = option(verb)
    return verb


def place_of(
    data: Path | None, mirror: str | None, offline: bool, work: Path, lock: Path, any_rows: bool, release: str | None,
    registry: Path,
) -> "Place":  # fmt: skip
    """Where benchmarks are looked for, as the options say."""
    from cards.releases import open_release
    from trainer.evaluation.items import Place

    found = open_release(release, registry, Path("datasets.lock"), offline) if release else None
    return Place(data, mirror, offline, work / "downloads", lock, any_rows=any_rows, release=found)


def listed(text: str | None) -> Sequence[str]:
    """The names of a list such as el,hi; InputError for an empty one."""
    from corpora.errors import InputError

    parts = () if text is None else tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise InputError(f"'{text}' holds an empty name; names are joined by commas, such as el,hi.")
    return parts


def codes(langs: str | None) -> Sequence[str]:
    """The codes of a list of languages; InputError for one that is not known."""
    from corpora.catalog import language

    return [language(lang).code for lang in listed(langs)]


def comet_of(asked: str | None, offline: bool) -> "Comet | None":
    """The COMET that --comet names."""
    if asked is None:
        return None
    from trainer.evaluation.comet import load_comet

    return load_comet(asked, offline)


def told_once() -> Callable[[str], None]:
    """Says a sentence to the user, but no sentence twice."""
    said: set[str] = set()

    def tell(sentence: str) -> None:
        if sentence not in said:
            click.echo(sentence, err=True)
        said.add(sentence)

    return tell
