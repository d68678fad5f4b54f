"""Gathering: what two arms say beside the task itself, pair by pair and then in sum.

Rows are paired by id, and only what both arms hold is told. Intervals are of the mean of after minus before, clustered
by subject for test records, by topic for probes and by probe within a topic; they are not corrected for their number.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assay.evaluations import Arm
from assay.outcomes import Answer, TextLoss
from assay.reporting.asked import ALL, Asked, Confidence, Foreseen, Kept, Shift
from assay.reporting.excerpts import Bound

VERSION = 1

Row = tuple[float, float, str]
"""An item's score before, after, and its cluster."""


def gathered(  # noqa: PLR0913 — two models and what was asked of them
    before: Arm,
    after: Arm,
    *,
    target: str,
    confidence: float,
    bound: Bound,
    calibration: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
    metrics: Sequence[str] = (),
) -> Asked:
    """Put together what two arms say beside the task itself.

    Args:
        before: The baseline's evaluation and items.
        after: The candidate's, of the same items.
        target: Score by which robustness is shown.
        confidence: Of each one-sided bound.
        bound: What bounds a difference of items in 0 … 1.
        calibration: Of both models, :meth:`assay.evaluation.calibration.Calibration.model_dump`.
        metrics: Names of the recipe's own metrics.
    """

    def shift(name: str, rows: Sequence[Row]) -> Shift:
        return _shift(name, rows, confidence, bound)

    pairs = _paired(before.answers, after.answers)
    return Asked(
        level=2 * confidence - 1,
        target=target,
        texts=_texts(before.texts, after.texts),
        safety=_safety(before, after, shift),
        robustness=_robustness(before, after, target, shift),
        confidence=_both(*calibration) if calibration else None,
        metrics=tuple(
            shift(name, [(b.scores[name], a.scores[name], b.subject) for b, a in pairs])
            for name in metrics
            if pairs and name in pairs[0][0].scores
        ),
    )


def _shift(name: str, rows: Sequence[Row], confidence: float, bound: Bound) -> Shift:
    first, second = [row[0] for row in rows], [row[1] for row in rows]
    found = bound(first, second, [row[2] for row in rows], confidence)
    return Shift(
        name=name,
        n=len(rows),
        before=math.fsum(first) / len(rows),
        after=math.fsum(second) / len(rows),
        lower=found.lower,
        upper=found.upper,
        gained=found.wins,
        lost=found.losses,
    )


def _texts(before: Sequence[TextLoss], after: Sequence[TextLoss]) -> tuple[Foreseen, ...]:
    """All texts, then each kind by name; nothing if the models were not asked the same."""
    if not before or [text.id for text in before] != [text.id for text in after]:
        return ()

    def row(name: str) -> Foreseen:
        first, second = ([text for text in side if name in {ALL, text.group}] for side in (before, after))
        return Foreseen(name=name, n=len(first), before=_perplexity(first), after=_perplexity(second))

    return tuple(row(name) for name in [ALL, *sorted({text.group for text in before})])


def _perplexity(texts: Sequence[TextLoss]) -> float:
    return math.exp(math.fsum(text.nats for text in texts) / sum(text.tokens for text in texts))


def _safety(before: Arm, after: Arm, shift: Callable[[str, list[Row]], Shift]) -> tuple[Shift, ...]:
    parts: dict[str, list[Row]] = {}
    second = {choice.id: choice for choice in after.probes}
    both = [(choice, second[choice.id]) for choice in before.probes if choice.id in second]
    for first, then in both:
        if first.kind:
            parts.setdefault(first.kind, []).append((float(first.correct), float(then.correct), first.group))
    topics: dict[str, list[Row]] = {}
    for first, then in both:
        topics.setdefault(first.group, []).append((float(first.correct), float(then.correct), first.id))
    ordered = [(name, parts[name]) for name in ("harmful", "benign") if name in parts]
    return tuple(shift(name, rows) for name, rows in [*ordered, *sorted(topics.items())])


def _robustness(before: Arm, after: Arm, target: str, shift: Callable[[str, list[Row]], Shift]) -> tuple[Kept, ...]:
    sides = [_variants(arm, target) for arm in (before, after)]
    return tuple(
        Kept(
            variant=name,
            n=len(sides[0][name]),
            before=shift(name, sides[0][name]),
            after=shift(name, sides[1][name]),
        )
        for name in sides[0]
        if name in sides[1]
    )


def _variants(arm: Arm, target: str) -> dict[str, list[Row]]:
    """Variant → of each record its score as it is, its score in that form, and its subject."""
    originals = {answer.id: answer for answer in arm.answers}
    found: dict[str, list[Row]] = {}
    for answer in arm.variants:
        original = originals.get(answer.attributes.get("of", ""))
        if original is not None and target in answer.scores:
            scores = (original.scores[target], answer.scores[target], answer.subject)
            found.setdefault(answer.attributes.get("variant", ""), []).append(scores)
    return found


def _paired(before: Sequence[Answer], after: Sequence[Answer]) -> list[tuple[Answer, Answer]]:
    second = {answer.id: answer for answer in after}
    return [(answer, second[answer.id]) for answer in before if answer.id in second]


def _both(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Confidence, Confidence]:
    return Confidence.model_validate(before), Confidence.model_validate(after)
