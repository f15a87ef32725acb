"""Tokenizers that tests build: one like LLaMA's, and one with a token that spans prompt and answer."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}


def metaspace(folder: Path) -> PreTrainedTokenizerBase:
    """Return a tokenizer with byte fallback, spaces as marks, a begin token before every text, and no padding token."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return saved(PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL), folder)


def merging(folder: Path, first: str = "T") -> PreTrainedTokenizerBase:
    """Return a tokenizer of bytes and one token for a colon with the letter after it, which spans prompt and answer."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = ["<unk>", "<s>", "</s>", "<pad>", *letters, f":{first}"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[(":", first)]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return saved(PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", **SPECIAL), folder)


def saved(tokenizer: PreTrainedTokenizerBase, folder: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer as it is loaded from a folder."""
    tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)
