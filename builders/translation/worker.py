"""What a worker does, here or elsewhere: it keeps the models of some languages, and turns batches into files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builders.translation.partition import Partition
from builders.translation.placeholders import MaskedText, mask_placeholders, restore_placeholders
from builders.translation.quality_checks import check_translations
from builders.translation.translator import Translation, Translator
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions


@dataclass(frozen=True)
class BatchRequest:
    """A batch to translate: segments by digest, and the partition of the memory that its file belongs to."""

    partition: Partition
    decoding: str
    texts: Mapping[str, str]


class TranslationWorker:
    """Translators by language: on one GPU or one core, or on all of them in threads that share it."""

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
            if not request.partition.batch_path(request.decoding, list(request.texts)).exists():
                masked = [mask_placeholders(text) for text in request.texts.values()]
                translations = translator.translate([text.text for text in masked], request.partition.lang)
                restored = [_restore(one, own) for one, own in zip(translations, masked, strict=True)]
                write_batch(request, restored, translator)
        return len(request.texts)

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


def write_batch(request: BatchRequest, translations: Sequence[Translation], translator: Translator) -> None:
    """Check the translations of a batch, and write them as a file."""
    digests, sources = list(request.texts), list(request.texts.values())
    texts, flags = [t.text for t in translations], [list(t.flags) for t in translations]
    failed = check_translations(sources, texts, flags, request.partition.lang)
    columns = {"sha256": digests, "en": sources, "text": texts, "flags": flags, "failed_check": failed}
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    origin = {"decoding": request.decoding, **translator.origin()._asdict()}
    path = request.partition.batch_path(request.decoding, digests)
    request.partition.write_batch(path, ({**row, **origin} for row in rows))


def _restore(translation: Translation, masked: MaskedText) -> Translation:
    """Return a translation with its placeholders, or with the flag that they are lost."""
    text = restore_placeholders(translation.text, masked.placeholders)
    if text is None:
        return Translation(translation.text, (*translation.flags, "placeholder_lost"))
    return translation._replace(text=text)
