"""The parts of a card that people write, which the next version keeps."""

import re
from collections.abc import Mapping

from cards.escaping import markdown

PARTS = ("about", "limits")
PART = re.compile(r"^<!-- human-written: (\w+) -->\n(.*?)^<!-- /human-written -->$", re.DOTALL | re.MULTILINE)
NOTICE = re.compile(r"<!-- notice -->\n.*?<!-- /notice -->\n\n", re.DOTALL)


def read_human_written(card: str) -> dict[str, str]:
    """Return what people wrote between the markers of a card, by the marker's name; empty parts are left out."""
    sections: dict[str, str] = {}
    for name, text in PART.findall(card.replace("\r\n", "\n")):
        sections.setdefault(name, text.strip("\n"))
    return {name: text for name, text in sections.items() if name in PARTS and text.strip()}


def format_part(name: str, human_written: Mapping[str, str]) -> str:
    """Return a part between its markers, for the template."""
    text = human_written.get(name, "")
    return f"<!-- human-written: {name} -->\n{text}{chr(10) if text else ''}<!-- /human-written -->"


def with_notice(card: str, notice: str) -> str:
    """Return the card with a notice above its title, in place of any other; an empty one removes it."""
    card = NOTICE.sub("", card)
    if not notice:
        return card
    quoted = markdown(notice)
    return re.sub(
        r"^# ",
        f"<!-- notice -->\n> [!WARNING]\n> {quoted.replace(chr(92), chr(92) * 2)}\n<!-- /notice -->\n\n# ",
        card,
        count=1,
        flags=re.MULTILINE,
    )
