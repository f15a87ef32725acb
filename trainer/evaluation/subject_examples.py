"""The sampler of few-shot examples in our lm-eval task files: those of the question's own subject, in order."""

from collections.abc import Sequence
from typing import Any

from lm_eval.api.samplers import ContextSampler

from corpora.errors import InputError
from trainer.evaluation.subject_files import missing_examples


class SubjectExamples(ContextSampler):
    """Takes the first examples that a question brings with it."""

    def sample(
        self, n: int, eval_doc: dict[str, Any] | None = None, df: Any = None, **_: Any
    ) -> Sequence[dict[str, Any]]:
        """Return the first `n` examples of a question's subject.

        Raises:
            InputError: There are fewer.
        """
        assert eval_doc is not None, "fewshot_split must be test_split"
        examples: Sequence[dict[str, Any]] = eval_doc["examples"]
        if not examples:
            raise InputError(missing_examples(f"The subject {eval_doc['subject']}", "its file of examples"))
        if len(examples) < n:
            raise InputError(f"The subject {eval_doc['subject']} has {len(examples)} examples; {n} are shown.")
        return examples[:n]
