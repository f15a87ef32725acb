"""Who translated each unit of a TMX file: the properties that an export of a translation memory writes beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from builders.translation.memory import Origin
from corpora.errors import InputError
from corpora.reading import file_chunks

PROVENANCE = (*Origin._fields, "decoding")  # the properties, each with x- before it
OWN = b"x-origin"  # is in every file that an export has written


def read_provenance(path: Path) -> Iterator[dict[str, str]]:
    """Yield the properties of each unit of a TMX file in file order; none are in files of other programs.

    A person is named by `creationid`, as programs for translators write it.

    Raises:
        InputError: The file has properties of an export, and cannot be read to its end.
    """
    if not any(OWN in chunk for chunk in file_chunks(path)):
        yield from _read(path)
        return
    try:
        yield from _read(path, is_strict=True)
    except expat.ExpatError as error:
        raise InputError(
            f"{path} is damaged ({error}), so it is not known who made its translations. Export it again; the memory "
            "is unchanged."
        ) from None


def read_languages(path: Path) -> set[str] | None:
    """Return the languages that a TMX file names, as it spells them; None if it cannot be read to its end."""
    units = _Units()
    try:
        for chunk in file_chunks(path):
            units.parser.Parse(chunk, False)
            units.take()
        units.parser.Parse(b"", True)
    except expat.ExpatError:
        return None
    return units.langs


def _read(path: Path, is_strict: bool = False) -> Iterator[dict[str, str]]:
    units = _Units()
    try:
        for chunk in file_chunks(path):
            units.parser.Parse(chunk, False)
            yield from units.take()
        units.parser.Parse(b"", True)
        yield from units.take()
    except expat.ExpatError:
        yield from units.take()
        if is_strict:
            raise


class _Units:
    """Collects the properties of units while expat parses; a file that declares entities is refused."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._refuse
        self.langs = set[str]()
        self._done: list[dict[str, str]] = []
        self._unit: dict[str, str] = {}
        self._property = ""

    def take(self) -> list[dict[str, str]]:
        done, self._done = self._done, []
        return done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "tu":
            self._unit = {"name": attributes.get("creationid", "")}
        elif tag == "tuv":
            self.langs.add(attributes.get("xml:lang") or attributes.get("lang") or "")
            self._unit["name"] = attributes.get("creationid", "") or self._unit.get("name", "")
        name = attributes.get("type", "").removeprefix("x-")
        self._property = name if tag == "prop" and name in PROVENANCE else ""
        if self._property:
            self._unit[self._property] = ""

    def _end(self, tag: str) -> None:
        self._property = ""
        if tag == "tu":
            self._done.append(self._unit)

    def _text(self, text: str) -> None:
        if self._property:
            self._unit[self._property] += text

    def _refuse(self, *declaration: Any) -> None:
        raise InputError("A translation memory that declares entities is refused. Export it again from its program.")
