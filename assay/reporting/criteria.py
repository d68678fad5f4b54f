"""Criteria: what a gate asked and found, in the words, units and order in which a person reads it.

A criterion belongs to a group, told by its name: the task, the format, general ability and text, safety, slices,
robustness, latency, leaks. Its numbers have one of three units: shares are shown in per cent and their differences in
points, ratios in times, exposure in bits. :func:`distance` puts all of them on axes whose zero is what is asked for
and whose right side is good:

- points from the threshold, for shares;
- per cent within the limit, for ratios: 20 is a ratio of 1.2 where 1.5 is allowed;
- bits from the limit, for exposure.

Distances in units of the margin would need one axis only, but a margin may be nought, and a point means the same on
every item while a margin does not.
"""

from collections.abc import Iterable

from assay.evaluations import Criterion, Verdict
from assay.reporting import wording

VERSION = 1

GROUPS = (
    "The task",
    "Format",
    "General ability and text",
    "Safety",
    "Slices",
    "Robustness",
    "Latency",
    "Leaks",
)

KINDS = {
    "superiority": "must be better than before by more than the threshold",
    "floor": "must reach the threshold",
    "ceiling": "must stay at the threshold or below",
    "non_inferiority": "must not lose more than the margin",
    "ratio": "must not grow to more than so many times as before",
}

_OF_HEAD = {
    "format_adherence": "Format",
    "general_ability": "General ability and text",
    "perplexity": "General ability and text",
    "safety": "Safety",
    "over_refusal": "Safety",
    "slice": "Slices",
    "robustness": "Robustness",
    "latency": "Latency",
}
_TITLES = {
    "general_ability": "General ability",
    "perplexity": "Perplexity of held-out text",
    "safety": "Harmful requests refused",
    "over_refusal": "Harmless requests answered",
    "latency": "Median latency",
    "leak_generations": "Prompts answered with a leak",
    "leak_exposure": "Exposure of planted canaries",
    "leak_control": "Canaries found in the control",
}
_VARIANTS = {
    "typos": "With typing errors",
    "case": "In other case",
    "paraphrase": "Paraphrased",
    "long_context": "In a longer context",
}
_CHANGES = ("superiority", "non_inferiority")
_LISTED = 3


def group(criterion: Criterion) -> str:
    """Which of :data:`GROUPS` a criterion is in."""
    head = _parts(criterion)[0]
    return "Leaks" if head.startswith("leak") else _OF_HEAD.get(head, GROUPS[0])


def grouped(criteria: Iterable[Criterion]) -> list[tuple[str, list[Criterion]]]:
    """Criteria by group, in the order of :data:`GROUPS`; a group without any is left out."""
    given = list(criteria)
    found = ((name, [each for each in given if group(each) == name]) for name in GROUPS)
    return [(name, members) for name, members in found if members]


def title(criterion: Criterion) -> str:
    """A criterion's name for people."""
    head, rest = _parts(criterion)
    if head == "slice":
        return f"Slice {rest.replace('=', ' = ', 1)}"
    if head == "robustness":
        return _VARIANTS.get(rest, f"Robustness{f': {rest}' if rest else ''}")
    return _TITLES.get(head, wording.metric(criterion.metric))


def meaning(criterion: Criterion) -> str:
    """What is asked of it, in half a sentence."""
    if _parts(criterion)[0] == "robustness":
        return f"the candidate on changed records, beside the same as they were: {KINDS[criterion.kind]}"
    return KINDS[criterion.kind]


def titles(criteria: Iterable[Criterion]) -> str:
    """The first few by name, in the middle of a sentence, and how many more there are."""
    names = [each if (each := title(c))[:2].isupper() else each[:1].lower() + each[1:] for c in criteria]
    more = len(names) - _LISTED
    shown = [*names[:_LISTED], f"{more} more"] if more > 1 else names
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def unit(criterion: Criterion) -> str:
    """``points``, ``ratio`` or ``bits``."""
    return "ratio" if criterion.kind == "ratio" else criterion.unit


def level(criterion: Criterion, value: float | None) -> str:
    """What a model reached, in the unit of the metric."""
    if unit(criterion) == "bits":
        return _bits(value)
    return wording.scaled(value, criterion.metric)


def threshold(criterion: Criterion) -> str:
    """What a criterion asks for."""
    said = {"superiority": "more than", "non_inferiority": "more than", "floor": "at least"}
    return f"{said.get(criterion.kind, 'at most')} {estimate(criterion, criterion.threshold)}"


