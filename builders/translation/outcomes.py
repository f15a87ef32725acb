"""What becomes of each segment: translated, tried again, translated in parts, or stopped."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from builders.translation.clauses import clauses
from builders.translation.engine import Decoding
from builders.translation.memory import digest
from builders.translation.placeholders import mask, parts, says_something
from builders.translation.scheduler import translated
from builders.translation.segment import is_spaced
from builders.translation.store import Shelf
from builders.translation.translator import Translator

KEPT, RETRIED, IN_PARTS, IN_CLAUSES, BY_HAND = "kept", "retried", "in_parts", "in_clauses", "by_hand"
TOO_LONG = "too_long"  # the guard that says so
UNTRANSLATED = "untranslated"  # there is no engine and the memory does not have it

Texts = Mapping[str, str]  # segments by their digest
Pieces = Sequence[tuple[str, bool]]  # of a segment: each with whether it stays as it is


class Outcome(NamedTuple):
    """A translation and how it came about, or none and the guard that stopped it."""

    text: str | None
    how: str
    stopped_by: str


Cut = Callable[[str], Pieces]
Tell = Callable[[Texts], dict[str, Outcome]]


def outcomes(texts: Texts, lang: str, translator: Translator) -> dict[str, Outcome]:
    """What becomes of segments, by their digest, in the order given.

    Hand-made translations come first. A segment that a guard stops is tried again with other decoding; if it is
    stopped again and has spans that must survive, it is translated in parts around them. One that is too long for the
    model is translated clause by clause.
    """
    found = _by_hand(texts, lang, translator)
    rest = {key: text for key, text in texts.items() if key not in found}
    if not translator.engine:
        return found | {key: Outcome(None, "", UNTRANSLATED) for key in rest}
    found |= _whole(rest, lang, translator)
    too_long = {key: text for key, text in rest.items() if found[key].stopped_by == TOO_LONG}
    found |= _in_clauses(too_long, lang, translator)
    return {key: found[key] for key in texts}


def _whole(texts: Texts, lang: str, translator: Translator) -> dict[str, Outcome]:
    """Every segment as it is, or in parts around its spans if it cannot be translated otherwise."""
    found = _tried(texts, lang, translator)
    stopped = {key: texts[key] for key, outcome in found.items() if outcome.stopped_by not in ("", TOO_LONG)}
    with_spans = {key: text for key, text in stopped.items() if len(parts(text)) > 1}
    return found | _in_pieces(with_spans, IN_PARTS, parts, partial(_tried, lang=lang, translator=translator))


def _in_clauses(texts: Texts, lang: str, translator: Translator) -> dict[str, Outcome]:
    """Those segments of which every clause could be translated alone, put together."""
    assert translator.engine
    engine = translator.engine

    def cut(text: str) -> Pieces:
        return [(clause, False) for clause in clauses(text, lambda piece: engine.fits(mask(piece).text))]

    tell = partial(_whole, lang=lang, translator=translator)
    return _in_pieces(texts, IN_CLAUSES, cut, tell, is_spaced(lang))


def remembered(texts: Texts, lang: str, translator: Translator) -> dict[str, str]:
    """Translations of segments that there is nothing more to do for: the memory has them, and no guard stops them.

    The memory notes how many segments were asked for, and how many of them were known, stopped ones among them.
    """
    if not translator.engine:
        return {}
    shelf, decoding = _shelf(lang, translator)
    by_hand = _by_hand(texts, lang, translator).keys()
    found = shelf.passed(texts, decoding.name)
    known = shelf.entries(texts.keys() - found.keys(), decoding.name)
    shelf.note(len(texts), len(found.keys() | known.keys() | by_hand))
    return {key: found[key] for key in texts if key in found and key not in by_hand}


def _shelf(lang: str, translator: Translator) -> tuple[Shelf, Decoding]:
    assert translator.engine, "without an engine nothing is tried"
    assert translator.decoding
    assert translator.kept
    return translator.kept.shelf(translator.engine.model.sha256, lang), translator.decoding


def _by_hand(texts: Texts, lang: str, translator: Translator) -> dict[str, Outcome]:
    known = translator.memory.texts if translator.memory else {}
    return {key: Outcome(known[key, lang], BY_HAND, "") for key in texts if (key, lang) in known}


def _tried(texts: Texts, lang: str, translator: Translator) -> dict[str, Outcome]:
    """Every segment as the engine translates it at once, or at the second try."""
    assert translator.engine
    shelf, decoding = _shelf(lang, translator)
    first = translated(texts, shelf, translator.engine, decoding)
    again = {key: texts[key] for key, (_, stopped_by) in first.items() if stopped_by not in ("", TOO_LONG)}
    second = translated(again, shelf, translator.engine, decoding.other())
    found = {key: Outcome(None if why else text, KEPT, why) for key, (text, why) in first.items()}
    return found | {key: Outcome(text, RETRIED, "") for key, (text, why) in second.items() if not why}


def _in_pieces(texts: Texts, how: str, cut: Cut, tell: Tell, spaced: bool = True) -> dict[str, Outcome]:
    """Those segments of which every piece that is to be translated could be, put together again."""
    cuts = {key: cut(text) for key, text in texts.items()}
    pieces = {piece.strip() for found in cuts.values() for piece in _said(found)}
    done = tell({digest(piece): piece for piece in sorted(pieces)}) if pieces else {}
    made = {key: _joined(found, done, spaced) for key, found in cuts.items()}
    return {key: Outcome(text, how, "") for key, text in made.items() if text is not None}


def _said(pieces: Pieces) -> list[str]:
    return [piece for piece, is_span in pieces if not is_span and says_something(piece)]


def _joined(pieces: Pieces, done: Mapping[str, Outcome], spaced: bool) -> str | None:
    """The pieces translated, but for the spans; None if one is not. Space around them stays if `spaced`."""
    made = []
    for piece, is_span in pieces:
        said = piece.strip()
        text = piece
        if not is_span and says_something(piece):
            new = done[digest(said)].text
            if new is None:
                return None
            text = piece.replace(said, new, 1) if spaced else new
        made.append(text)
    return "".join(made)
