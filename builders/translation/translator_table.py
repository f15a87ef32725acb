"""The rows of translators.toml: the translators that --translator knows by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corpora.extensions import read_extended_rows
from corpora.tables import STRICT

FILE = Path(__file__).with_name("translators.toml")


@dataclass(frozen=True)
class TranslatorRow:
    """A row of translators.toml: a translator that --translator knows by name."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """What it is, and where it is described."""
    kind: str
    """`ctranslate2`, `openai`, `memory`, `none`, or `module:Class` of a --with folder."""
    model: str = ""
    """What the back end opens: a folder, ORG/REPO@REVISION on the Hub, or a file. `{code}` is replaced by the code of a
    language, for which there is a model of its own."""
    licence: str = ""
    """The licence of its translations, if the model itself does not state it."""
    tokens: str = ""
    """The token scheme of a `ctranslate2` model, a row of `token_schemes.toml`; by default as its vocabulary shows."""
    url: str = ""
    """The address of the server of an `openai` model, up to and with `/v1`; its key is in `OPENAI_API_KEY`."""
    prompt: str = ""
    """The prompt for an `openai` model, a row of `server_prompts.toml`; by default `plain`."""
    concurrency: int = 16
    """The requests to a server at a time."""
    price_input: float = 0.0
    """The price of a million tokens to the server, for the estimate before a translation starts."""
    price_output: float = 0.0
    """The price of a million tokens from the server."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """The digests of the model's files, by name; a file with another digest is refused."""


def translator_rows() -> Mapping[str, TranslatorRow]:
    """Return the rows of translators.toml by name, the user's among them."""
    return read_extended_rows(FILE, TranslatorRow)
