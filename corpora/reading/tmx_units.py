"""Parse translation units of TMX: the texts of their segments in two languages, and where one begins and ends."""

import codecs
import re
from collections.abc import Iterator
from html.entities import html5
from itertools import pairwise
from xml.parsers import expat

from corpora.errors import InputError
from corpora.reading.input_file import InputFile
from corpora.reading.lines import MAX_LINE_BYTES, SHOWN_CHARS
from corpora.reading.normalization import nfc
from corpora.strict_json import SURROGATE

MARKUP = frozenset(("bpt", "ept", "it", "ph", "ut"))  # codes of the original's layout; `hi` only marks text
# What stands for a break between words: types of codes (TMX 1.4b, attribute `type`), and elements of HTML.
BREAK_TYPES = frozenset(("lb", "pb", "cb", "br", "linebreak", "x-br", "x-lb", "x-tab", "tab"))
BREAK_TAGS = frozenset(
    (
        "br",
        "p",
        "div",
        "li",
        "ul",
        "ol",
        "td",
        "th",
        "tr",
        "table",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "dd",
        "dt",
    )
)
BREAK_CODE = re.compile(rf"(?i)</?(?:{'|'.join(BREAK_TAGS)})\b[^>]*>|[\n\t\u2028\u2029]|\\[nt]\b")
BREAK, BREAKS = "\x1e", re.compile(r"\s*(?:\x1e\s*)+")  # no character that XML allows
UNIT = re.compile(r"<!--.*?-->|<tu(?=[\s>/])|</tu\s*>", re.DOTALL)
DECLARATION = re.compile(rb"""^<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']""")
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

TranslationUnit = tuple[str | None, str | None, str | None]  # the first texts in English and the other language, error


def bad_unit(piece: str) -> TranslationUnit:
    """Return a unit that is not well-formed: the beginning of what is there, as it is."""
    error = "nul_byte" if "\0" in piece else "invalid_utf8" if SURROGATE.search(piece) else "invalid_xml"
    return nfc(SURROGATE.sub("\ufffd", piece.replace("\0", ""))[:SHOWN_CHARS]), None, error


def pieces(chunks: Iterator[bytes], max_chars: int) -> Iterator[str]:
    """Yield a file's text in pieces: each unit from `<tu` to its end or to the next unit, and what lies between.

    What has more than `max_chars` characters without the end of a unit is yielded as it is.
    """
    rest, decoder = "", None
    for chunk in chunks:
        decoder = decoder or _decoder(chunk)
        text = rest + decoder.decode(chunk)
        end = text.rfind("</tu>") + len("</tu>") if "</tu>" in text else 0
        yield from _cut(text[:end])
        rest = text[end:]
        if len(rest) > max_chars:
            yield rest
    yield from _cut(rest)


def _decoder(start: bytes) -> codecs.IncrementalDecoder:
    """Return the decoder of a file by its first bytes; LookupError for an unknown encoding."""
    encoding = next((name for bom, name in BOMS.items() if start.startswith(bom)), "")
    if not encoding:
        declared = DECLARATION.match(start.lstrip())
        encoding = declared[1].decode() if declared else "utf-8"
    is_utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
    return codecs.getincrementaldecoder(encoding)("surrogateescape" if is_utf8 else "replace")


def _cut(text: str) -> Iterator[str]:
    """Yield a text cut before each `<tu` and behind each `</tu>` that stands in no comment."""
    tokens = [match for match in UNIT.finditer(text) if not match[0].startswith("<!")]
    edges = [0, *(token.start() if token[0] == "<tu" else token.end() for token in tokens), len(text)]
    yield from (text[begin:end] for begin, end in pairwise(edges) if begin < end)


