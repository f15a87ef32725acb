"""CTranslate2 behind one class: batches of sentences in, translations and what the engine knows of them out."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from builders.translation.model import END, UNKNOWN, Model
from builders.translation.tokens import Tokenizer, load_tokenizer
from corpora.errors import InputError

LONGEST_SOURCE = 510  # tokens of a sentence; NLLB was trained on no more than 512 with the language and the end
TOKENS = {"cpu": 4096, "cuda": 16384}  # of a batch in the engine, with padding


@dataclass(frozen=True)
class Decoding:
    """How a translation is chosen; part of the key under which it is remembered."""

    compute_type: str
    beam_size: int = 4
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0

    @property
    def name(self) -> str:
        """The decoding as the translation memory spells it."""
        extra = f" penalty {self.repetition_penalty:g} ngram {self.no_repeat_ngram_size}"
        return f"{self.compute_type} beam {self.beam_size}" + (extra if self.no_repeat_ngram_size else "")

    def other(self) -> "Decoding":
        """What a segment is tried with again: a wider beam that must not repeat itself."""
        return replace(self, beam_size=self.beam_size + 1, repetition_penalty=1.2, no_repeat_ngram_size=4)


@dataclass(frozen=True)
class Output:
    """One translation, and what the engine says of it: `cut` at the limit, `unknown_token`, `too_long` to be tried."""

    text: str
    facts: tuple[str, ...]


@dataclass
class Engine:
    """A model on the devices of this machine; it is loaded when the first batch comes."""

    model: Model
    threads: int

    @cached_property
    def device(self) -> str:
        """`cuda` if there is a GPU that CTranslate2 can use, else `cpu`."""
        import ctranslate2

        return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"

    @property
    def workers(self) -> int:
        """How many batches are translated at the same time."""
        import ctranslate2

        return ctranslate2.get_cuda_device_count() if self.device == "cuda" else self.threads

    @property
    def compute_type(self) -> str:
        """int8 on CPUs, float16 on GPUs."""
        return "float16" if self.device == "cuda" else "int8"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return load_tokenizer(self.model)

    def translator(self, compute_type: str) -> Any:
        """CTranslate2's translator: every GPU, or a worker a core, since whole batches share nothing.

        A batch is computed by one core, so its result does not depend on their number.
        """
        if compute_type not in self._loaded:
            self._loaded.clear()
            self._loaded[compute_type] = self._load(compute_type)
        return self._loaded[compute_type]

    @cached_property
    def _loaded(self) -> dict[str, Any]:
        return {}

    def _load(self, compute_type: str) -> Any:
        import ctranslate2

        devices = list(range(ctranslate2.get_cuda_device_count())) if self.device == "cuda" else 0
        workers = {"inter_threads": self.threads, "intra_threads": 1} if self.device == "cpu" else {}
        try:
            return ctranslate2.Translator(
                str(self.model.folder), self.device, device_index=devices, compute_type=compute_type, **workers
            )
        except (RuntimeError, ValueError) as error:
            first = str(error).split("\n", 1)[0].rstrip(".")
            way_out = "Leave --compute-type out" if "compute type" in first else "Fetch or convert it again"
            raise InputError(f"CTranslate2 cannot load the model {self.model.folder}: {first}. {way_out}.") from None

    def fits(self, text: str) -> bool:
        """Whether a sentence is short enough for the model."""
        return len(self.tokenizer.encode([text])[0]) <= LONGEST_SOURCE

    def start(self, texts: Sequence[str], lang: str, decoding: Decoding) -> "Started":
        """Give a batch of English texts to the engine; the result is waited for in `Started.finish`."""
        sources = self.tokenizer.source(texts, self.model.token("en"))
        fit = [number for number, tokens in enumerate(sources) if len(tokens) - 2 <= LONGEST_SOURCE]
        longest = max((len(sources[number]) for number in fit), default=0)
        futures = (
            self.translator(decoding.compute_type).translate_batch(
                [sources[number] for number in fit],
                [[self.model.token(lang)]] * len(fit),
                max_batch_size=TOKENS[self.device],
                batch_type="tokens",
                asynchronous=True,
                beam_size=decoding.beam_size,
                repetition_penalty=decoding.repetition_penalty,
                no_repeat_ngram_size=decoding.no_repeat_ngram_size,
                max_input_length=0,
                max_decoding_length=min(2 * longest + 20, 1000),
                return_end_token=True,
            )
            if fit
            else []
        )
        return Started(self.tokenizer, len(texts), fit, futures, sum(len(sources[number]) for number in fit))


@dataclass(frozen=True)
class Started:
    """A batch that the engine has been given; `num_tokens` are those of its sources."""

    tokenizer: Tokenizer
    size: int
    fit: Sequence[int]
    futures: Sequence[Any]
    num_tokens: int

    def finish(self) -> list[Output]:
        """Wait for the batch; its translations in the order of the texts."""
        outputs = [Output("", ("too_long",))] * self.size
        # The first token of a hypothesis is the language, since it was the prefix.
        hypotheses = [future.result().hypotheses[0][1:] for future in self.futures]
        whole = [tokens[:-1] if tokens[-1:] == [END] else tokens for tokens in hypotheses]
        texts = self.tokenizer.decode([[token for token in tokens if token != UNKNOWN] for tokens in whole])
        for number, tokens, text in zip(self.fit, hypotheses, texts, strict=True):
            facts = (("cut",) if tokens[-1:] != [END] else ()) + (("unknown_token",) if UNKNOWN in tokens else ())
            outputs[number] = Output(text.strip(), facts)
        return outputs


def all_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
