"""Tokenizers made in the test, the same every time: one in LLaMA's manner, one that merges over a boundary."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}


def metaspace(folder: Path) -> PreTrainedTokenizerBase:
    """Bytes as fallback for every letter, spaces as marks, a begin token before every text, and no padding token."""
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
    """Bytes, and one token for a colon with the letter after it: it reaches from the prompt into the answer."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = ["<unk>", "<s>", "</s>", "<pad>", *letters, f":{first}"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[(":", first)]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return saved(PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", **SPECIAL), folder)


def saved(tokenizer: PreTrainedTokenizerBase, folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer as it is read back from a folder."""
    tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)
