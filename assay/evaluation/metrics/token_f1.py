"""Token F1: how many words an answer shares with the expected one, for answers that are prose.

As SQuAD defines it (Rajpurkar et al. 2016, arXiv:1606.05250): both texts in lower case, without punctuation and without
the articles *a*, *an*, *the*; words counted as often as they stand; F1 = 2 PR / (P + R) of precision and recall over
them. Two texts that hold nothing then are equal (1); one that holds nothing and one that does share nothing (0).

Put it in a recipe as ``metrics: {token_f1: "assay.evaluation.metrics.token_f1:TokenF1"}``. Word order and meaning are
not looked at, and a text in a language without spaces is one word.
"""

import re
import string
from collections import Counter
from typing import Any

import datasets
import evaluate

VERSION = 1

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TokenF1(evaluate.Metric):
    """``compute(predictions, references)`` gives ``{"token_f1": mean}``."""

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
        items = [f1(p, r) for p, r in zip(predictions, references, strict=True)]
        return {"items": items} if per_item else {"token_f1": sum(items) / len(items)}


def f1(prediction: str, reference: str) -> float:
    """F1 over the words of both texts."""
    said, expected = Counter(words(prediction)), Counter(words(reference))
    shared = (said & expected).total()
    if not said or not expected:
        return float(said == expected)
    return 2 * shared / (said.total() + expected.total())


def words(text: str) -> list[str]:
    """A text's words, normalised as SQuAD does."""
    return _ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split()
