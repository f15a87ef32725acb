"""Read the translation units of TMX 1.4 as batches of PAIRS, streamed; no entity is expanded, no DTD is fetched."""

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

MARKUP = frozenset(("bpt", "ept", "it", "ph", "ut"))  # codes of the original's layout; `hi` only marks text
TranslationUnit = list[str | None]  # the first text of a tu in English, and the first in the other language
MAX_MARKUP_BYTES = 16 << 20  # that belong to one tag or attribute


def read_tmx(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield one row for each `tu`; one without a side in both languages has the read error `missing_column`."""
    num_units = 0
    for units in _parse(file):
        rows = [_pair(unit) for unit in units]
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        yield pairs_batch(num_units + 1, columns[0], columns[1], pa.nulls(len(rows), pa.float64()), columns[2])
        num_units += len(rows)


def _pair(unit: TranslationUnit) -> tuple[str | None, str | None, str | None]:
    en, xx = unit
    if en is None or xx is None:
        return en, xx, "missing_column"
    oversized = any(len(text.encode()) > MAX_LINE_BYTES for text in (en, xx))
    return en, xx, "oversized_line" if oversized else None


def _is_language(lang: str, code: str) -> bool:
    """Return whether a tuv is in a language: `en` accepts any English, `pt-BR` only the Brazilian Portuguese."""
    lang, code = lang.lower().replace("_", "-"), code.lower().replace("_", "-")
    return code in (lang, lang.partition("-")[0])


def _parse(file: InputFile) -> Iterator[list[TranslationUnit]]:
    """Yield the units of a file, as many at a time as end in a chunk."""
    path, reader = file.path, _Reader(file)
    num_units = num_bytes = 0
    try:
        for chunk in file_chunks(path):
            reader.parser.Parse(chunk, False)
            num_bytes += len(chunk)
            if num_bytes - reader.parser.CurrentByteIndex > MAX_MARKUP_BYTES:  # expat reads it again for each chunk
                raise InputError(f"{path} has a tag of more than {MAX_MARKUP_BYTES:,} bytes. Do not use this file.")
            if units := reader.take():
                yield units
                num_units += len(units)
        reader.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError) as error:
        raise InputError(f"{path} is not a TMX file that can be read: {error}. Delete it and pull it again.") from None
    except DAMAGE as error:
        raise damaged(path, f"after about {num_units:,} units: {error}") from None


class _Reader:
    """The state of parsing: the finished units, and the current unit, language and segment."""

    def __init__(self, file: InputFile) -> None:
        self.path, self.codes = file.path, (file.en_code, file.xx_code)
        self.units: list[TranslationUnit] = []
        self.unit: TranslationUnit = [None, None]
        self.root, self.lang = "", ""
        self.segment, self.size = list[str](), 0
        self.depth = self.markup_depth = 0  # elements open within a seg, itself included, and those of MARKUP
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.refuse
        self.parser.SkippedEntityHandler = self.refuse

    def take(self) -> list[TranslationUnit]:
        """Return the units finished since the last call."""
        units, self.units = self.units, []
        return units

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or self.check_root(tag)
        if self.depth:
            self.depth += 1
            self.markup_depth += tag in MARKUP
        elif tag == "tu":
            self.unit = [None, None]
        elif tag == "tuv":
            self.lang = attributes.get("xml:lang") or attributes.get("lang") or ""
        elif tag == "seg":
            self.segment, self.size, self.depth = [], 0, 1

    def end(self, tag: str) -> None:
        if self.depth:
            self.depth -= 1
            self.markup_depth -= tag in MARKUP
            if not self.depth:
                self.end_segment()
        elif tag == "tu":
            self.units.append(self.unit)

    def end_segment(self) -> None:
        """Keep the segment if it is the first of its unit in one of the two languages."""
        for side, code in enumerate(self.codes):
            if self.unit[side] is None and _is_language(self.lang, code):
                self.unit[side] = nfc(re.sub(r"\r\n|[\r\n]", " ", "".join(self.segment)))

    def text(self, text: str) -> None:
        if self.depth and not self.markup_depth and self.size <= MAX_LINE_BYTES:
            self.segment.append(text)
            self.size += len(text)

    def check_root(self, tag: str) -> str:
        if tag != "tmx":
            raise InputError(f"{self.path} is not TMX: its outermost element is <{tag}>. Delete it and pull it again.")
        return tag

    def refuse(self, name: str, *_: object) -> None:
        raise InputError(
            f"{self.path} defines the entity '{name}', which is refused: it may expand without limit or read a file."
        )
