"""Token schemes: which token of a language a translation model reads or writes, and where, by family of models."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Formatter
from typing import Literal

from corpora.catalog import language
from corpora.tables import STRICT, read_toml_rows

FILE = Path(__file__).with_name("token_schemes.toml")
PROBES = ("en", "el", "de", "fr", "es", "ar", "zh", "hi", "tr")  # languages by whose tokens a scheme is recognised


@dataclass(frozen=True)
class TokenScheme:
    """A row of token_schemes.toml: how a family of translation models reads which languages it translates."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """The models, and where they are described."""
    token: str
    """The token of a language, with columns of languages.csv in braces."""
    before_source: Literal["en", "xx"]
    """Whose token stands before the source: that of English or of the other language."""
    begins_target: bool
    """Whether the translation begins with the token of its language."""
    max_tokens: int
    """The longest source that the models were trained on, without the special tokens."""
    is_optional: bool = False
    """Whether a model for one language has no token of it."""

    def token_of(self, lang: str) -> str:
        """Return the token of a language; empty if the table of languages lacks its code."""
        columns = asdict(language(lang))
        columns["nllb"] = columns.get("nllb") or columns["flores"]  # NLLB spells few of them in another way
        names = [name for _, name, _, _ in Formatter().parse(self.token) if name]
        return self.token.format(**columns) if all(columns.get(name) for name in names) else ""


def token_schemes() -> Mapping[str, TokenScheme]:
    """Return the token schemes by name."""
    return read_toml_rows(FILE, TokenScheme)


def recognise_scheme(vocabulary: Collection[str]) -> TokenScheme | None:
    """Return the first scheme of which a model has the token of any of a few languages, or else has none at all."""
    for scheme in token_schemes().values():
        if any(scheme.token_of(lang) in vocabulary for lang in PROBES):
            return scheme
    return None
