"""Tell simplified from traditional Chinese by the characters that only one of them has."""

from functools import cache

VARIANT_LANGS = ("zh",)  # the languages that are written in both


@cache
def variant_characters() -> tuple[str, str]:
    """Return the characters that only simplified and that only traditional text has, by CC-CEDICT's entries.

    They are 2,325 and 2,703 characters; one that both write (as 后 and 里), in whatever meaning, is in neither.
    """
    from zhon import cedict

    simplified, traditional = set(cedict.simp), set(cedict.trad)
    return "".join(sorted(simplified - traditional)), "".join(sorted(traditional - simplified))


def variant_patterns(lang: str) -> dict[str, str | bool]:
    """Return regular expressions (RE2) for those characters and for text without them, as `measured.sql` takes them."""
    simplified, traditional = variant_characters() if lang in VARIANT_LANGS else ("x", "x")
    return {
        "has_variants": lang in VARIANT_LANGS,
        "simplified": f"[{simplified}]",
        "traditional": f"[{traditional}]",
        "not_simplified": f"[^{simplified}]+",
        "not_traditional": f"[^{traditional}]+",
    }
