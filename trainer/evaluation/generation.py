"""Answers of a model, and how well it predicts references: both in batches of similar length, longest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainer.evaluation.batching import by_length
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.items import Item

Row = dict[str, Any]
MIN_PROMPT_TOKENS = 16  # that a prompt keeps, however long the answer may be


@dataclass(frozen=True)
class Decoding:
    """Greedy decoding of at most `max_new_tokens` tokens (arXiv 2308.04948: 512), in batches."""

    max_new_tokens: int = 512
    batch_size: int = 32


def generate(model: EvalModel, items: Sequence[Item], decoding: Decoding) -> Iterator[list[Row]]:
    """Yield the answers to items, a batch at a time.

    Rows are {index, text, num_prompt_tokens, num_new_tokens, truncated, ended}. A prompt that leaves no room for the
    answer within the model's context loses its middle, and `truncated` says so.
    """
    prompts = model.encoder.prompts([(item.instruction, item.input) for item in items])
    longest = max(MIN_PROMPT_TOKENS, context_length(model) - decoding.max_new_tokens)
    fitted = [truncate_middle(prompt, longest) for prompt in prompts]
    for indices in by_length([len(prompt) for prompt in fitted], decoding.batch_size):
        answers = _generate_batch(model, [fitted[index] for index in indices], decoding.max_new_tokens)
        yield [
            {
                "index": index,
                "num_prompt_tokens": len(prompts[index]),
                "truncated": len(prompts[index]) > longest,
            }
            | answer
            for index, answer in zip(indices, answers, strict=True)
        ]


def context_length(model: EvalModel) -> int:
    """Return how many tokens the model attends to."""
    return int(getattr(model.model.config.get_text_config(), "max_position_embeddings", 0) or 1 << 20)


def truncate_middle(ids: list[int], length: int) -> list[int]:
    """Return ids, or their first and last where they are too many: instructions are at both ends."""
    if len(ids) <= length:
        return ids
    head = length // 2
    return ids[:head] + ids[len(ids) - (length - head) :]


@torch.inference_mode()
def _generate_batch(model: EvalModel, prompts: Sequence[list[int]], max_new_tokens: int) -> list[Row]:
    """Return the greedy answers to prompts, which are padded on the left."""
    from transformers import GenerationConfig

    ends = eos_ids(model)
    width, padding, device = max(map(len, prompts)), ends[0], model.model.device
    ids = torch.tensor([[padding] * (width - len(prompt)) + prompt for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    config = GenerationConfig(
        do_sample=False, num_beams=1, max_new_tokens=max_new_tokens, eos_token_id=ends, pad_token_id=padding
    )
    output = model.model.generate(input_ids=ids, attention_mask=mask, generation_config=config)[:, width:].tolist()
    answers = [cut_at_eos(row, ends) for row in output]
    texts = model.tokenizer.batch_decode([answer for answer, _ in answers], skip_special_tokens=True)
    return [
        {"text": text.strip(), "num_new_tokens": len(answer), "ended": ended}
        for text, (answer, ended) in zip(texts, answers, strict=True)
    ]


def eos_ids(model: EvalModel) -> list[int]:
    """Return the tokens that end an answer: the tokenizer's, and those of the model's generation settings."""
    own = model.model.generation_config.eos_token_id
    others = own if isinstance(own, list) else [] if own is None else [own]
    return list(dict.fromkeys([model.tokenizer.eos_token_id, *others]))


def cut_at_eos(ids: Sequence[int], ends: Sequence[int]) -> tuple[list[int], bool]:
    """Return the ids before the first end token, and whether there is one."""
    end = next((index for index, token in enumerate(ids) if token in ends), None)
    return (list(ids), False) if end is None else (list(ids[:end]), True)


def teacher_forced(model: EvalModel, items: Sequence[Item], decoding: Decoding) -> Iterator[list[Row]]:
    """Yield how many tokens of each first reference the model predicts from those before, a batch at a time.

    Rows are {index, num_top1_matches, num_reference_tokens, truncated}; the end token counts as one of the
    reference's.
    """
    import polars as pl

    rows = [("", "", "", "", item.instruction, item.input, item.references[0]) for item in items]
    columns = ("id", "lang", "task", "direction", "instruction", "input", "output")
    examples = list(model.encoder.encode(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")))
    longest = context_length(model)
    fitted = [_fit(example.input_ids, example.num_prompt, longest) for example in examples]
    for indices in by_length([len(ids) for ids, _ in fitted], decoding.batch_size):
        counts = top1_matches(model, [fitted[index] for index in indices])
        yield [
            {
                "index": index,
                "num_top1_matches": matches,
                "num_reference_tokens": num_tokens,
                "truncated": len(examples[index].input_ids) > longest,
            }
            for index, (matches, num_tokens) in zip(indices, counts, strict=True)
        ]


def _fit(ids: list[int], num_prompt: int, length: int) -> tuple[list[int], int]:
    """Return prompt and answer within a length: the answer keeps at least half of it, the prompt loses its middle."""
    if len(ids) <= length:
        return ids, num_prompt
    prompt = truncate_middle(ids[:num_prompt], max(length // 2, length - (len(ids) - num_prompt)))
    return (prompt + ids[num_prompt:])[:length], len(prompt)


@torch.inference_mode()
def top1_matches(model: EvalModel, batch: Sequence[tuple[list[int], int]]) -> list[tuple[int, int]]:
    """Return, for each (ids, length of the prompt), how many answer tokens are the likeliest, and how many there are.

    The head is applied to the answers' positions only: the logits of a whole batch would not fit into memory beside a
    large vocabulary.
    """
    network, width = model.model, max(len(ids) for ids, _ in batch)
    ids = torch.tensor([row + [0] * (width - len(row)) for row, _ in batch], device=network.device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row, _ in batch], device=network.device)
    hidden = network.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    counts = []
    for number, (row, num_prompt) in enumerate(batch):
        first = max(num_prompt, 1)
        logits = network.get_output_embeddings()(hidden[number, first - 1 : len(row) - 1])
        counts.append((int((logits.argmax(-1) == ids[number, first : len(row)]).sum()), len(row) - first))
    return counts
