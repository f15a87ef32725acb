"""Control tokens of a tokenizer that stand in a text, such as `</s>` or `<|im_end|>`, are read as text.

A chat template writes control tokens around texts, so the tokenizer has to read them there and nowhere else. In texts
they are replaced by marks, private characters that no text has, before the template is applied; where the result is
tokenized, a mark becomes the ids of the token's characters.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

FIRST_MARK, MAX_TOKENS = 0xF0000, 0xFFFD  # code points for private use


@dataclass(frozen=True)
class ControlTokens:
    """The control tokens of a tokenizer."""

    tokenizer: Any

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The tokens as texts, longer ones first."""
        added = [token.content for token in self.tokenizer.added_tokens_decoder.values() if token.special]
        tokens = {text for text in (*self.tokenizer.all_special_tokens, *added) if text.strip()}
        return tuple(sorted(tokens, key=lambda text: (-len(text), text))[:MAX_TOKENS])

    def mark(self, text: str) -> str:
        """Return a text with marks in place of its control tokens; a character that is a mark becomes U+FFFD."""
        if not self.texts:
            return text
        text = self._marks.sub("\ufffd", text)
        return self._tokens.sub(lambda match: chr(FIRST_MARK + self.texts.index(match[0])), text)

    def has_marks(self, text: str) -> bool:
        """Return True if a text has marks."""
        return self._marks.search(text) is not None

    def pieces(self, text: str) -> list[tuple[str, bool]]:
        """Return the pieces of a marked text, and for each whether it is a control token to be read as text."""
        pieces = self._marks.split(text)
        return [
            (self.texts[ord(piece) - FIRST_MARK], True) if index % 2 else (piece, False)
            for index, piece in enumerate(pieces)
            if piece
        ]

    @cached_property
    def _tokens(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.texts)))

    @cached_property
    def _marks(self) -> re.Pattern[str]:
        last = max(0, len(self.texts) - 1)
        return re.compile(f"([{chr(FIRST_MARK)}-{chr(FIRST_MARK + last)}])")
