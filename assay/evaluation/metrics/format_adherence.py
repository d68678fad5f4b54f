"""Format adherence: the share of answers that a program could use as they are.

An answer adheres if all of it is JSON (:mod:`assay.evaluation.metrics.answers`: no prose, no code fence, no
name twice) and it satisfies the JSON schema, draft 2020-12. A reference in the schema to another
document is never fetched.
"""

from typing import Any

import datasets
import evaluate
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from assay.evaluation.metrics import answers

VERSION = 1


class FormatAdherence(evaluate.Metric):
    """``compute(predictions, references, schema=…)`` gives ``{"format_adherence": mean}``.

    References are not looked at; they are taken so that every metric has the same inputs.
    """

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="",
            inputs_description="predictions, references: texts; schema: a JSON schema; per_item: give every score.",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self,
        predictions: list[str],
        references: list[str],  # noqa: ARG002 — every metric has the same inputs
        *,
        schema: dict[str, Any],
        per_item: bool = False,
        **_: object,
    ) -> dict[str, Any]:
        validator = Draft202012Validator(schema, registry=Registry())
        items = [adheres(text, validator) for text in predictions]
        return {"items": items} if per_item else {"format_adherence": sum(items) / len(items)}


def adheres(text: str, validator: Draft202012Validator) -> float:
    """1.0 if ``text`` is JSON and valid. A schema that cannot be applied to it is not satisfied."""
    value = answers.read(text)
    try:
        return float(value is not answers.UNREADABLE and validator.is_valid(value))
    except (Unresolvable, RecursionError):
        return 0.0
