"""Corpora by name: those of OPUS and datasets of the Hub, which a recipe may name without a row in `corpora.toml`.

named_corpora(["opus:CCMatrix/v1"], {}, ["el"], access)   # {"opus-ccmatrix-v1": Corpus(...)}
corpus_id("hf:ORG/NAME@COMMIT/{pair}")                    # the id under which such a corpus is built and counted
list_opus("ccmatrix", access)                              # what OPUS has under a name, for `builders list --opus`
"""

from corpora.named.access import Access
from corpora.named.names import corpus_id, is_name, named_corpora
from corpora.named.opus import NOTE as OPUS_NOTE
from corpora.named.opus import OpusCorpus, list_opus

__all__ = ["OPUS_NOTE", "Access", "OpusCorpus", "corpus_id", "is_name", "list_opus", "named_corpora"]
