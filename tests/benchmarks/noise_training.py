"""Whether the filter `misaligned` makes better models: tiny ones trained on a noisy corpus with it and without it.

    python tests/benchmarks/noise_training.py SENTENCES RESULTS [--langs el,hi,tr,zh] [--seeds 5] [--share 0.3]

SENTENCES is the folder that `misaligned.py` reads. A share of the sentences of a language gets the other side of
another one. A word-level encoder with attention and a decoder learn to translate into English, from as many pairs that
the build keeps with the filter as without it. The measure is the mean negative log likelihood of a word of clean
sentences that no build has seen. RESULTS is a JSONL file with a line for each model: a run that was stopped goes on
with the next. Prints the difference by language and over all, with an interval of 95 % over seeds.
"""

import argparse
import json
import random
import re
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from misaligned import Pairs, read_sentences, shuffle_share
from real_lines import write_corpus
from tabulate import tabulate
from torch import nn

from builders.run import run_build

ARMS = {"without": ("misaligned",), "with": ()}
NUM_HELD_OUT = 1_000
MAX_WORDS, VOCABULARY, WIDTH, BATCH, NUM_STEPS = 14, 2_000, 64, 32, 1_200
PAD, UNKNOWN, START, END = range(4)
T_QUANTILE = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # of 95 %, by the number of seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--langs", default="el,hi,tr,zh")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    done = [json.loads(line) for line in asked.results.read_text().splitlines()] if asked.results.exists() else []
    langs, kept = asked.langs.split(","), {}
    for seed in range(asked.seeds):
        for lang in langs:
            for arm in ARMS:
                if any((row["lang"], row["seed"], row["arm"]) == (lang, seed, arm) for row in done):
                    continue
                kept.setdefault(lang, build(asked.sentences, lang, asked.share))
                row = {"lang": lang, "seed": seed, "arm": arm} | train(*kept[lang], arm, lang, seed)
                done.append(row)
                with asked.results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(row, flush=True)
    report(done, langs)


def build(folder: Path, lang: str, share: float) -> tuple[dict[str, Pairs], Pairs]:
    """Return the pairs that each arm keeps of a noisy corpus, and clean ones that are not in it."""
    sentences = read_sentences(folder, lang)
    random.Random(7).shuffle(sentences)
    lines, _ = shuffle_share(sentences[NUM_HELD_OUT:], share)
    kept = {}
    for arm, left_out in ARMS.items():
        with tempfile.TemporaryDirectory() as work:
            request = write_corpus({lang: lines}, "noisy", Path(work))
            (built,) = run_build(replace(request, disable_filters=left_out))
            frame = built.lines(lang).collect()
            kept[arm] = frame.filter(frame["reject_reason"].is_null()).sort("line_number").select("en", "xx").rows()
    return kept, sentences[:NUM_HELD_OUT]


def words(text: str, lang: str) -> list[str]:
    return re.findall(r"\w" if lang == "zh" else r"\w+|[^\w\s]", text.lower())[:MAX_WORDS]


class Translator(nn.Module):
    """An encoder of words, attention, and a decoder with one recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(VOCABULARY, WIDTH)
        self.encoder = nn.GRU(WIDTH, WIDTH // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.out = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, xx: torch.Tensor, en: torch.Tensor) -> torch.Tensor:
        """Return the logits of the words after each of `en`."""
        keys = self.encoder(self.source(xx))[0] + self.source(xx)
        states = self.decoder(self.target(en))[0]
        weights = (states @ keys.transpose(1, 2) / WIDTH**0.5).masked_fill((xx == PAD)[:, None], -1e9).softmax(-1)
        return torch.tanh(self.out(torch.cat([states, weights @ keys], -1))) @ self.target.weight.T


def train(kept: dict[str, Pairs], held_out: Pairs, arm: str, lang: str, seed: int) -> dict[str, Any]:
    """Return the loss of a model on clean sentences, and how many pairs it has learned from."""
    count = min(map(len, kept.values()))
    pairs = random.Random(seed).sample(kept[arm], count)
    codes = ("en", lang)
    vocabularies = [vocabulary([words(pair[side], codes[side]) for pair in pairs]) for side in (0, 1)]
    torch.manual_seed(seed)
    model = Translator()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    source = random.Random(seed)
    for _ in range(NUM_STEPS):
        loss, num = loss_of(model, source.sample(pairs, BATCH), vocabularies, lang)
        optimizer.zero_grad()
        (loss / num).backward()
        optimizer.step()
    with torch.no_grad():
        losses = [loss_of(model, held_out[n : n + 100], vocabularies, lang) for n in range(0, len(held_out), 100)]
    return {"loss": float(sum(loss for loss, _ in losses)) / sum(num for _, num in losses), "num_pairs": count}


def vocabulary(texts: list[list[str]]) -> dict[str, int]:
    frequent = Counter(word for text in texts for word in text).most_common(VOCABULARY - 4)
    return {word: number for number, (word, _) in enumerate(frequent, 4)}


def loss_of(model: Translator, pairs: Pairs, vocabularies: list[dict[str, int]], lang: str) -> tuple[torch.Tensor, int]:
    """Return the sum of the losses of the English words, and their number; unknown words do not count."""
    en = [[START, *(vocabularies[0].get(word, UNKNOWN) for word in words(pair[0], "en")), END] for pair in pairs]
    xx = [[vocabularies[1].get(word, UNKNOWN) for word in words(pair[1], lang)] or [UNKNOWN] for pair in pairs]
    en_ids, xx_ids = (
        nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in side], batch_first=True) for side in (en, xx)
    )
    targets = en_ids[:, 1:]
    is_counted = targets > UNKNOWN
    losses = nn.functional.cross_entropy(
        model(xx_ids, en_ids[:, :-1])[is_counted], targets[is_counted], reduction="sum"
    )
    return losses, int(is_counted.sum())


def report(done: list[dict[str, Any]], langs: list[str]) -> None:
    """Print what the filter changes."""
    table, by_seed = [], {}
    for lang in langs:
        losses = {(row["seed"], row["arm"]): row["loss"] for row in done if row["lang"] == lang}
        own = {
            seed: losses[seed, "with"] - losses[seed, "without"]
            for seed, arm in losses
            if (seed, "with") in losses and arm == "without"
        }
        if own:
            table.append((lang, len(own), mean(losses[s, "without"] for s in own), *interval(list(own.values()))))
            for seed, value in own.items():
                by_seed.setdefault(seed, []).append(value)
    whole = [mean(values) for values in by_seed.values() if len(values) == len(table)]
    if whole:
        table.append(("all", len(whole), float("nan"), *interval(whole)))
    print(tabulate(table, ["lang", "seeds", "loss without", "difference", "interval of 95 %"], floatfmt=".4f"))


def interval(values: list[float]) -> tuple[float, str]:
    if len(values) < 2:
        return mean(values), ""
    half = T_QUANTILE.get(len(values), 2.0) * stdev(values) / len(values) ** 0.5
    return mean(values), f"[{mean(values) - half:+.4f}, {mean(values) + half:+.4f}]"


if __name__ == "__main__":
    main()
