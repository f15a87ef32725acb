"""Answers of a corpus index: fetched once, kept in the work folder, pinned by the lock file."""

import hashlib
import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urllib3 import exceptions as failures

from corpora.download import add_entry, describe_network_error, expected_by, find_mismatch, open_url, read_lock
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.strict_json import parse_json
from corpora.urls import mirror_folder, on_mirror, public_url

MAX_REPLY_BYTES = 256 << 20


@dataclass(frozen=True)
class Access:
    """Where answers are kept and pinned, and how servers are reached; the same as for downloads."""

    folder: Path
    lock: Path
    mirror: str | None = None
    offline: bool = False

    def fetch(self, url: str, what: str) -> Any:
        """Return the JSON that a server answers.

        Raises:
            InputError: The run is offline, the server cannot be reached or refuses, or its answer is not JSON.
        """
        if self.offline or mirror_folder(self.mirror):
            raise InputError(f"{what} is not known offline. Run it once with a network.")
        address = on_mirror(url, self.mirror)
        try:
            with closing(open_url(address, {"Accept": "application/json"})) as response:
                body = response.read(MAX_REPLY_BYTES + 1)
        except failures.HTTPError as error:
            raise InputError(
                f"{what}: {public_url(address)}: {describe_network_error(error, address)}. Try again."
            ) from None
        if response.status != 200 or len(body) > MAX_REPLY_BYTES:
            raise InputError(f"{what}: {public_url(address)} answers with status {response.status}. Try again later.")
        return parse_json(body, public_url(address))

    def remember(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Keep the rows of an index, and pin them; InputError if the lock file pins others."""
        text = json.dumps(rows, ensure_ascii=False, indent=0, sort_keys=True)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        expected = expected_by(self.lock, read_lock(self.lock), name)
        if mismatch := find_mismatch(f"The index of {name}", sha256, len(text.encode()), expected):
            raise InputError(mismatch)
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        add_entry(self.lock, name, sha256, len(text.encode()))

    def recall(self, name: str) -> list[dict[str, Any]] | None:
        """Return the rows that were kept under a name; None if there are none, or others than the lock file pins."""
        path = self._path(name)
        if not path.is_file():
            return None
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        if find_mismatch(name, sha256, len(data), expected_by(self.lock, read_lock(self.lock), name)):
            return None
        rows: list[dict[str, Any]] = parse_json(data, path)  # type: ignore[assignment]
        return rows

    def _path(self, name: str) -> Path:
        return self.folder / "index" / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
