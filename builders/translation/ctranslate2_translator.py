"""Translators by models of NLLB, M2M100, SMaLL-100, MADLAD-400 and OPUS-MT, run by CTranslate2 on this machine."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from threading import Lock
from typing import Any

from builders.translation.model import END_TOKEN, UNKNOWN, Model
from builders.translation.model_loading import load_ctranslate2
from builders.translation.model_lock import model_files
from builders.translation.model_source import find_model
from builders.translation.pair_translator import CODE, PairTranslator
from builders.translation.tokenizer import Tokenizer, load_tokenizer
from builders.translation.translator import Translation, Translator, TranslatorOptions
from cards.licences import model_licence
from corpora.catalog import languages
from corpora.cluster import node_name
from corpora.download import SourceFile
from corpora.errors import InputError

BATCH_TOKENS = {"cpu": 4096, "cuda": 16_384}  # of a batch in CTranslate2, padding included
BATCH_BYTES = {"cpu": 16_384, "cuda": 131_072}  # of English, padding included: about four times the tokens
MAX_DECODING_TOKENS = 1000


@dataclass(frozen=True)
class Decoding:
    """How a translation is searched for."""

    compute_type: str
    beam_size: int = 4
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0

    @property
    def name(self) -> str:
        """The decoding as the translation memory stores it."""
        extra = f" penalty {self.repetition_penalty:g} ngram {self.no_repeat_ngram_size}"
        return f"{self.compute_type} beam {self.beam_size}" + (extra if self.no_repeat_ngram_size else "")

    def fallback(self) -> "Decoding":
        """Return the decoding of a second try: a wider beam that must not repeat itself."""
        return replace(self, beam_size=self.beam_size + 1, repetition_penalty=1.2, no_repeat_ngram_size=4)


@dataclass(frozen=True)
class CTranslate2Translator(Translator):
    """Translates with a model in CTranslate2's format."""

    engine: "Engine"
    search: Decoding
    is_portable = True

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the model."""
        return self.engine.model.name

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """The digest of the model's files."""
        return self.engine.model.sha256

    @property
    def licence(self) -> str:  # type: ignore[override]
        """The licence of the model."""
        return self.engine.model.licence

    @property
    def languages(self) -> Collection[str]:  # type: ignore[override]
        """The languages whose token the model has, or the one that it is for."""
        return [lang for lang in languages() if lang != "en" and self.engine.model.has(lang)]

    @property
    def decoding(self) -> str:  # type: ignore[override]
        """Compute type and beam size."""
        return self.search.name

    @property
    def num_workers(self) -> int:  # type: ignore[override]
        """Two a GPU, or two a core, so that none ever waits for the next batch."""
        return 2 * self.engine.num_workers

    @property
    def batch_bytes(self) -> int:  # type: ignore[override]
        """About 4,096 tokens on CPUs, eight times as many on GPUs."""
        return BATCH_BYTES[self.engine.device]

    @property
    def max_tokens(self) -> int:  # type: ignore[override]
        """The longest sentence that the model was trained on."""
        return self.engine.model.scheme.max_tokens

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return translations with the flags source_too_long, truncated and unknown_token."""
        return self.engine.translate(texts, lang, self.search)

    def num_tokens(self, text: str) -> int:
        """Return the number of tokens of a segment in the model's vocabulary."""
        return len(self.engine.tokenizer.encode([text])[0])

    def fallback(self) -> Translator | None:
        """Return the same model with another decoding."""
        return None if self.search.no_repeat_ngram_size else replace(self, search=self.search.fallback())

    def check_device(self) -> None:
        """Raise InputError if a GPU was planned and this process has none."""
        self.engine.check_device()

    def describe(self) -> dict[str, Any]:
        """Return name, digest, revision, licence and decoding."""
        return {**super().describe(), "revision": self.engine.model.revision}

    def models(self) -> list[dict[str, str]]:
        """Return the model; if its card states no licence, the one that its name is known for."""
        licence = self.licence if self.licence != "not stated" else model_licence(self.name)
        return [{"name": self.name, "sha256": self.fingerprint, "licence": licence}]

    def files(self) -> list[SourceFile]:
        """Return the model's files from the Hub."""
        return model_files(self.engine.model)


