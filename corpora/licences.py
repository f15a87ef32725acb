"""Licences as rows of licences.csv: the Hub's identifiers, SPDX's, and what they allow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from corpora.errors import InputError
from corpora.extensions import extension_versions
from corpora.tables import STRICT, read_csv_rows

FILE = Path(__file__).with_name("licences.csv")
Use = Literal["any", "commercial"]


@dataclass(frozen=True)
class Licence:
    """A licence: its identifiers, and what it allows and demands. This is no legal advice."""

    __pydantic_config__ = STRICT

    id: str
    """Identifier as the Hub spells it, in small letters; `other` and `unknown` among them."""
    spdx: str = ""
    """Identifier of SPDX, where it has one."""
    commercial: Literal["yes", "no", "unstated"] = "unstated"
    """Whether a work may be used commercially and changed; `unstated` where that depends on terms of its own."""
    share_alike: bool = False
    """Whether what is made from the work must have the same licence."""
    attribution: bool = False
    """Whether the work's author must be named."""


def licences() -> Mapping[str, Licence]:
    """Return the licences by identifier: ours, then those of the user's; a user's row replaces ours."""
    return _licences(extension_versions(FILE.name))


@cache
def _licences(versions: tuple[Any, ...]) -> Mapping[str, Licence]:
    rows: dict[str, Licence] = {}
    for path in (FILE, *(path for path, _, _ in versions)):
        rows |= read_csv_rows(path, Licence, "id")
    return rows


@cache
def hub_licences() -> frozenset[str]:
    """Return the identifiers of the Hub, which refuses a card with another one."""
    return frozenset(read_csv_rows(FILE, Licence, "id"))


def find_licence(text: str) -> Licence | None:
    """Return the licence of an identifier of the Hub or of SPDX, in any case; None if it is neither.

    What a licence allows that only SPDX lists is not known here.
    """
    known = licences()
    if row := known.get(text.lower()):
        return row
    if row := next((row for row in known.values() if row.spdx and row.spdx.lower() == text.lower()), None):
        return row
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        spdx = canonicalize_license_expression(text) if " " not in text else ""
    except InvalidLicenseExpression:
        return None
    return Licence(text.lower(), spdx) if spdx else None


def check_licence(text: str, where: str) -> str:
    """Return the identifier of a licence as the Hub spells it; InputError, with the nearest ones, if there is none."""
    if licence := find_licence(text):
        return licence.id
    near = get_close_matches(text.lower().replace(" v", "-").replace(" ", "-"), licences(), n=2)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise InputError(
        f"{where}: '{text}' is no licence of the Hub's list or of SPDX. {hint}For other terms, write 'other' and put "
        "them into 'licence_note'."
    )


def allows(text: str, use: Use) -> bool:
    """Return whether a licence is known to allow a use of a work, changed or not."""
    licence = find_licence(text)
    return use == "any" or (licence is not None and licence.commercial == "yes")


def notes(text: str) -> Licence:
    """Return what is known of a licence; of one without a row nothing is."""
    return find_licence(text) or replace(licences()["other"], id=text)
