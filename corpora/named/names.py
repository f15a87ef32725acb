"""Names of corpora that are no rows of a catalogue, and the rows that they become."""

import re
from collections.abc import Iterable, Mapping, Sequence

from corpora.catalog import Corpus
from corpora.errors import InputError
from corpora.named.access import Access
from corpora.named.hub_datasets import hub_corpus, with_files
from corpora.named.opus import opus_corpus

KINDS = ("opus:", "hf:")


def is_name(text: str) -> bool:
    """Return whether a text names a corpus of OPUS or of the Hub."""
    return text.startswith(KINDS)


def corpus_id(text: str) -> str:
    """Return the id under which a corpus is built and counted: `opus-ccmatrix-v1` of `opus:CCMatrix/v1`."""
    if not is_name(text):
        return text
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def named_corpora(
    names: Iterable[str], catalog: Mapping[str, Corpus], langs: Sequence[str], access: Access
) -> dict[str, Corpus]:
    """Return rows for the names of corpora, by id; files of the Hub are looked up for some languages.

    Args:
        names: Names of recipes; those of the catalogue are looked up only if they are on the Hub.
        catalog: The rows that exist.
        langs: The languages beside English.
        access: How servers are reached, and where their answers are kept.

    Raises:
        InputError: A name is malformed, unknown, or cannot be looked up.
    """
    rows: dict[str, Corpus] = {}
    for name in dict.fromkeys(names):
        row = catalog.get(name)
        if name.startswith("opus:"):
            row = opus_corpus(name, corpus_id(name), access)
        elif name.startswith("hf:"):
            row = hub_corpus(name, corpus_id(name))
        elif ":" in name:
            raise InputError(f"Unknown kind of corpus '{name}'. Known: opus:NAME/VERSION, hf:ORG/NAME@REVISION/CONFIG.")
        if row and row.urls[0].startswith("hf:"):
            row = with_files(row, [lang for lang in langs if row.has(lang)], access)
        if row and row is not catalog.get(name):
            rows[row.id] = row
    return rows
