"""The tokenizer of a translation model, by `tokenizers`, or by `sentencepiece` if the model has no tokenizer.json."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from builders.translation.model import END_TOKEN, FETCH_HINT, MARIAN, TOKENIZERS, Model
from builders.translation.model_loading import load_fast_tokenizer, load_sentencepiece
from corpora.errors import InputError

Encode = Callable[[Sequence[str]], list[list[str]]]
Decode = Callable[[Sequence[Sequence[str]]], list[str]]


@dataclass(frozen=True)
class Tokenizer:
    """Turns texts into tokens, without a token of the language and an end token, and tokens into texts."""

    encode: Encode
    decode: Decode

    def source(self, texts: Sequence[str], prefix: Sequence[str]) -> list[list[str]]:
        """Return the tokens of texts as models read them: perhaps a token of a language, the text, </s>."""
        return [[*prefix, *tokens, END_TOKEN] for tokens in self.encode(texts)]


def load_tokenizer(model: Model) -> Tokenizer:
    """Return the tokenizer of a model.

    Only names of tokens are passed to CTranslate2. A tokenizer.json numbers them as the model does, so a vocabulary in
    another order is damaged.

    Raises:
        InputError: The tokenizer is damaged or belongs to another model.
    """
    path = next(model.folder / name for name in TOKENIZERS if (model.folder / name).is_file())
    try:
        tokenizer, known = _fast(path) if path.suffix == ".json" else _pieces(path, _target_pieces(path))
    except Exception as error:  # both libraries raise plain Exception or RuntimeError for a damaged file
        raise InputError(f"The tokenizer {path} cannot be read: {error}. {FETCH_HINT}") from None
    numbers = [model.vocabulary[token] for token in known if token in model.vocabulary]
    missing = len(known) - len(numbers)
    moved = sum(number > after for number, after in pairwise(numbers)) if path.suffix == ".json" else 0
    if max(missing, moved) > len(known) // 100 + 1:
        what = f"{missing:,} of its {len(known):,} tokens are not in" if missing > moved else "its tokens are not as in"
        raise InputError(
            f"The tokenizer {path} is not this model's: {what} the vocabulary of the model, or that is damaged. "
            f"{FETCH_HINT}"
        )
    return tokenizer


def _fast(path: Path) -> tuple[Tokenizer, list[str]]:
    fast = load_fast_tokenizer(path)
    fast.no_truncation()
    fast.no_padding()

    def encode(texts: Sequence[str]) -> list[list[str]]:
        return [encoding.tokens for encoding in fast.encode_batch(list(texts), add_special_tokens=False)]

    def decode(tokens: Sequence[Sequence[str]]) -> list[str]:
        numbers = [[fast.token_to_id(token) for token in sequence] for sequence in tokens]
        return list(fast.decode_batch([[n for n in sequence if n is not None] for sequence in numbers]))

    numbers = fast.get_vocab(with_added_tokens=False)
    return Tokenizer(encode, decode), sorted(numbers, key=numbers.__getitem__)


def _target_pieces(path: Path) -> Path:
    """Return the SentencePiece model of translations, which OPUS-MT has beside that of sources."""
    return path.with_name(MARIAN[1]) if path.name == MARIAN[0] else path


def _pieces(path: Path, target_path: Path) -> tuple[Tokenizer, list[str]]:
    processor = load_sentencepiece(path)
    target = processor if target_path == path else load_sentencepiece(target_path)

    def encode(texts: Sequence[str]) -> list[list[str]]:
        return [list(processor.encode(text, out_type=str)) for text in texts]

    def decode(tokens: Sequence[Sequence[str]]) -> list[str]:
        return [target.decode([piece for piece in sequence if piece != "<unk>"]) for sequence in tokens]

    known = [processor.id_to_piece(number) for number in range(processor.get_piece_size())]
    return Tokenizer(encode, decode), known
