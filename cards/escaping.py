"""Write texts from outside into documents: one function for each kind of place, so that a text is never markup.

| place | function |
|---|---|
| a line of Markdown, or a cell of a Markdown table | `markdown` |
| a name in Markdown, in a font of fixed width | `code` |
| a link in Markdown | `link` |
| a block of code in Markdown | `fence` |
| the YAML above a card | `front_matter` |
| HTML: texts and values of attributes | `html` |
| a label of a picture (PNG and SVG) | `label` |
"""

import html as html_entities
import re
from collections.abc import Mapping
from typing import Any

import yaml

MARKUP = re.compile(r"[\\`*\[\]<>&|~$]|(?<![^\W_])_|_(?![^\W_])")
ENTITIES = "\\`<>&|$"  # a backslash does not escape these everywhere: in cells, formulas and HTML
LINE_START = re.compile(r"^(#{1,6}|[-+=]+|[0-9]+[.)])(?=\s|$)")
LINK = re.compile(r"(?<=[A-Za-z]):(?=//)|(?<=www)\.|(?<=mailto):|(?<=xmpp):", re.IGNORECASE)
URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~%!$&'()*+,;=:@/?#-]*)?")
JOINERS = "\u200c\u200d"  # invisible, and a part of words in Persian and Hindi
LABEL_CHARS = 200  # the most characters of a label


def one_line(text: object) -> str:
    """Return a text on one line: white space and control characters are one space."""
    return " ".join(_printable(str(text)).split())


def _printable(text: str) -> str:
    """Return a text with a space in place of each character that is not visible."""
    return "".join(c if c.isprintable() or c in JOINERS else " " for c in text)


def markdown(text: object) -> str:
    """Return a text as one line of Markdown that has no markup: for paragraphs, headings, lists and table cells."""
    escaped = MARKUP.sub(lambda match: _entity(match[0]) if match[0] in ENTITIES else "\\" + match[0], one_line(text))
    return LINE_START.sub(lambda match: _entity(match[0]), LINK.sub(lambda match: _entity(match[0]), escaped))


def _entity(text: str) -> str:
    return "".join(f"&#{ord(c)};" for c in text)


def code(text: object) -> str:
    """Return a name as code; as plain text where code cannot hold it."""
    line = one_line(text)
    return f"`{line}`" if line and not re.search(r"[`|\\]", line) else markdown(line)


def link(text: object, url: str) -> str:
    """Return a link to a page of the web, or only its text if the address is not one."""
    return f"[{markdown(text)}](<{url}>)" if URL.fullmatch(url) else markdown(text)


def fence(text: str, language: str = "") -> str:
    """Return a block of code; the fence is longer than any in the text, which has no control characters."""
    body = "\n".join(_printable(line) for line in str(text).splitlines()).replace("<!--", "<! --")
    marks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
    return f"{marks}{language}\n{body}\n{marks}"


def front_matter(values: Mapping[str, Any]) -> str:
    """Return the YAML above a card, between its lines of dashes: a text never ends it, whatever it holds."""
    text = yaml.dump(dict(values), Dumper=_FrontMatter, sort_keys=False, allow_unicode=True, width=10**9)
    return f"---\n{text.strip()}\n---"


def html(text: object) -> str:
    """Return a text for HTML, also for the value of an attribute in quotes."""
    return html_entities.escape("\n".join(map(_printable, str(text).splitlines())))


def label(text: object) -> str:
    """Return a text for a picture, cut where it is long; in pictures, dollar signs begin formulas."""
    line = one_line(text)
    return (line if len(line) <= LABEL_CHARS else line[: LABEL_CHARS - 1] + "…").replace("$", r"\$")


class _FrontMatter(yaml.SafeDumper):
    """YAML without anchors, and with texts of several lines in double quotes on one line."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_FrontMatter.add_representer(str, _represent_text)
