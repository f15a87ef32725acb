"""What is known before the first step: tokenized examples, batches, and the configuration of the model."""

from trainer.preparation.batches import Batches, order_by_digest, pack, schedule_batches, snake_partition
from trainer.preparation.example_table import (
    IGNORE_INDEX,
    Counts,
    check_lengths,
    format_length_report,
    open_table,
    write_table,
)
from trainer.preparation.examples import Encoder, Example, limit_length
from trainer.preparation.state import TrainConfig, TrainState, begin_run, check_size, mixture_text, prepare
from trainer.preparation.tokenizer import load_tokenizer, tokenizer_sha256
from trainer.preparation.tokens_per_pair import write_tokens_per_pair

__all__ = [
    "IGNORE_INDEX",
    "Batches",
    "Counts",
    "Encoder",
    "Example",
    "TrainConfig",
    "TrainState",
    "begin_run",
    "check_lengths",
    "check_size",
    "format_length_report",
    "limit_length",
    "load_tokenizer",
    "mixture_text",
    "open_table",
    "order_by_digest",
    "pack",
    "prepare",
    "schedule_batches",
    "snake_partition",
    "tokenizer_sha256",
    "write_table",
    "write_tokens_per_pair",
]
