"""registry.json: which versions of a release are yanked, and why."""

import json
from collections.abc import Mapping
from typing import Any

from cards.releases.versions import sort_versions
from corpora.errors import InputError
from corpora.strict_json import load_json

STATUS_FILE = "registry.json"  # beside the versions in a folder, on `main` on the Hub


def parse_yanked(text: bytes, where: str) -> dict[str, str]:
    """Return the reasons of the yanked versions in a status file, by version.

    Raises:
        InputError: The file is damaged; `where` names it.
    """
    try:
        yanked: Any = load_json(text)["yanked"]
        if all(isinstance(reason, str) for reason in yanked.values()):
            return {name: "".join(c if c.isprintable() else " " for c in reason) for name, reason in yanked.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise InputError(f'{where} is damaged: {{"yanked": {{VERSION: REASON}}}} was expected. Restore it.')


def format_yanked(yanked: Mapping[str, str], version: str, reason: str | None) -> str:
    """Return the status file after a version is yanked; with None as the reason it is no longer yanked."""
    others = {name: text for name, text in yanked.items() if name != version}
    after = others | ({version: reason} if reason is not None else {})
    ordered = {name: after[name] for name in sort_versions(after)}
    return json.dumps({"yanked": ordered}, indent=2, ensure_ascii=False) + "\n"
