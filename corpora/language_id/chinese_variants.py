"""Simplified and traditional Chinese told apart by the characters that only one of them has."""

from functools import cache

from zhon import cedict

LANGS = ("zh",)  # the languages that are written in both


@cache
def characters() -> tuple[str, str]:
    """The characters that only simplified and that only traditional text has, by CC-CEDICT's entries.

    2,325 and 2,703 characters; one that is written in both (as 后 and 里 are), with whatever meaning, is in neither.
    """
    simplified, traditional = set(cedict.simp), set(cedict.trad)
    return "".join(sorted(simplified - traditional)), "".join(sorted(traditional - simplified))


def patterns(lang: str) -> dict[str, str | bool]:
    """Regular expressions (RE2) for those characters and for text without them, as `measured.sql` wants them."""
    simplified, traditional = characters() if lang in LANGS else ("x", "x")
    return {
        "has_variants": lang in LANGS,
        "simplified": f"[{simplified}]",
        "traditional": f"[{traditional}]",
        "not_simplified": f"[^{simplified}]+",
        "not_traditional": f"[^{traditional}]+",
    }
