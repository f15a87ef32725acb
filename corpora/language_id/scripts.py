"""What text of a language looks like: its scripts, the variants that tell by their characters, English words it has."""

from dataclasses import dataclass
from functools import cache

from corpora.catalog import language

ENGLISH_WORDS = (  # function words that few other languages have
    *("the", "of", "and", "which", "with", "from", "that", "this", "were", "have", "has", "been", "their"),
)


@dataclass(frozen=True)
class Variant:
    """One of two ways to write a language: its name, and the characters that only it has, as inside of `[]` (RE2)."""

    name: str
    characters: str


def script_characters(scripts: tuple[str, ...]) -> str:
    """Return the characters of scripts, and single ones, as inside of `[]` in a regular expression (RE2)."""
    return "".join(rf"\p{{{script}}}" if len(script) > 1 else script for script in scripts)


def find_variants(lang: str) -> tuple[Variant, Variant] | None:
    """Return the two variants of a language: simplified and traditional Chinese, or its two scripts; None without."""
    names = [script for script in language(lang).script if len(script) > 1]
    if names == ["Han"]:
        simplified, traditional = variant_characters()
        return Variant("simplified", simplified), Variant("traditional", traditional)
    if len(names) == 2:
        first, second = (Variant(name, script_characters((name,))) for name in names)
        return first, second
    return None


@cache
def variant_characters() -> tuple[str, str]:
    """Return the characters that only simplified and that only traditional text has, by CC-CEDICT's entries.

    They are 2,325 and 2,703 characters; one that both write (as 后 and 里), in whatever meaning, is in neither.
    """
    from zhon import cedict

    simplified, traditional = set(cedict.simp), set(cedict.trad)
    return "".join(sorted(simplified - traditional)), "".join(sorted(traditional - simplified))


def script_patterns(lang: str) -> dict[str, str | bool]:
    """Return regular expressions (RE2) for the scripts, variants and English words of a language, for measured.sql."""
    own = script_characters(language(lang).script)
    latin = "Latin" in language(lang).script
    first, second = (variant.characters for variant in find_variants(lang) or [Variant("", "x")] * 2)
    return {
        "script": f"[{own}]",
        "not_script": rf"(?:[^{own}]|\pM)+",
        "expected": rf"[{own}\pM\pN]*" if latin else rf"[{own}\p{{Latin}}\pM\pN]*",
        "not_letters": r"\PL+" if latin else r"(?:\PL|\p{Latin})+",
        "english_words": "|".join(word for word in ENGLISH_WORDS if word not in language(lang).english_words),
        "has_variants": find_variants(lang) is not None,
        "first_variant": f"[{first}]",
        "second_variant": f"[{second}]",
        "not_first_variant": f"[^{first}]+",
        "not_second_variant": f"[^{second}]+",
    }


def is_spaced(lang: str) -> bool:
    """Return whether a language puts a space between two sentences, as all do but those with Chinese characters."""
    return "Han" not in language(lang).script