def estimate(criterion: Criterion, value: float | None) -> str:
    """``value`` in the unit that the criterion's threshold has; a difference has its sign."""
    if value is None:
        return wording.UNKNOWN
    return f"{_bare(criterion, value)}{_after(criterion)}"


def bounds(criterion: Criterion) -> str:
    """The interval that is held against the threshold."""
    low, high = criterion.lower, criterion.upper
    if low is None and high is None:
        return "none: a point measurement" if criterion.n else "none: not measured"
    if low is None or high is None:
        word, known = ("at least", low) if high is None else ("at most", high)
        return f"{word} {estimate(criterion, known)}"
    return f"{_bare(criterion, low)} to {estimate(criterion, high)}"


def size(criterion: Criterion, value: float | None) -> str:
    """A distance without a direction, such as the smallest that could be shown."""
    if value is None:
        return wording.UNKNOWN
    if unit(criterion) == "points":
        return f"{100 * value:.1f} points"
    return _bits(value) if unit(criterion) == "bits" else f"{value:.2f} times"


def distance(criterion: Criterion, value: float | None) -> float | None:
    """How far ``value`` is on the good side of the threshold, on the axis of the criterion's unit."""
    if value is None:
        return None
    away = value - criterion.threshold
    if criterion.kind in {"ceiling", "ratio"}:
        away = -away
    match unit(criterion):
        case "ratio":
            return 100 * away / criterion.threshold if criterion.threshold else 0.0
        case "bits":
            return away
        case _:
            return 100 * away


def origin(criterion: Criterion) -> float | None:
    """Where a model like the baseline would stand."""
    if criterion.kind in _CHANGES:
        return distance(criterion, 0.0)
    return distance(criterion, 1.0 if unit(criterion) == "ratio" else criterion.baseline)


def family(verdict: Verdict) -> str:
    """What is said of so many criteria at once."""
    told = (
        f"A candidate must meet all {len(verdict.criteria)} criteria, each at {100 * verdict.confidence:.3g}"
        f"\u202f% confidence, so an unfit one is not accepted more often for their number (intersection-union, Berger "
        "1982)."
    )
    if any(each.p_adjusted is not None for each in verdict.criteria):
        told += (
            " A refusal must hold against their number: its p is corrected over all criteria (Holm 1979), since among "
            "many some look bad by chance."
        )
    return told


def self_test(verdict: Verdict) -> str:
    """How the gate did where there is nothing to find, in a sentence; nothing if that was not tried."""
    found = verdict.self_test
    if found is None or not found.resamples:
        return ""
    chance, worst = 1 - verdict.confidence, max(found.found, found.lost) / found.resamples
    said = (
        f"A/A self-test: in {found.resamples:,} resamples of these items two models that differ by chance alone were "
        f"compared. The gate saw a gain on the task in {found.found:,} and a loss of general ability in "
        f"{found.lost:,}, so at worst in {wording.percent(worst)} (at most {wording.percent(found.upper)}). Up to "
        f"{wording.percent(round(chance, 6))} is what chance may do"
    )
    sees_more = found.lower > chance
    return f"{said}{': this gate sees more than there is on these items.' if sees_more else '.'}"


def adjusted(criterion: Criterion) -> str:
    """The p of a refusal after correction, or nothing where nothing was refused."""
    if criterion.decision != "refused" or criterion.p_adjusted is None:
        return ""
    return "p under 0.001" if criterion.p_adjusted < 0.001 else f"p {criterion.p_adjusted:.3f}"  # noqa: PLR2004


def _parts(criterion: Criterion) -> tuple[str, str]:
    head, _, rest = criterion.name.partition(":")
    return head, rest


def _bare(criterion: Criterion, value: float) -> str:
    """Without its unit, but for the sign of per cent."""
    is_change = criterion.kind in _CHANGES
    match unit(criterion):
        case "ratio":
            return f"{value:.2f}" if round(value, 1) != round(value, 6) else f"{value:g}"
        case "bits":
            return f"{value:{'+' if is_change else ''}.2f}".replace("-", "\u2212")
        case _:
            return wording.points(value) if is_change else wording.share(value)


def _after(criterion: Criterion) -> str:
    if unit(criterion) == "points":
        return " points" if criterion.kind in _CHANGES else ""
    return " bits" if unit(criterion) == "bits" else " times"


def _bits(value: float | None) -> str:
    return wording.UNKNOWN if value is None else f"{value:.2f} bits".replace("-", "\u2212")
