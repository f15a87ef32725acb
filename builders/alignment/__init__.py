"""Judge whether the sides of a sentence pair say the same, by word alignment that the corpus itself has taught.

The pairs of a language are divided into two halves, and each is judged by what the other teaches: pairs that were
learned from explain their own rare words, right or wrong.

    tokenize(texts, "el")              # lists of tokens: the first letters of words
    learn_links(en, xx)                # which tokens translate each other
    judge = make_judge(links, ...)     # what a half gets by the links of the other
    judge.align(en, xx, is_counted)    # how far each pair falls short of what its words usually get
    random = random_pairs(*judge.align_random(en, xx, digests))
    random.chances(alignment, length)  # the share of random pairs, not least of like length, that are aligned as well
    learn_domains(en)                  # parts of a corpus by vocabulary: a rare one is judged by its own random pairs
    judge_texts(en, xx, "el")          # alignment and chance of the pairs of a bitext in memory
    unexplained_words(en, xx, ...)     # the words without a link, to be read
    wrong_share(num_judged, num)       # the estimated share of wrong pairs, with its interval
    make_translation_judge(words, ...) # judges translations by what a bitext has taught
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.alignment.bands import RandomPairs, random_pairs
    from builders.alignment.chance import WRONG_CHANCE, chances, random_partners, wrong_share
    from builders.alignment.domains import (
        MAX_TEXTS,
        MIN_NAMED,
        NUM_DOMAINS,
        REJECTED_CHANCE,
        DomainCounts,
        Domains,
        RandomDomain,
        align_domain,
        learn_domains,
        typical_words,
    )
    from builders.alignment.explain import unexplained_words
    from builders.alignment.judge import Judge, make_judge, side_of
    from builders.alignment.lengths import UsualByLength
    from builders.alignment.limits import MIN_HALF_PAIRS, MODEL_VERSION, SAMPLE_PAIRS, TOKENIZER_VERSION
    from builders.alignment.linking import LinkTable, link_table, link_tokens
    from builders.alignment.shortfall import UsualEvidence
    from builders.alignment.texts import JudgedTexts, judge_texts
    from builders.alignment.tokens import tokenize, words_of
    from builders.alignment.training import Links, Side, learn_links, make_side
    from builders.alignment.translations import TaughtWords, TranslationJudge, make_translation_judge

__all__ = [
    "MAX_TEXTS",
    "MIN_HALF_PAIRS",
    "MIN_NAMED",
    "MODEL_VERSION",
    "NUM_DOMAINS",
    "REJECTED_CHANCE",
    "SAMPLE_PAIRS",
    "TOKENIZER_VERSION",
    "WRONG_CHANCE",
    "DomainCounts",
    "Domains",
    "Judge",
    "JudgedTexts",
    "LinkTable",
    "Links",
    "RandomDomain",
    "RandomPairs",
    "Side",
    "TaughtWords",
    "TranslationJudge",
    "UsualByLength",
    "UsualEvidence",
    "align_domain",
    "chances",
    "judge_texts",
    "learn_domains",
    "learn_links",
    "link_table",
    "link_tokens",
    "make_judge",
    "make_side",
    "make_translation_judge",
    "random_pairs",
    "random_partners",
    "side_of",
    "tokenize",
    "typical_words",
    "unexplained_words",
    "words_of",
    "wrong_share",
]
_MODULES = {
    "builders.alignment.bands": ("RandomPairs", "random_pairs"),
    "builders.alignment.chance": ("WRONG_CHANCE", "chances", "random_partners", "wrong_share"),
    "builders.alignment.domains": (
        "MAX_TEXTS",
        "MIN_NAMED",
        "NUM_DOMAINS",
        "REJECTED_CHANCE",
        "DomainCounts",
        "Domains",
        "RandomDomain",
        "align_domain",
        "learn_domains",
        "typical_words",
    ),
    "builders.alignment.explain": ("unexplained_words",),
    "builders.alignment.judge": ("Judge", "make_judge", "side_of"),
    "builders.alignment.lengths": ("UsualByLength",),
    "builders.alignment.limits": ("MIN_HALF_PAIRS", "MODEL_VERSION", "SAMPLE_PAIRS", "TOKENIZER_VERSION"),
    "builders.alignment.linking": ("LinkTable", "link_table", "link_tokens"),
    "builders.alignment.shortfall": ("UsualEvidence",),
    "builders.alignment.texts": ("JudgedTexts", "judge_texts"),
    "builders.alignment.tokens": ("tokenize", "words_of"),
    "builders.alignment.training": ("Links", "Side", "learn_links", "make_side"),
    "builders.alignment.translations": ("TaughtWords", "TranslationJudge", "make_translation_judge"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
