"""Guards: what is wrong with a translation, by the first guard of guards.toml that says so."""

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from builders.translation.placeholders import mask, rows
from corpora.catalog import languages
from corpora.language_id import MODEL_FINGERPRINT, identify_languages

VERSION = 1  # raise it when these functions judge otherwise
DENSE = {"Han"}  # scripts that say in a letter what others say in three


@cache
def guards() -> dict[str, dict[str, Any]]:
    """The rows of guards.toml by name, in file order."""
    return rows("quality_checks")


@cache
def identity() -> str:
    """A digest of all that a verdict depends on beside the texts."""
    text = json.dumps([VERSION, guards(), rows("placeholders"), MODEL_FINGERPRINT], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def judge(sources: Sequence[str], outputs: Sequence[str], facts: Sequence[Sequence[str]], lang: str) -> list[str]:
    """For each source and translation the name of the first guard that stops it, or nothing.

    `facts` are names of guards that the engine itself has asked.
    """
    verdicts = [
        _verdict(source, output, known, lang) for source, output, known in zip(sources, outputs, facts, strict=True)
    ]
    rest = [number for number, verdict in enumerate(verdicts) if not verdict]
    foreign = _in_another_language([sources[n] for n in rest], [outputs[n] for n in rest], lang)
    for number, is_foreign in zip(rest, foreign, strict=True):
        verdicts[number] = "wrong_language" if is_foreign else ""
    return verdicts


def _verdict(source: str, output: str, facts: Sequence[str], lang: str) -> str:
    """The first guard that stops a translation, but for its language."""
    for guard in guards():
        if guard in facts or (guard in _ASKED and _ASKED[guard](source, output, lang)):
            return guard
    return ""


def _is_empty(source: str, output: str, lang: str) -> bool:
    return not output.strip()


def _repeats(source: str, output: str, lang: str) -> bool:
    """Whether two to forty characters come `times` in a row, or one of them three times as often."""
    times = guards()["repetition"]["times"]
    pattern = re.compile(
        rf"(\S.{{1,39}}?)\1{{{times - 1},}}|([^\s\d_.])\2{{{3 * times - 1},}}|(\.\s?)\3{{{2 * times},}}"
    )
    return pattern.search(output) is not None and pattern.search(source) is None


def _is_out_of_proportion(source: str, output: str, lang: str) -> bool:
    row, expected = guards()["length_ratio"], len(source) * languages()[lang].ratio
    least, most = expected / row["factor"] - row["slack"], expected * row["factor"] + row["slack"]
    return not least <= len(output) <= most


def _is_unchanged(source: str, output: str, lang: str) -> bool:
    words = re.findall(r"[^\W\d_]+", mask(source).text)
    return len(words) >= guards()["unchanged"]["least_words"] and output.casefold() == source.casefold()


_ASKED = {
    "empty": _is_empty,
    "repetition": _repeats,
    "length_ratio": _is_out_of_proportion,
    "unchanged": _is_unchanged,
}


def _in_another_language(sources: Sequence[str], outputs: Sequence[str], lang: str) -> list[bool]:
    """Of each translation whether fastText is sure that it is not in `lang`; short ones are not judged."""
    row, known = guards()["wrong_language"], languages()[lang]
    heavy = 3 if set(known.script) & DENSE else 1
    said = [mask(output).text for output in outputs]
    letters = [heavy * len(re.findall(r"[^\W\d_]", text)) for text in said]
    labels, probabilities = identify_languages(said)
    return [
        label not in known.labels
        and ((count >= row["letters"] and p >= row["sure"]) or (count >= row["few"] and p >= row["surer"]))
        for label, p, count in zip(labels, probabilities, letters, strict=True)
    ]
