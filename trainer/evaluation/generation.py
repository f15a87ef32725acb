"""What a model answers, and what it would have guessed: both in batches of like length, longest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainer.evaluation.eval_model import Candidate
from trainer.evaluation.items import Item

Row = dict[str, Any]
MARGIN = 16  # tokens that a prompt keeps at the least, however long the answer may be


@dataclass(frozen=True)
class Decoding:
    """How an answer is made: greedily, of at most so many tokens (arXiv 2308.04948: 512)."""

    max_new_tokens: int = 512
    batch_size: int = 32

    @property
    def signature(self) -> str:
        return f"greedy:{self.max_new_tokens}"


def generate(candidate: Candidate, items: Sequence[Item], decoding: Decoding) -> Iterator[list[Row]]:
    """The answers to items, a batch at a time: {place, text, num_prompt, num_new, cut, ended}.

    A prompt that leaves no room for the answer among the model's positions loses its middle, and `cut` says so.
    """
    prompts = candidate.encoder.prompts([(item.instruction, item.input) for item in items])
    room = max(MARGIN, positions(candidate) - decoding.max_new_tokens)
    fitted = [without_middle(prompt, room) for prompt in prompts]
    for places in by_length([len(prompt) for prompt in fitted], decoding.batch_size):
        answers = _answers(candidate, [fitted[place] for place in places], decoding.max_new_tokens)
        yield [
            {"place": place, "num_prompt": len(prompts[place]), "cut": len(prompts[place]) > room} | answer
            for place, answer in zip(places, answers, strict=True)
        ]


def positions(candidate: Candidate) -> int:
    """How many tokens the model can attend to."""
    return int(getattr(candidate.model.config.get_text_config(), "max_position_embeddings", 0) or 1 << 20)


def without_middle(ids: list[int], room: int) -> list[int]:
    """The ids, or their first and last where they are too many: instructions stand at both ends."""
    if len(ids) <= room:
        return ids
    head = room // 2
    return ids[:head] + ids[len(ids) - (room - head) :]


def by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """The places of all lengths in batches, longest first, so that memory runs out at once or never."""
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    for start in range(0, len(order), size):
        yield order[start : start + size]


@torch.inference_mode()
def _answers(candidate: Candidate, prompts: Sequence[list[int]], max_new_tokens: int) -> list[Row]:
    """The greedy answers to a batch of prompts, padded on the left."""
    from transformers import GenerationConfig

    model, tokenizer = candidate.model, candidate.tokenizer
    ends = _ends(candidate)
    width, padding = max(map(len, prompts)), ends[0]
    ids = torch.tensor([[padding] * (width - len(prompt)) + prompt for prompt in prompts], device=model.device)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
    config = GenerationConfig(
        do_sample=False, num_beams=1, max_new_tokens=max_new_tokens, eos_token_id=ends, pad_token_id=padding
    )
    made = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)[:, width:].tolist()
    answers = [_until_end(row, ends) for row in made]
    texts = tokenizer.batch_decode([answer for answer, _ in answers], skip_special_tokens=True)
    return [
        {"text": text.strip(), "num_new": len(answer), "ended": ended}
        for text, (answer, ended) in zip(texts, answers, strict=True)
    ]


def _ends(candidate: Candidate) -> list[int]:
    """The tokens that end an answer: the tokenizer's, and those that the model's own settings name."""
    named = candidate.model.generation_config.eos_token_id
    others = named if isinstance(named, list) else [] if named is None else [named]
    return list(dict.fromkeys([candidate.tokenizer.eos_token_id, *others]))


def _until_end(ids: Sequence[int], ends: Sequence[int]) -> tuple[list[int], bool]:
    """The ids before the first end token, and whether there is one."""
    place = next((place for place, token in enumerate(ids) if token in ends), None)
    return (list(ids), False) if place is None else (list(ids[:place]), True)


def force(candidate: Candidate, items: Sequence[Item], decoding: Decoding) -> Iterator[list[Row]]:
    """How many tokens of each first reference the model guesses, given those before it, a batch at a time.

    Rows are {place, correct, num_tokens, cut}; the end token counts as one of the reference's.
    """
    import polars as pl

    rows = [("", "", "", "", item.instruction, item.input, item.references[0]) for item in items]
    columns = ("id", "lang", "task", "direction", "instruction", "input", "output")
    examples = list(
        candidate.encoder.encode(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"))
    )
    limit = positions(candidate)
    fitted = [_fitted(example.input_ids, example.num_prompt, limit) for example in examples]
    for places in by_length([len(ids) for ids, _ in fitted], decoding.batch_size):
        counts = _guessed(candidate, [fitted[place] for place in places])
        yield [
            {"place": place, "correct": right, "num_tokens": of, "cut": len(examples[place].input_ids) > limit}
            for place, (right, of) in zip(places, counts, strict=True)
        ]


def _fitted(ids: list[int], num_prompt: int, limit: int) -> tuple[list[int], int]:
    """Prompt and answer within the limit: an answer keeps half of it at the least, a prompt loses its middle."""
    if len(ids) <= limit:
        return ids, num_prompt
    prompt = without_middle(ids[:num_prompt], max(limit // 2, limit - (len(ids) - num_prompt)))
    return (prompt + ids[num_prompt:])[:limit], len(prompt)


@torch.inference_mode()
def _guessed(candidate: Candidate, batch: Sequence[tuple[list[int], int]]) -> list[tuple[int, int]]:
    """For each (ids, length of its prompt): how many of the answer's tokens are the likeliest, and how many there are.

    The head sees the answers' places alone: the logits of a whole batch would not fit beside a large vocabulary.
    """
    model, width = candidate.model, max(len(ids) for ids, _ in batch)
    ids = torch.tensor([row + [0] * (width - len(row)) for row, _ in batch], device=model.device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row, _ in batch], device=model.device)
    hidden = model.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    counts = []
    for number, (row, num_prompt) in enumerate(batch):
        first = max(num_prompt, 1)
        logits = model.get_output_embeddings()(hidden[number, first - 1 : len(row) - 1])
        counts.append((int((logits.argmax(-1) == ids[number, first : len(row)]).sum()), len(row) - first))
    return counts
