"""The rows of scorers.toml: the models that --score-with knows by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from builders.translation import MODEL_REPOSITORY, translator_rows
from corpora.errors import InputError
from corpora.extensions import read_extended_rows
from corpora.tables import STRICT

FILE = Path(__file__).with_name("scorers.toml")


@dataclass(frozen=True)
class ScorerRow:
    """A row of scorers.toml: a model that scores sentence pairs."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """What it is, and where it is described."""
    kind: Literal["translation", "encoder"]
    """Whether it translates, or makes vectors of sentences."""
    model: str
    """A row of translators.toml, a folder, or ORG/NAME@REVISION on the Hub."""
    licence: str = ""
    """The licence of the model, if its card does not state it."""
    langs: str = ""
    """Codes of the languages of an encoder; empty if they are not known."""
    prefix: str = ""
    """What an encoder reads before each text."""
    max_tokens: int = 510
    """The longest text of an encoder; a longer one is not scored."""


def scorer_rows() -> Mapping[str, ScorerRow]:
    """Return the rows of scorers.toml by name, the user's among them."""
    return read_extended_rows(FILE, ScorerRow)


def check_scorer(name: str) -> None:
    """Raise InputError if a row of scorers.toml is malformed, or if there is no model of this name."""
    own = [row for row in translator_rows().values() if row.kind == "ctranslate2" and "{code}" not in row.model]
    known = [*scorer_rows(), *(row.name for row in own)]
    if name in known or Path(name).expanduser().is_dir() or MODEL_REPOSITORY.fullmatch(name):
        return
    raise InputError(
        f"--score-with {name}: there is no such model. Name one of {', '.join(known)}, a folder with a model, or "
        "ORG/NAME on the Hub."
    )