class UnitParser:
    """The state of parsing: the finished units, and the current unit, language and segment."""

    def __init__(self, file: InputFile, encoding: str | None = None) -> None:
        self.path, self.codes = file.path, (file.en_code, file.xx_code)
        self.units: list[TranslationUnit] = []
        self.texts: list[str | None] = [None, None]
        self.error: str | None = None
        self.root, self.lang = "", ""
        self.segment, self.size = list[str](), 0
        self.codes_of_layout = list[str]()
        self.depth = self.markup_depth = 0  # elements open within a seg, itself included, and those of MARKUP
        self.parser = expat.ParserCreate(encoding)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.refuse
        self.parser.SkippedEntityHandler = self.entity

    def parse(self, data: bytes, is_last: bool = False) -> None:
        """Parse the next bytes; ExpatError for XML that is not well-formed."""
        self.parser.Parse(data, is_last)

    @property
    def position(self) -> int:
        """The byte at which the current tag or text begins."""
        return int(self.parser.CurrentByteIndex)

    def take(self) -> list[TranslationUnit]:
        """Return the units finished since the last call."""
        units, self.units = self.units, []
        return units

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or self.check_root(tag)
        if self.depth:
            self.depth += 1
            self.markup_depth += tag in MARKUP
            if tag in BREAK_TAGS or (tag in MARKUP and attributes.get("type", "").lower() in BREAK_TYPES):
                self.segment.append(BREAK)
        elif tag == "tu":
            self.texts, self.error = [None, None], None
        elif tag == "tuv":
            self.lang = attributes.get("xml:lang") or attributes.get("lang") or ""
        elif tag == "seg":
            self.segment, self.size, self.depth = [], 0, 1

    def end(self, tag: str) -> None:
        if self.depth:
            self.depth -= 1
            self.markup_depth -= tag in MARKUP
            if tag in BREAK_TAGS or (tag in MARKUP and self.is_break()):
                self.segment.append(BREAK)
            if not self.depth:
                self.end_segment()
        elif tag == "tu":
            self.units.append((*self.texts, self.error))  # type: ignore[arg-type]

    def is_break(self) -> bool:
        """Return whether the code that ends is one that stands between words."""
        code = "".join(self.codes_of_layout)
        self.codes_of_layout = []
        return BREAK_CODE.search(code.strip() or code) is not None

    def end_segment(self) -> None:
        """Keep the segment if it is the first of its unit in one of the two languages."""
        for side, code in enumerate(self.codes):
            if self.texts[side] is None and is_language(self.lang, code):
                self.texts[side] = _text_of(self.segment)

    def text(self, text: str) -> None:
        if self.depth and self.size <= MAX_LINE_BYTES:
            (self.codes_of_layout if self.markup_depth else self.segment).append(text)
            self.size += len(text)

    def entity(self, name: str, is_parameter: bool) -> None:
        """Take an entity of HTML for its character; any other makes the unit a bad one, and none is expanded."""
        if is_parameter:
            self.refuse(name)
        if f"{name};" in html5:
            self.text(html5[f"{name};"])
        else:
            self.error = self.error or "invalid_xml"

    def check_root(self, tag: str) -> str:
        if tag != "tmx":
            raise InputError(
                f"{self.path} is not TMX: its outermost element is <{tag}>. Correct the URL in the catalogue, or name "
                "a mirror that has the file."
            )
        return tag

    def refuse(self, name: str, *_: object) -> None:
        raise InputError(
            f"{self.path} defines the entity '{name}', which is refused: it may expand without limit or read a file."
        )


def _text_of(segment: list[str]) -> str:
    """Return the text of a segment on one line, with a space where a code stood for a break."""
    text = re.sub(r"\r\n|[\r\n]", " ", "".join(segment))
    return nfc(BREAKS.sub(" ", text) if BREAK in text else text)


def is_language(lang: str, code: str) -> bool:
    """Return whether a tuv is in a language: `en` accepts any English, `pt-BR` only the Brazilian Portuguese."""
    lang, code = lang.lower().replace("_", "-"), code.lower().replace("_", "-")
    return code in (lang, lang.partition("-")[0])
