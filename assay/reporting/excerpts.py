"""Excerpts: what a report shows of too much: sums, the first few, one of each kind.

Nothing here decides anything. The differences shown beside the gate's criteria carry the same kind of bounds, are not
corrected for their number, and say so on the page.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from assay.evaluations import FEW_SUBJECTS, RARE, Arm
from assay.outcomes import Answer, Choice, TextLoss
from assay.records import Dropped
from assay.reporting import serving
from assay.reporting.content import Change, Example, Passage, Reason

VERSION = 3

SHOWN_EXAMPLES = 8
SHOWN_IDS = 12
SHOWN_REASONS = 12

_ABILITY, _SAFETY, _PERPLEXITY = "general_ability", "safety", "perplexity"
_NAMED = re.compile(r"\S*\d\S*?(?=[:,;.]?(?:\s|$))")
"""A word with a digit in it: an id or a number, by which reasons of one kind differ."""

Item = TypeVar("Item", Answer, Choice)


class Interval(Protocol):
    """A difference of pairs: its one-sided bounds, and how many pairs differ which way."""

    @property
    def lower(self) -> float:
        """The truth is above it at the confidence asked for."""

    @property
    def upper(self) -> float:
        """The truth is below it at the confidence asked for."""

    @property
    def wins(self) -> int:
        """Pairs that went up."""

    @property
    def losses(self) -> int:
        """Pairs that went down."""


Bound = Callable[[Sequence[float], Sequence[float], Sequence[str], float], Interval]
"""Bounds the mean of after minus before, given both, their clusters and a confidence, such as
:func:`assay.evaluation.comparison.intervals.difference`."""


def changes(before: Arm, after: Arm, target: str, confidence: float, bound: Bound) -> dict[str, Any]:
    """What became of every number, as the fields of a :class:`~assay.reporting.content.Content` that are changes.

    Args:
        before: The baseline's evaluation and items.
        after: The candidate's, of the same items.
        target: Score by which slices are shown.
        confidence: Of each one-sided bound.
        bound: What bounds a difference. Only what is a mean over items has an interval.
    """
    answers, choices = _pairs(before.answers, after.answers), _pairs(before.choices, after.choices)
    harmful = [[probe for probe in arm.probes if probe.kind == "harmful"] for arm in (before, after)]
    asked = {_ABILITY: choices, _SAFETY: _pairs(*harmful)}
    first, second = before.evaluation, after.evaluation
    timed = [serving.sums(arm.timings) for arm in (before, after)]

    def of_scores(name: str, score: str, pairs: Sequence[tuple[Answer, Answer]]) -> Change:
        values = [(b.scores[score], a.scores[score]) for b, a in pairs]
        return _bounded(name, values, [b.subject for b, _ in pairs], confidence, bound)

    def of_metric(name: str) -> Change:
        if answers and name in answers[0][0].scores:
            return of_scores(name, name, answers)
        if chosen := asked.get(name):
            values = [(float(b.correct), float(a.correct)) for b, a in chosen]
            return _bounded(name, values, [b.cluster for b, _ in chosen], confidence, bound)
        return Change(name=name, before=first.metrics.get(name), after=second.metrics.get(name))

    more = [name for name, pairs in asked.items() if pairs and name not in first.metrics]
    return {
        "metrics": (
            *(of_metric(name) for name in [*_names(first.metrics, second.metrics), *more]),
            *_foreseen(before.texts, after.texts),
        ),
        "fields": tuple(of_scores(name, f"field:{name}", answers) for name in first.fields),
        "slices": {
            attribute: tuple(of_scores(value, target, pairs) for value, pairs in _by_value(answers, attribute))
            for attribute in first.slices
        },
        "abilities": tuple(_group(name, pairs) for name, pairs in _by_group(choices)),
        "latency": tuple(
            Change(name=name, before=timed[0].get(name), after=timed[1].get(name)) for name in _names(*timed)
        ),
    }


def examples(
    ids: Sequence[str], prompts: Mapping[str, str], before: Sequence[Answer], after: Sequence[Answer], *, won: bool
) -> tuple[Example, ...]:
    """The first of every expected label, then the second of each, and so on, up to :data:`SHOWN_EXAMPLES`.

    Args:
        ids: Of the test records to choose from.
        prompts: Record id → its redacted prompt.
        before: The baseline's answers.
        after: The candidate's.
        won: Whether it is the candidate that is right.
    """
    chosen = set(ids)
    rank: dict[str, int] = {}
    ranked: list[tuple[int, int, Answer, Answer]] = []
    for place, (first, second) in enumerate(_pairs(before, after)):
        if first.id in chosen:
            rank[first.label_expected] = rank.get(first.label_expected, -1) + 1
            ranked.append((rank[first.label_expected], place, first, second))
    ranked.sort(key=lambda row: row[:2])
    return tuple(
        Example(
            id=first.id,
            prompt=prompts.get(first.id, ""),
            expected=first.expected,
            before=first.answer,
            after=second.answer,
            wrong=_wrong(first if won else second),
        )
        for _, _, first, second in ranked[:SHOWN_EXAMPLES]
    )


def passage(step: str, taken: int, passed: int, dropped: Sequence[Dropped]) -> Passage:
    """What a step did, with reasons of one kind put together."""
    kinds: dict[str, list[Dropped]] = {}
    for row in dropped:
        kinds.setdefault(_kind(row.reason), []).append(row)
    ordered = sorted(kinds.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    rest = [row for _, rows in ordered[SHOWN_REASONS:] for row in rows]
    shown = [*ordered[:SHOWN_REASONS], *([("other reasons", rest)] if rest else [])]
    return Passage(
        step=step,
        taken=taken,
        passed=passed,
        dropped=len(dropped),
        reasons=tuple(
            Reason(said=said, rows=len(rows), examples=tuple((row.id, row.reason) for row in rows[:SHOWN_IDS]))
            for said, rows in shown
        ),
    )


def _foreseen(before: Sequence[TextLoss], after: Sequence[TextLoss]) -> Iterator[Change]:
    """Perplexity of all texts together, if there are any."""
    if before and after:
        first, second = (math.exp(sum(t.nats for t in arm) / sum(t.tokens for t in arm)) for arm in (before, after))
        yield Change(name=_PERPLEXITY, before=first, after=second)


def _kind(reason: str) -> str:
    """A reason without the ids and numbers in it; the checks that a row fails are what it says."""
    return reason if reason.startswith("fails ") else _NAMED.sub("\u2026", reason)


def _wrong(answer: Answer) -> tuple[str, ...]:
    if answer.scores.get("format_adherence") == 0:
        return ("the format",)
    return tuple(n.removeprefix("field:") for n, v in answer.scores.items() if n.startswith("field:") and v == 0)


def _pairs(before: Iterable[Item], after: Iterable[Item]) -> list[tuple[Item, Item]]:
    second = {item.id: item for item in after}
    return [(item, second[item.id]) for item in before if item.id in second]


def _names(first: Mapping[str, float], second: Mapping[str, float]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))


def _bounded(
    name: str, values: Sequence[tuple[float, float]], clusters: Sequence[str], confidence: float, bound: Bound
) -> Change:
    if not values:
        return Change(name=name, before=None, after=None, n=0)
    before, after = [b for b, _ in values], [a for _, a in values]
    found = bound(before, after, clusters, confidence)
    return Change(
        name=name,
        before=sum(before) / len(values),
        after=sum(after) / len(values),
        lower=found.lower,
        upper=found.upper,
        n=len(values),
        gained=found.wins,
        lost=found.losses,
    )


def _by_value(pairs: Sequence[tuple[Answer, Answer]], attribute: str) -> list[tuple[str, list[tuple[Answer, Answer]]]]:
    """Pairs by the value of an attribute; values of so few subjects that they may tell one are put together."""
    values: dict[str, list[tuple[Answer, Answer]]] = {}
    for pair in pairs:
        values.setdefault(pair[0].attributes.get(attribute, ""), []).append(pair)
    known = {value for value, members in values.items() if len({first.subject for first, _ in members}) >= FEW_SUBJECTS}
    rest = [pair for value, members in values.items() if value not in known for pair in members]
    return [*((value, values[value]) for value in sorted(known)), *([(RARE, rest)] if rest else [])]


def _by_group(choices: Sequence[tuple[Choice, Choice]]) -> list[tuple[str, list[tuple[Choice, Choice]]]]:
    groups: dict[str, list[tuple[Choice, Choice]]] = {}
    for pair in choices:
        groups.setdefault(pair[0].group, []).append(pair)
    return sorted(groups.items())


def _group(name: str, pairs: Sequence[tuple[Choice, Choice]]) -> Change:
    """Without an interval: items of one group are too much alike to carry one."""
    return Change(
        name=name,
        before=sum(b.correct for b, _ in pairs) / len(pairs),
        after=sum(a.correct for _, a in pairs) / len(pairs),
        n=len(pairs),
        gained=sum(a.correct and not b.correct for b, a in pairs),
        lost=sum(b.correct and not a.correct for b, a in pairs),
    )
