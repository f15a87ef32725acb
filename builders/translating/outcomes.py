"""What becomes of each segment: translated, tried again, translated in parts, or stopped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from builders.memory import digest
from builders.translating.queue import translated
from builders.translating.spans import parts, says_something
from builders.translating.translator import Translator

KEPT, RETRIED, IN_PARTS, BY_HAND = "kept", "retried", "in_parts", "by_hand"
UNTRANSLATED = "untranslated"  # there is no engine and the memory does not have it


@dataclass(frozen=True)
class Outcome:
    """A translation and how it came about, or none and the guard that stopped it."""

    text: str | None
    how: str
    stopped_by: str


def outcomes(texts: Mapping[str, str], lang: str, translator: Translator) -> dict[str, Outcome]:
    """What becomes of segments, by their digest, in the order given.

    Hand-made translations come first. A segment that a guard stops is tried again with other decoding; if it is
    stopped again and has spans that must survive, it is translated in parts around them.
    """
    found = _by_hand(texts, lang, translator)
    rest = {key: text for key, text in texts.items() if key not in found}
    if not translator.engine:
        return found | {key: Outcome(None, "", UNTRANSLATED) for key in rest}
    _note(rest, len(texts), lang, translator)
    found |= _tried(rest, lang, translator)
    stopped = {key: texts[key] for key, outcome in found.items() if outcome.text is None}
    found |= _in_parts({key: text for key, text in stopped.items() if len(parts(text)) > 1}, lang, translator)
    return {key: found[key] for key in texts}


def _note(rest: Mapping[str, str], asked: int, lang: str, translator: Translator) -> None:
    """Tell the memory what it is asked for, and how much of it is known already."""
    assert translator.engine
    assert translator.decoding
    assert translator.kept
    shelf = translator.kept.shelf(translator.engine.model.sha256, lang)
    known = shelf.entries()
    shelf.note(asked, asked - sum((key, translator.decoding.name) not in known for key in rest))


def _by_hand(texts: Mapping[str, str], lang: str, translator: Translator) -> dict[str, Outcome]:
    known = translator.memory.texts if translator.memory else {}
    return {key: Outcome(known[key, lang], BY_HAND, "") for key in texts if (key, lang) in known}


def _tried(texts: Mapping[str, str], lang: str, translator: Translator) -> dict[str, Outcome]:
    """Every segment as the engine translates it at once, or at the second try."""
    assert translator.engine, "without an engine nothing is tried"
    assert translator.decoding
    assert translator.kept
    shelf = translator.kept.shelf(translator.engine.model.sha256, lang)
    first = translated(texts, shelf, translator.engine, translator.decoding)
    again = {key: texts[key] for key, (_, stopped_by) in first.items() if stopped_by not in ("", "too_long")}
    second = translated(again, shelf, translator.engine, translator.decoding.other())
    found = {key: Outcome(None if why else text, KEPT, why) for key, (text, why) in first.items()}
    return found | {key: Outcome(text, RETRIED, "") for key, (text, why) in second.items() if not why}


def _in_parts(texts: Mapping[str, str], lang: str, translator: Translator) -> dict[str, Outcome]:
    """Those segments of which every part around the spans could be translated alone, put together."""
    pieces = {piece.strip() for text in texts.values() for piece in _translatable(text)}
    known = {digest(piece): piece for piece in sorted(pieces)}
    done = {known[key]: outcome.text for key, outcome in _tried(known, lang, translator).items()} if known else {}
    whole = {key: text for key, text in texts.items() if all(done[p.strip()] is not None for p in _translatable(text))}
    return {key: Outcome(_joined(text, done), IN_PARTS, "") for key, text in whole.items()}


def _translatable(text: str) -> Iterable[str]:
    return [piece for piece, is_span in parts(text) if not is_span and says_something(piece)]


def _joined(text: str, done: Mapping[str, str | None]) -> str:
    """The parts of a segment, translated but for the spans, with the space around each as it was."""
    made = []
    for piece, is_span in parts(text):
        said = piece.strip()
        new = done.get(said) if not is_span and says_something(piece) else None
        made.append(piece.replace(said, new, 1) if new else piece)
    return "".join(made)
