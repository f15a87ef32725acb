"""How busy the devices of one machine are while several languages are translated.

    python tests/benchmarks/idle_devices.py [--devices 4] [--records 6000] [--fails 0.05]

The back end has devices that take a fixed time for the bytes of a batch and compute nothing, and some translations fail
at the first try. Prints, for one language at a time and for as many as the project has, the seconds by the clock and
the share of them that the devices were busy.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, Semaphore

import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from builders.pipeline.write_tables import INSTRUCTIONS
from builders.translation import Translation, Translator, translate_instructions, translation_table
from builders.workspace import Workspace

BYTES_PER_S = 5_000  # of a device, so slow that this process is never what the devices wait for
SENTENCES = {
    "el": "Το σπίτι {} είναι παλιό.",
    "ar": "البيت {} قديم.",
    "hi": "घर {} पुराना है।",
    "tr": "Ev {} eskidir.",
    "vi": "Ngôi nhà {} thì cũ.",
    "zh": "第{}号房子很旧。",
}


@dataclass
class Clock:
    """The devices, and the seconds that they were busy."""

    free: Semaphore
    busy: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def compute(self, num_bytes: int) -> None:
        """Hold a device as long as it would take for a text."""
        took = num_bytes / BYTES_PER_S
        with self.free:
            time.sleep(took)
        with self.lock:
            self.busy += took


@dataclass(frozen=True)
class Devices(Translator):
    """Writes the number of a house, as late as a device would."""

    clock: Clock
    num_devices: int
    fails: float
    decoding: str = "first"
    name = "devices"
    fingerprint = "0" * 64
    licence = "CC0-1.0"
    languages = tuple(SENTENCES)

    @property
    def num_workers(self) -> int:  # type: ignore[override]
        """Two a device."""
        return 2 * self.num_devices

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return a sentence for each."""
        self.clock.compute(max(map(len, texts)) * len(texts))
        flags = [("truncated",) if self.decoding == "first" and share_of(text) < self.fails else () for text in texts]
        sentences = [SENTENCES[lang].format(text.split()[3]) for text in texts]
        return [Translation(*pair) for pair in zip(sentences, flags, strict=True)]

    def fallback(self) -> Translator | None:
        """Return the same with another decoding."""
        return replace(self, decoding="second") if self.decoding == "first" else None


def share_of(text: str) -> float:
    """Return a number from 0 to 1 that looks like chance."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--records", type=int, default=6000)
    parser.add_argument("--fails", type=float, default=0.05, help="Share that fails at the first try.")
    asked = parser.parse_args()
    rows = []
    for at_once in (1, translation_table.LANGUAGES_AT_ONCE):
        translation_table.LANGUAGES_AT_ONCE = at_once
        translator = Devices(Clock(Semaphore(asked.devices)), asked.devices, asked.fails)
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            translate(asked.records, translator, Path(folder))
        took = time.perf_counter() - begun
        rows.append([at_once, f"{took:.1f}", f"{translator.clock.busy / took / asked.devices:.0%}"])
    print(tabulate(rows, ["languages at once", "seconds", "devices busy"]))


def translate(num_records: int, translator: Translator, folder: Path) -> None:
    """Translate records into all languages."""
    texts = [f"The house number {number} is old." for number in range(num_records)]
    empty = {name: pa.nulls(num_records, INSTRUCTIONS.field(name).type) for name in INSTRUCTIONS.names}
    blank = pa.array([""] * num_records)
    columns = {"id": pa.array(map(str, range(num_records))), "instruction": pa.array(texts)}
    table = pa.table(empty | columns | {"input": blank, "output": blank}, schema=INSTRUCTIONS)
    pq.write_table(table, folder / "instructions.parquet")
    work = Workspace(folder / "work")
    translate_instructions(folder / "instructions.parquet", "houses", tuple(SENTENCES), translator, work, {})
    work.close()


if __name__ == "__main__":
    main()
