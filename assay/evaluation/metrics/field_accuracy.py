"""Field accuracy: how many of the answer's fields are right.

The fields are those that the output schema names. A field is right if the answer and the expected
answer both give it with equal values, or both leave it out. An answer that is no JSON object has no
field right, not even one that was to be left out. An item's score is the mean over its fields.
"""

from typing import Any

import datasets
import evaluate

from assay.evaluation.metrics import answers

VERSION = 1


class FieldAccuracy(evaluate.Metric):
    """``compute(predictions, references, names=…)`` gives ``field_accuracy`` and ``field:NAME`` for each name."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="",
            inputs_description="predictions, references: JSON texts; names: the fields; per_item: give every score.",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self,
        predictions: list[str],
        references: list[str],
        *,
        names: list[str],
        per_item: bool = False,
        **_: object,
    ) -> dict[str, Any]:
        rows = [right(p, r, names) for p, r in zip(predictions, references, strict=True)]
        items = [{"field_accuracy": sum(row.values()) / len(row), **_named(row)} for row in rows]
        if per_item:
            return {"items": items}
        return {key: sum(item[key] for item in items) / len(items) for key in items[0]}


def right(prediction: str, reference: str, names: list[str]) -> dict[str, float]:
    """1.0 or 0.0 for each of ``names``."""
    said, expected = answers.fields(prediction), answers.fields(reference) or {}
    if said is None:
        return dict.fromkeys(names, 0.0)
    return {
        name: float(
            (name in said) == (name in expected) and answers.spell(said.get(name)) == answers.spell(expected.get(name))
        )
        for name in names
    }


def _named(row: dict[str, float]) -> dict[str, float]:
    return {f"field:{name}": value for name, value in row.items()}
