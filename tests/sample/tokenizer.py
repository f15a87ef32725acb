"""Make the tokenizer of recipes/training/tiny.yaml from the sample's texts: byte-level BPE, the same bytes every time.

    python tests/sample/tokenizer.py [OUT]

Byte level means that any language can be written in it; the prompts are in its training text, so they cost few tokens.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
OUT = ROOT / "recipes" / "training" / "tiny-tokenizer"
SPECIAL = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
SIZE = 2048


def texts() -> Iterator[str]:
    """The sample's sentences and records, and the prompts that they are put in."""
    from recipes.prompts import prompt_templates

    for path in sorted((HERE / "text").glob("*.sentences.tsv")):
        yield from path.read_text(encoding="utf-8").split("\n")
    for path in sorted((HERE / "text").glob("*.records.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from (value for value in json.loads(line).values() if isinstance(value, str))
    alpaca = prompt_templates()["alpaca"]
    asked = "Translate the following sentences from English to {}."
    for name in ("Arabic", "Greek", "Hindi", "Turkish", "Vietnamese", "Chinese"):
        yield from [alpaca.prompt(asked.format(name), "x"), alpaca.prompt(asked.format(name), "")] * 20


def make() -> Tokenizer:
    """The trained tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, special_tokens=SPECIAL, initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return tokenizer


def main(out: Path) -> None:
    """Write the tokenizer as transformers reads it."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_text(make().to_str() + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 512,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
