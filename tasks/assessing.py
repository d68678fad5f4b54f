"""Assessing: the task's metrics on the validation side, asked of a model that is being trained.

A few records, the same whatever the seed, are answered greedily and scored by the evaluation's own metrics, so that a
curve says what the loss cannot: whether answers are right. The test side is never asked here.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from assay.evaluation import generation
from assay.model import prompting
from assay.records import Record
from assay.tuning import TrainingSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

VERSION = 1  # Raise on any change here that could change which weights are chosen: it is part of the key of training.

BATCH = 16
"""Prompts answered together. It may move an answer, so it is no setting."""

Assess = Callable[[Any], dict[str, float]]


def assessor(
    records: Sequence[Record], tokenizer: "PreTrainedTokenizerBase", system: str, window: int, spec: TrainingSpec
) -> Assess | None:
    """What gives ``exact_match`` and ``field_accuracy`` of a model; None if the recipe asks for no answers.

    Args:
        records: Of the validation side.
        tokenizer: The base's.
        system: The system turn.
        window: Tokens that the model reads, prompt and answer together.
        spec: How many records are answered, and at what length.
    """
    asked = spec.selection
    if not asked.answers or not records:
        return None
    drawn = sorted(records, key=_lot)[: asked.answers]
    room = min(spec.max_length, window - asked.max_new_tokens)
    prompts = [list(prompting.encode(tokenizer, system, r.context, None, room).input_ids) for r in drawn]

    def assess(model: Any) -> dict[str, float]:  # noqa: ANN401
        was_training = model.training
        model.eval()
        said = generation.answer(model, tokenizer, prompts, asked.max_new_tokens, BATCH, _unheard)
        model.train(was_training)
        return scores(said, [record.completion for record in drawn])

    return assess


def scores(said: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
    """Means over the answers. A field counts if the expected answer has it; text that is no JSON has none."""
    from assay.evaluation.metrics import answers
    from assay.evaluation.metrics.exact_match import match
    from assay.evaluation.metrics.field_accuracy import right

    exact, fields = [], []
    for answer, wanted in zip(said, expected, strict=True):
        exact.append(match(answer, wanted))
        names = sorted(answers.fields(wanted) or {})
        each = right(answer, wanted, names) if names else {"": exact[-1]}
        fields.append(sum(each.values()) / len(each))
    return {"exact_match": sum(exact) / len(exact), "field_accuracy": sum(fields) / len(fields)}


def _lot(record: Record) -> str:
    """By digest of the id: as good as drawn, and the same records for every training that is compared."""
    return hashlib.sha256(record.id.encode()).hexdigest()


def _unheard(_: int, __: int) -> None:
    """Progress within a measurement is not told."""
