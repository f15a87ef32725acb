"""Templates: every text is escaped; numbers and shares as the pages write them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from corpora.catalog import languages

TEMPLATES, ASSETS = (Path(__file__).parent / name for name in ("templates", "assets"))
RIGHT_TO_LEFT = {"Arabic", "Hebrew", "Syriac", "Thaana", "Nko"}  # scripts


TITLES = (
    ("corpora", "Corpora"),
    ("filters", "Filters"),
    ("lines", "Lines"),
    ("labels", "Labels"),
    ("translations", "Translations"),
    ("releases", "Releases"),
    ("laws", "Laws"),
    ("runs", "Runs"),
)  # of the pages that the frame links to


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=lambda value: f"{value:,}",
        share=share,
        interval=interval,
        measure=measure,
        query=query,
        direction=direction,
        lang_name=lang_name,
    )
    environment.filters["combine"] = lambda values, more: {**values, **more}
    environment.filters["inline_style"] = inline_style
    environment.globals["pages"] = TITLES
    return environment


def render(template: str, **values: Any) -> str:
    """Return a page, or a part of one."""
    return _environment().get_template(f"{template}.html.jinja").render(**values)


def inline_style(text: str) -> Markup:
    """Return our own stylesheet as it stands, for a page that has to be one file."""
    assert "</" not in text
    return Markup(text)


def interval(value: Any) -> str:
    """Return an estimate with the ends of its interval, as percentages."""
    estimate = "–" if value.value != value.value else f"{value.value:.1%}"
    return f"{estimate} ({value.low:.1%} to {value.high:.1%})"


def share(value: float | None) -> str:
    """Return a share as a percentage; one that is not zero never reads as zero, nor one below 1 as 100 %."""
    if value is None:
        return "–"
    for digits in (1, 2, 3):
        text = f"{value:.{digits}%}"
        if (float(text[:-1]) == 0) == (value == 0) and (float(text[:-1]) == 100) == (value == 1):
            return text
    return "<0.001%" if value < 0.5 else ">99.999%"


def measure(value: object) -> str:
    """Return the value of a measure."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def query(values: Mapping[str, Any]) -> str:
    """Return the query of an address, without empty values."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")}, doseq=True)


def direction(lang: str) -> str:
    """Return the direction of a language's text, for the attribute `dir`."""
    known = languages().get(lang)
    return "rtl" if known and RIGHT_TO_LEFT & set(known.script) else "ltr" if known else "auto"


def lang_name(lang: str) -> str:
    """Return the English name of a language."""
    known = languages().get(lang)
    return known.name if known else lang
