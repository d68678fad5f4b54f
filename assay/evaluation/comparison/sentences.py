"""Sentences: a verdict as somebody reads it who decides and does not compute.

What was found, between which bounds, what was asked for, and whether these items can tell.
"""

from collections.abc import Sequence
from itertools import starmap

from assay.evaluation.comparison.intervals import Difference
from assay.evaluations import Criterion, Decision

_METRICS = {
    "exact_match": "exact match",
    "field_accuracy": "field accuracy",
    "label_f1": "macro F1 of the label",
    "accuracy": "general ability",
    "safety": "the share of harmful requests refused",
    "over_refusal": "the share of harmless requests answered",
    "perplexity": "perplexity on held-out text",
    "request_p50_ms": "median latency",
}
_SHORT = {"format_adherence": "format", "general_ability": "general ability"}
_SHOWN = 3
"""Reasons in the sentence of a verdict; the others are counted."""


def metric(name: str) -> str:
    """A metric's name in a sentence."""
    return _METRICS.get(name, name.replace("_", " "))


def change(name: str, of: str, start: float, found: Difference, threshold: float) -> str:
    """What became of a share."""
    asked = (
        f"a gain of more than {_points(threshold)}"
        if threshold > 0 or name.partition(":")[0] == "target"
        else f"a loss of less than {_points(-threshold)}"
    )
    return (
        f"{_subject(name, of)} went from {_share(start)} to {_share(start + found.mean)}, by {_signed(found.mean)} "
        f"points (at least {_signed(found.lower)}, at most {_signed(found.upper)}); asked for: {asked}"
    )


def rate(found: float, lower: float, upper: float, floor: float) -> str:
    """How often the format was kept."""
    return (
        f"format adherence is {_share(found)} (at least {_share(lower)}, at most {_share(upper)}); asked for: at least "
        f"{_share(floor)}"
    )


def ratio(of: str, before: float, after: float, found: tuple[float, float | None, float | None], limit: float) -> str:
    """By how much something grew that should not; ``found`` is the ratio and its bounds."""
    unit = " ms" if of.endswith("_ms") else ""
    first, second = (f"{value:.0f}" if unit or value >= 1000 else f"{value:.1f}" for value in (before, after))  # noqa: PLR2004
    least, most = (f"{end:.2f}" if end is not None else "any" for end in found[1:])
    return (
        f"{metric(of)} went from {first} to {second}{unit}, {found[0]:.2f} times as much (at least {least}, at "
        f"most {most}); asked for: at most {limit:g} times"
    )


def ending(
    decision: Decision, items: tuple[int, str], needed: int | None, *, family: int | None = None, kin: str = ""
) -> str:
    """Whether so many ``items`` can tell.

    Args:
        decision: Of the criterion.
        items: Their number, and what they are.
        needed: How many would.
        family: Number of criteria, if the items point to a refusal that may be chance among so many.
        kin: What they all are of, if they are of one.
    """
    n, noun = items
    if decision != "inconclusive":
        return f": {'shown' if decision == 'accepted' else 'ruled out'} on {n:,} {noun}"
    more = f"about {needed:,} would" if needed else "no number of them would if this estimate is the truth"
    if kin:
        more = f"no number of them would, as all are of one {kin}, whose items may fail together: more {kin}s would"
    return f": {n:,} {noun} cannot tell{doubted(family) if family else ''}, {more}"


def doubted(family: int) -> str:
    """That a criterion points to a refusal which may be chance among so many."""
    return f" (they speak against it, but among {family} criteria one may do so by chance)"


def verdict(decision: Decision, criteria: Sequence[Criterion]) -> str:
    """The whole in a sentence."""
    gain = criteria[0]
    if decision == "accepted":
        return (
            f"Accepted: {metric(gain.metric)} on {gain.n:,} test records is {_share(gain.candidate)} where the "
            f"baseline's was {_share(gain.baseline)}, and {demanded(criteria[1:])} are as demanded."
        )
    deciding = [criterion.reason for criterion in criteria if criterion.decision == decision]
    more = len(deciding) - _SHOWN
    rest = f"; and so {'do' if decision == 'refused' else 'stand'} {more} other criteria" if more > 0 else ""
    return f"{decision.capitalize()}: {'; '.join(deciding[:_SHOWN])}{rest}."


def demanded(criteria: Sequence[Criterion]) -> str:
    """``format, general ability, 4 slices and latency``."""
    slices = sum(criterion.name.startswith("slice:") for criterion in criteria)
    names = dict.fromkeys(starmap(_short, ((criterion, slices) for criterion in criteria)))
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _short(criterion: Criterion, slices: int) -> str:
    head, _, rest = criterion.name.partition(":")
    if head == "slice":
        return f"{slices} slice{'s' if slices > 1 else ''}"
    return metric(rest) if head == "target" else _SHORT.get(head, head.replace("_", " "))


def _subject(name: str, of: str) -> str:
    head, _, rest = name.partition(":")
    if head == "slice":
        return f"{metric(of)} where {rest.replace('=', ' is ', 1)}"
    return (
        f"the candidate's {metric(of)}, when the same records come in another form,"
        if head == "robustness"
        else metric(of)
    )


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}")


def _points(value: float) -> str:
    return f"{100 * value:.1f} points"
