"""Text -> tokens and back, by the model's own tokenizer: `tokenizers`, or `sentencepiece` where that is all it has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from builders.translation.model import END, TOKENIZERS, Model
from corpora.errors import InputError

Encode = Callable[[Sequence[str]], list[list[str]]]
Decode = Callable[[Sequence[Sequence[str]]], list[str]]


@dataclass(frozen=True)
class Tokenizer:
    """Texts to tokens without a language and an end, and tokens to texts."""

    encode: Encode
    decode: Decode

    def source(self, texts: Sequence[str], token: str) -> list[list[str]]:
        """Texts as NLLB and M2M100 read them: [language] ... </s>."""
        return [[token, *tokens, END] for tokens in self.encode(texts)]


def load_tokenizer(model: Model) -> Tokenizer:
    """The tokenizer of a model; InputError if it is damaged or belongs to another model.

    Tokens are given to the engine by name, and by number to none; but a tokenizer.json numbers them as the model does,
    so where the vocabulary has them in another order it is damaged.
    """
    path = next(model.folder / name for name in TOKENIZERS if (model.folder / name).is_file())
    try:
        tokenizer, known = _fast(path) if path.suffix == ".json" else _pieces(path)
    except Exception as error:  # both libraries raise plain Exception or RuntimeError for a damaged file
        raise InputError(f"The tokenizer {path} cannot be read: {error}. Fetch or convert the model again.") from None
    places = [model.vocabulary[token] for token in known if token in model.vocabulary]
    missing = len(known) - len(places)
    moved = sum(place > after for place, after in pairwise(places)) if path.suffix == ".json" else 0
    if max(missing, moved) > len(known) // 100 + 1:
        what = f"{missing:,} of its {len(known):,} tokens are not in" if missing > moved else "its tokens are not as in"
        raise InputError(
            f"The tokenizer {path} is not this model's: {what} the vocabulary of the model, or that is damaged. "
            "Fetch or convert the model again, tokenizer and all."
        )
    return tokenizer


def _fast(path: Path) -> tuple[Tokenizer, list[str]]:
    from tokenizers import Tokenizer as Fast

    fast = Fast.from_file(str(path))
    fast.no_truncation()
    fast.no_padding()

    def encode(texts: Sequence[str]) -> list[list[str]]:
        return [encoding.tokens for encoding in fast.encode_batch(list(texts), add_special_tokens=False)]

    def decode(tokens: Sequence[Sequence[str]]) -> list[str]:
        numbers = [[fast.token_to_id(token) for token in sequence] for sequence in tokens]
        return fast.decode_batch([[n for n in sequence if n is not None] for sequence in numbers])

    numbers = fast.get_vocab(with_added_tokens=False)
    return Tokenizer(encode, decode), sorted(numbers, key=numbers.__getitem__)


def _pieces(path: Path) -> tuple[Tokenizer, list[str]]:
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_file=str(path))

    def encode(texts: Sequence[str]) -> list[list[str]]:
        return [list(processor.encode(text, out_type=str)) for text in texts]

    def decode(tokens: Sequence[Sequence[str]]) -> list[str]:
        return [processor.decode([piece for piece in sequence if piece != "<unk>"]) for sequence in tokens]

    known = [processor.id_to_piece(number) for number in range(processor.get_piece_size())]
    return Tokenizer(encode, decode), known
