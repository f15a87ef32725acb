"""What a worker elsewhere does: it keeps the models of some languages, and turns batches into files of the memory."""

from collections.abc import Mapping, Sequence

from builders.translation.scheduler import BatchRequest, make_batch, write_batch
from builders.translation.translator import Translator
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions


class TranslationWorker:
    """Translators by language, on one GPU or one core."""

    def __init__(self, translators: Mapping[str, Translator], extensions: Extensions) -> None:
        self._translators = translators
        self._extensions = extensions

    def begin(self) -> None:
        """Raise InputError if this process does not have the processor that the run was planned for."""
        for translator in self._translators.values():
            translator.check_device()

    def do(self, request: BatchRequest) -> int:
        """Translate a batch, check it, write its file, and return the number of segments."""
        with use_extensions(self._extensions):
            translator = self._translator(request)
            digests: Sequence[str] = list(request.texts)
            batch = make_batch(digests, request.texts, request.partition, translator)
            if not batch.path.exists():
                translations = translator.translate([masked.text for masked in batch.masked], request.partition.lang)
                write_batch(batch, translations, request.partition, translator)
        return len(digests)

    def _translator(self, request: BatchRequest) -> Translator:
        own = self._translators[request.partition.lang]
        for translator in (own, own.fallback()):
            key = (translator.fingerprint, translator.decoding) if translator else None
            if translator and key == (request.partition.model, request.decoding):
                return translator
        raise InputError(
            f"This worker has the model {own.fingerprint[:16]} with {own.decoding}, not that of the run "
            f"({request.partition.model[:16]} with {request.decoding}). Install the same model on all nodes."
        )
