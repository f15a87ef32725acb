"""Corpora of OPUS by name, as `builders list --opus` shows them before anything is downloaded."""

from dataclasses import asdict, dataclass
from typing import Any

from corpora.catalog import language
from corpora.errors import InputError
from corpora.named import OPUS_NOTE, OpusCorpus
from corpora.progress import format_bytes
from corpora.terminal_tables import format_table, wrap_after

MAX_MISSING = 20  # languages that a sentence names


@dataclass(frozen=True, repr=False)
class OpusList:
    """Versions of corpora of OPUS, and the languages in which a user looks at them; none means all."""

    corpora: tuple[OpusCorpus, ...]
    langs: tuple[str, ...]

    def __repr__(self) -> str:
        heads = [
            "name for recipes",
            "languages",
            *(["language", "pairs", "bytes"] if self.langs else ["pairs", "bytes"]),
        ]
        table = format_table(heads, [row for corpus in self.corpora for row in self._rows(corpus)])
        missing = [text for corpus in self.corpora if (text := self._missing(corpus))]
        return "\n".join([table, "", *missing, *wrap_after("", f"Licence: other. {OPUS_NOTE}")])

    def to_json(self) -> list[dict[str, Any]]:
        """Return the versions as JSON values."""
        return [{**asdict(corpus), "licence": "other", "licence_note": OPUS_NOTE} for corpus in self.corpora]

    def _rows(self, corpus: OpusCorpus) -> list[list[str]]:
        name, count = f"opus:{corpus.name}/{corpus.version}", f"{len(corpus.num_pairs)}"
        if not self.langs:
            return [[name, count, f"{sum(corpus.num_pairs.values()):,}", format_bytes(sum(corpus.num_bytes.values()))]]
        codes = [(lang, language(lang).opus) for lang in self.langs]
        return [
            [name, count, lang, f"{corpus.num_pairs[code]:,}", format_bytes(corpus.num_bytes[code])]
            for lang, code in codes
            if code in corpus.num_pairs
        ]

    def _missing(self, corpus: OpusCorpus) -> str:
        gone = [lang for lang in self.langs if language(lang).opus not in corpus.num_pairs and lang != "en"]
        named = ", ".join(gone[:MAX_MISSING])
        return f"opus:{corpus.name}/{corpus.version} does not exist in {named}." if gone else ""


def check_text(text: str) -> str:
    """Return the text that is looked for; InputError if it is empty."""
    if not text.strip():
        raise InputError("--opus needs a part of a name, such as ccmatrix.")
    return text.strip()
