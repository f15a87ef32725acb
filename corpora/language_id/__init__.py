"""Identify the language of texts, and tell scripts and variants of a language apart.

    identify_languages(["Ένα κείμενο."])      # (["el"], [0.99]); for a few texts
    identify_column(column)                   # the same for an Arrow column, by compiled code
    language("el").labels                     # (corpora.catalog) the labels that count as Greek
    find_wrong_language(["Ein Text ..."], "el")   # [True]: identified with confidence as another language
    find_wrong_length(["Yes."], ["Ναι."], "el")   # [False]: as long as a translation

The model is fastText's lid.176.ftz; `MODEL_FINGERPRINT` names all that the labels depend on. fastText, Numba and the
dictionary of Chinese are imported by the first call that needs them.
"""

from corpora.language_id.accents import (
    ACCENTS_VERSION,
    DROPPED,
    plain_letter_table,
    plain_letters,
    without_accents,
    without_accents_macro,
)
from corpora.language_id.checks import (
    LanguageCheck,
    find_wrong_language,
    find_wrong_length,
    language_check_macros,
    language_checks,
    language_checks_key,
    length_ratios,
)
from corpora.language_id.conversion import conversion_key, in_other_scripts
from corpora.language_id.fasttext_model import (
    COMPILED_THRESHOLD,
    MODEL_FINGERPRINT,
    MODEL_LICENCE,
    MODEL_NAME,
    MODEL_SHA256,
    identify_column,
    identify_languages,
    make_word_cache,
    preload_model,
)
from corpora.language_id.language_models import (
    LanguageModel,
    identify_with,
    open_language_model,
    second_model,
    use_language_model,
)
from corpora.language_id.letter_case import CASE_VERSION, identify_column_plainly, set_plainly
from corpora.language_id.scripts import (
    Variant,
    find_variants,
    is_spaced,
    script_characters,
    script_patterns,
    variant_characters,
)

__all__ = [
    "ACCENTS_VERSION",
    "CASE_VERSION",
    "COMPILED_THRESHOLD",
    "DROPPED",
    "MODEL_FINGERPRINT",
    "MODEL_LICENCE",
    "MODEL_NAME",
    "MODEL_SHA256",
    "LanguageCheck",
    "LanguageModel",
    "Variant",
    "conversion_key",
    "find_variants",
    "find_wrong_language",
    "find_wrong_length",
    "identify_column",
    "identify_column_plainly",
    "identify_languages",
    "identify_with",
    "in_other_scripts",
    "is_spaced",
    "language_check_macros",
    "language_checks",
    "language_checks_key",
    "length_ratios",
    "make_word_cache",
    "open_language_model",
    "plain_letter_table",
    "plain_letters",
    "preload_model",
    "script_characters",
    "script_patterns",
    "second_model",
    "set_plainly",
    "use_language_model",
    "variant_characters",
    "without_accents",
    "without_accents_macro",
]
