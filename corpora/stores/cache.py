"""Where files of a store lie on this machine."""

import hashlib
import os
from pathlib import Path

VARIABLE = "COIT_CACHE"  # the folder of all caches; ~/.cache/coit-builders without it


def cache_folder(uri: str) -> Path:
    """Return the folder of this machine in which the files below an address are staged."""
    folder = os.environ.get(VARIABLE) or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "coit-builders"
    return Path(folder).expanduser().resolve() / hashlib.sha256(uri.encode()).hexdigest()[:16]
