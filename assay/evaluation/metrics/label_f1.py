"""Label F1: how well each class of the label field is found, all classes weighing the same.

For a class, with TP right answers, FP wrong answers that name it, and FN items of it that got
another answer: ``F1 = 2 TP / (2 TP + FP + FN)``. Macro F1 is the mean over the classes that are
expected at least once or predicted at least once (Sokolova & Lapalme 2009,
doi:10.1016/j.ipm.2009.03.002; the mean of F1s, not the F1 of means, see Opitz & Burst 2019,
arXiv:1911.03347).

An answer from which no label can be read is an answer of a class of its own that nobody expects: it
is a miss of the right class, and, F1 of that class being 0, lowers the mean once more. A model that
answers nonsense now and then does therefore not look better than one that answers wrongly.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from assay.evaluation.metrics import answers

VERSION = 1


class LabelF1(evaluate.Metric):
    """``compute(predictions, references, label=FIELD)`` gives ``{"label_f1": macro F1}``.

    It is no mean over items: with ``per_item=True`` it says for each whether its label is right.
    """

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="",
            inputs_description="predictions, references: JSON texts; label: name of the field; per_item: label right?",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self, predictions: list[str], references: list[str], *, label: str, per_item: bool = False, **_: object
    ) -> dict[str, Any]:
        said = [answers.label(text, label) for text in predictions]
        expected = [answers.label(text, label) for text in references]
        if per_item:
            return {"items": [float(s is not None and s == e) for s, e in zip(said, expected, strict=True)]}
        return {"label_f1": macro(expected, said)}


def macro(expected: Sequence[str | None], predicted: Sequence[str | None]) -> float:
    """Macro F1; ``None`` stands for an answer without a label."""
    pairs = Counter(zip(expected, predicted, strict=True))
    scores = []
    for kind in set(expected) | set(predicted):
        hits = pairs[kind, kind] if kind is not None else 0
        misses = sum(n for (e, p), n in pairs.items() if (e == kind) != (p == kind))
        if kind is None:
            misses += pairs[None, None]
        scores.append(2 * hits / (2 * hits + misses))
    return sum(scores) / len(scores)
