"""Exact match: the share of answers that say just what was expected.

Two texts match if both are JSON and equal in value (:mod:`assay.evaluation.metrics.answers`), or else if they
are the same string but for white space at the ends.
"""

from typing import Any

import datasets
import evaluate

from assay.evaluation.metrics import answers

VERSION = 1


class ExactMatch(evaluate.Metric):
    """``compute(predictions, references)`` gives ``{"exact_match": mean}``."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="",
            inputs_description="predictions, references: texts; per_item: give every score instead of the mean.",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self, predictions: list[str], references: list[str], *, per_item: bool = False, **_: object
    ) -> dict[str, Any]:
        items = [match(p, r) for p, r in zip(predictions, references, strict=True)]
        return {"items": items} if per_item else {"exact_match": sum(items) / len(items)}


def match(prediction: str, reference: str) -> float:
    """1.0 if the texts are equal as JSON or, where one is not JSON, as stripped strings."""
    said, expected = answers.read(prediction), answers.read(reference)
    if answers.UNREADABLE in (said, expected):
        return float(prediction.strip() == reference.strip())
    return float(answers.spell(said) == answers.spell(expected))
