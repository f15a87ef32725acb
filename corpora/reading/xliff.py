"""Read the segments of XLIFF 1.2 and 2 as batches of PAIRS, streamed; no entity is expanded, no DTD is fetched."""

import re
from collections.abc import Iterator
from xml.parsers import expat

import pyarrow as pa

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, damaged, file_chunks
from corpora.reading.bitexts import pairs_batch
from corpora.reading.input_file import InputFile
from corpora.reading.lines import MAX_LINE_BYTES
from corpora.reading.normalization import nfc

SEGMENTS = frozenset(("trans-unit", "segment"))  # the elements of 1.2 and of 2 that hold a source and a target
CODES = frozenset(("bpt", "ept", "it", "ph", "sub", "note"))  # codes of the original's layout, whose text is no text
OTHERS = frozenset(("alt-trans", "seg-source", "matches", "glossary", "originalData"))  # what holds other texts
MAX_MARKUP_BYTES = 16 << 20  # that belong to one tag or attribute

Unit = tuple[str | None, str | None, str | None]  # English, the other language, read error


def read_xliff(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield one row for each `trans-unit` (1.2) or `segment` (2); one without a target has `missing_column`."""
    num_units = 0
    for units in _parse(file):
        columns = [pa.array(column, pa.string()) for column in zip(*units, strict=True)]
        yield pairs_batch(num_units + 1, columns[0], columns[1], pa.nulls(len(units), pa.float64()), columns[2])
        num_units += len(units)


def _parse(file: InputFile) -> Iterator[list[Unit]]:
    path, reader = file.path, _Reader(file)
    num_units = num_bytes = 0
    try:
        for chunk in file_chunks(path):
            reader.parser.Parse(chunk, False)
            num_bytes += len(chunk)
            if num_bytes - reader.parser.CurrentByteIndex > MAX_MARKUP_BYTES:
                raise InputError(f"{path} has a tag of more than {MAX_MARKUP_BYTES:,} bytes. Do not use this file.")
            if reader.units:
                yield reader.units
                num_units, reader.units = num_units + len(reader.units), []
        reader.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError) as error:
        raise InputError(
            f"{path} is not an XLIFF file that can be read, after {num_units:,} segments: {error}. Correct the file, "
            "or leave the corpus out."
        ) from None
    except DAMAGE as error:
        raise damaged(path, f"after about {num_units:,} segments: {error}") from None


class _Reader:
    """The state of parsing: the finished units, the languages of the file, and the current texts."""

    def __init__(self, file: InputFile) -> None:
        self.path, self.codes = file.path, (file.en_code, file.xx_code)
        self.units: list[Unit] = []
        self.root, self.is_reversed = "", False
        self.texts: dict[str, list[str]] = {}
        self.side, self.size = "", 0
        self.skipped = 0  # elements open within one of OTHERS, itself included
        self.hidden = 0  # the same of CODES
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.refuse
        self.parser.SkippedEntityHandler = self.refuse

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        self.check_root(tag, attributes)
        if tag == "file" and "source-language" in attributes:
            self.set_languages(attributes["source-language"], attributes.get("target-language", ""))
        if self.skipped or tag in OTHERS:
            self.skipped += 1
        elif self.side:
            self.hidden += bool(self.hidden) or tag in CODES
            if tag == "cp":  # a character that XML does not allow
                self.text("\ufffd")
        elif tag in SEGMENTS:
            self.texts = {}
        elif tag in ("source", "target"):
            self.side, self.size = tag, 0
            self.texts[tag] = []

    def end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if self.skipped:
            self.skipped -= 1
        elif self.hidden:
            self.hidden -= 1
        elif tag == self.side:
            self.side = ""
        elif tag in SEGMENTS:
            self.units.append(self.unit())

    def text(self, text: str) -> None:
        if self.side and not self.hidden and not self.skipped and self.size <= MAX_LINE_BYTES:
            self.texts[self.side].append(text)
            self.size += len(text)

    def unit(self) -> Unit:
        """Return the current texts in English and the other language; without a target there is no pair."""
        source, target = (self.joined(side) for side in ("source", "target"))
        en, xx = (target, source) if self.is_reversed else (source, target)
        if en is None or xx is None:
            return en, xx, "missing_column"
        oversized = any(len(text.encode()) > MAX_LINE_BYTES for text in (en, xx))
        return en, xx, "oversized_line" if oversized else None

    def joined(self, side: str) -> str | None:
        texts = self.texts.get(side)
        return None if texts is None else nfc(re.sub(r"\s*[\r\n]\s*", " ", "".join(texts)))

    def check_root(self, tag: str, attributes: dict[str, str]) -> None:
        if self.root:
            return
        self.root = tag
        if tag != "xliff":
            raise InputError(f"{self.path} is not XLIFF: its outermost element is <{tag}>. Correct 'format'.")
        if "srcLang" in attributes:
            self.set_languages(attributes["srcLang"], attributes.get("trgLang", ""))

    def set_languages(self, source: str, target: str) -> None:
        """Set which side is English; InputError if the file is not in the two languages."""
        for is_reversed, sides in ((False, (source, target)), (True, (target, source))):
            if all(_is_language(lang, code) for lang, code in zip(sides, self.codes, strict=True)):
                self.is_reversed = is_reversed
                return
        raise InputError(
            f"{self.path} is from '{source}' to '{target}', but '{self.codes[0]}' and '{self.codes[1]}' were expected. "
            "Correct the languages of the corpus, or its codes."
        )

    def refuse(self, name: str, *_: object) -> None:
        raise InputError(
            f"{self.path} defines the entity '{name}', which is refused: it may expand without limit or read a file."
        )


def _is_language(lang: str, code: str) -> bool:
    """Return whether a language of the file is the one with this code: `en` accepts any English."""
    lang, code = lang.lower().replace("_", "-"), code.lower().replace("_", "-")
    return code in (lang, lang.partition("-")[0])
