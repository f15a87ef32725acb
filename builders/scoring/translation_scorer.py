"""Score pairs by a translation model, both ways: dual conditional cross-entropy (Junczys-Dowmunt 2018, W18-6478)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from builders.translation import END_TOKEN, Engine, TranslatorOptions, all_cores, find_model
from corpora.catalog import language
from corpora.errors import InputError

VERSION = "dual conditional cross-entropy 1"
DECIMALS = 3
BATCH_TOKENS = {"cpu": 4096, "cuda": 16_384}  # of a batch in CTranslate2, padding included


@dataclass(frozen=True)
class TranslationScorer:
    """Scores a pair by how likely each side is, given the other: less the mean and the difference of both."""

    engine: Engine
    compute_type: str

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.engine.model.name

    @property
    def fingerprint(self) -> str:
        """A digest of the model's files, the compute type and the formula."""
        text = f"{VERSION} {self.compute_type} {self.engine.model.sha256}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def licence(self) -> str:
        """The licence of the model."""
        return self.engine.model.licence

    @property
    def num_workers(self) -> int:
        """The number of GPUs, or of cores."""
        return self.engine.num_workers

    def check_language(self, lang: str) -> None:
        """Raise InputError if the model does not have a language, or does not translate from it."""
        model = self.engine.model
        model.token(lang)
        if not model.token("en"):
            raise InputError(
                f"The translation model {model.name} translates into {language(lang).name} only, but pairs are scored "
                "both ways. Name a model of many languages with --score-with, such as nllb."
            )

    def score(self, en: Sequence[str], xx: Sequence[str], lang: str) -> list[float | None]:
        """Return less the mean cross-entropy of both ways, less their difference, per token."""
        sides = [self.engine.tokenizer.encode(list(texts)) for texts in (en, xx)]
        longest = self.engine.model.scheme.max_tokens
        fitting = [row for row in range(len(en)) if max(len(side[row]) for side in sides) <= longest]
        own_en, own_xx = ([side[row] for row in fitting] for side in sides)
        forward = self._losses(own_en, own_xx, "en", lang)
        backward = self._losses(own_xx, own_en, lang, "en")
        scores: list[float | None] = [None] * len(en)
        for row, a, b in zip(fitting, forward, backward, strict=True):
            scores[row] = round(-(abs(a - b) + (a + b) / 2), DECIMALS)
        return scores

    def _losses(self, sources: list[list[str]], targets: list[list[str]], source: str, target: str) -> list[float]:
        """Return the mean cross-entropy of the tokens of each target, that of its language left out."""
        if not sources:
            return []
        model = self.engine.model
        before = model.token(source if model.scheme.before_source == "en" else target)
        begin = [model.token(target)] if model.scheme.begins_target else []
        results = self.engine.load(self.compute_type).score_batch(
            [[before, *tokens, END_TOKEN] for tokens in sources],
            [[*begin, *tokens] for tokens in targets],
            max_batch_size=BATCH_TOKENS[self.engine.device],
            batch_type="tokens",
            max_input_length=0,
            offset=len(begin),
        )
        return [-sum(result.log_probs) / max(1, len(result.log_probs)) for result in results]


def open_translation_scorer(model: str, options: TranslatorOptions) -> TranslationScorer:
    """Return what scores pairs by the translation model in a folder, or of a repository of the Hub."""
    engine = Engine(find_model(model, options), options.threads or all_cores(), options.device)
    return TranslationScorer(engine, options.compute_type or engine.compute_type)
