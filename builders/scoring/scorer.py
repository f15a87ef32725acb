"""What the build asks of a model that scores sentence pairs."""

from collections.abc import Sequence
from typing import Protocol


class Scorer(Protocol):
    """Scores sentence pairs. The same pair gets the same score in any batch."""

    @property
    def name(self) -> str:
        """The name of the model in a release."""

    @property
    def fingerprint(self) -> str:
        """A digest of everything that scores depend on."""

    @property
    def licence(self) -> str:
        """The licence of the model."""

    @property
    def num_workers(self) -> int:
        """How many batches are scored at the same time."""

    def check_language(self, lang: str) -> None:
        """Raise InputError if the model does not have a language."""

    def score(self, en: Sequence[str], xx: Sequence[str], lang: str) -> list[float | None]:
        """Return a score for each pair, higher for better ones; None for a pair that is too long for the model."""
