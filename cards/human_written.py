"""The parts of a card that people write by hand, which a re-render keeps."""

import re
from collections.abc import Mapping

PARTS = ("about", "limits")
PART = re.compile(r"^<!-- by hand: (\w+) -->\n(.*?)^<!-- /by hand -->$", re.DOTALL | re.MULTILINE)
NOTICE = re.compile(r"<!-- notice -->\n.*?<!-- /notice -->\n\n", re.DOTALL)


def written_by_hand(card: str) -> dict[str, str]:
    """What people wrote between the markers of a card, by the marker's name; nothing where nobody wrote."""
    found: dict[str, str] = {}
    for name, text in PART.findall(card.replace("\r\n", "\n")):
        found.setdefault(name, text.strip("\n"))
    return {name: text for name, text in found.items() if name in PARTS and text.strip()}


def by_hand(name: str, written: Mapping[str, str]) -> str:
    """A part between its markers, for the template."""
    text = written.get(name, "")
    return f"<!-- by hand: {name} -->\n{text}{chr(10) if text else ''}<!-- /by hand -->"


def with_notice(card: str, notice: str) -> str:
    """The card with a notice above its title, in place of any other; an empty one takes it away."""
    card = NOTICE.sub("", card)
    if not notice:
        return card
    quoted = " ".join(notice.replace("<", "&lt;").split())
    return re.sub(
        r"^# ",
        f"<!-- notice -->\n> [!WARNING]\n> {quoted.replace(chr(92), chr(92) * 2)}\n<!-- /notice -->\n\n# ",
        card,
        count=1,
        flags=re.MULTILINE,
    )