@dataclass
class Engine:
    """A model on the processors of this machine; it is loaded with the first batch."""

    model: Model
    threads: int
    planned_device: str | None = None  # where workers elsewhere compute
    _lock: Lock = field(default_factory=Lock)
    _loaded: dict[str, Any] = field(default_factory=dict)  # CTranslate2's translator by compute type

    @cached_property
    def device(self) -> str:
        """`cuda` if there is a GPU that CTranslate2 can use, else `cpu`; or what was planned for workers elsewhere."""
        import ctranslate2

        return self.planned_device or ("cuda" if ctranslate2.get_cuda_device_count() else "cpu")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a worker elsewhere have the model on one core or one GPU."""
        return Engine, (self.model, 1, self.device)

    def check_device(self) -> None:
        """Raise InputError if a GPU was planned and this process has none."""
        import ctranslate2

        if self.planned_device == "cuda" and not ctranslate2.get_cuda_device_count():
            raise InputError(
                f"CTranslate2 finds no GPU on the node {node_name()}, but the cluster counts one there. GPUs and cores "
                "translate differently, so all workers have the same: install CUDA on this node, or leave it out."
            )

    @cached_property
    def num_workers(self) -> int:
        """How many batches are translated at the same time: one a GPU, or one a core."""
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

    def load(self, compute_type: str) -> Any:
        """Return CTranslate2's translator on every GPU, or with a worker a core.

        A batch is computed by one core, so its result does not depend on their number.
        """
        with self._lock:
            if compute_type not in self._loaded:
                self._loaded.clear()
                self._loaded[compute_type] = self._load(compute_type)
            return self._loaded[compute_type]

    def _load(self, compute_type: str) -> Any:
        devices = list(range(self.num_workers)) if self.device == "cuda" else 0
        workers = {"inter_threads": self.threads, "intra_threads": 1} if self.device == "cpu" else {}
        try:
            return load_ctranslate2(
                self.model.folder, self.device, device_index=devices, compute_type=compute_type, **workers
            )
        except (RuntimeError, ValueError) as error:
            first = str(error).split("\n", 1)[0].rstrip(".")
            hint = "Leave --compute-type out" if "compute type" in first else "Download or convert it again"
            raise InputError(f"CTranslate2 cannot load the model {self.model.folder}: {first}. {hint}.") from None

    def translate(self, texts: Sequence[str], lang: str, decoding: Decoding) -> list[Translation]:
        """Return the translations of English segments, in their order."""
        prefix, longest = self.model.source_prefix(lang), self.model.scheme.max_tokens
        sources = self.tokenizer.source(texts, prefix)
        fitting = [number for number, tokens in enumerate(sources) if len(tokens) - len(prefix) - 1 <= longest]
        translations = [Translation("", ("source_too_long",))] * len(texts)
        hypotheses = self.search([sources[number] for number in fitting], lang, decoding)
        complete = [tokens[:-1] if tokens[-1:] == [END_TOKEN] else tokens for tokens in hypotheses]
        decoded = self.tokenizer.decode([[token for token in tokens if token != UNKNOWN] for tokens in complete])
        for number, tokens, text in zip(fitting, hypotheses, decoded, strict=True):
            flags = (("truncated",) if tokens[-1:] != [END_TOKEN] else ()) + (
                ("unknown_token",) if UNKNOWN in tokens else ()
            )
            translations[number] = Translation(text.strip(), flags)
        return translations

    def search(self, sources: Sequence[list[str]], lang: str, decoding: Decoding) -> list[list[str]]:
        """Return the best hypothesis of each source, without the token of the language that it begins with."""
        if not sources:
            return []
        longest, prefix = max(map(len, sources)), self.model.target_prefix(lang)
        results = self.load(decoding.compute_type).translate_batch(
            list(sources),
            [prefix] * len(sources) if prefix else None,
            max_batch_size=BATCH_TOKENS[self.device],
            batch_type="tokens",
            beam_size=decoding.beam_size,
            repetition_penalty=decoding.repetition_penalty,
            no_repeat_ngram_size=decoding.no_repeat_ngram_size,
            max_input_length=0,
            max_decoding_length=min(2 * longest + 20, MAX_DECODING_TOKENS),
            return_end_token=True,
        )
        return [result.hypotheses[0][len(prefix) :] for result in results]


def open_ctranslate2(model: str, options: TranslatorOptions) -> Translator:
    """Return a translator by the model in a folder, or in a repository of the Hub (ORG/REPO[@REVISION]).

    With `{code}` in it, the models are one for each language.
    """
    if CODE in model:
        licence = options.row.licence if options.row else ""
        return PairTranslator(model, licence or model_licence(model), partial(_open, options=options))
    return _open(model, "", options)


def _open(model: str, lang: str, options: TranslatorOptions) -> CTranslate2Translator:
    engine = Engine(find_model(model, options, lang), options.threads or all_cores(), options.device)
    return CTranslate2Translator(engine, Decoding(options.compute_type or engine.compute_type, options.beam))


def all_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
