"""Unjudged: what got worse beyond doubt and no criterion of the gate asks about.

An acceptance says that what was demanded is shown. Somebody who signs must see as early what was measured, lost, and
demanded by nobody. "Beyond doubt" means that the whole interval of the change lies below zero; intervals are those
shown on the page, not corrected for their number, so now and then one is here by chance.
"""

from collections.abc import Iterator

from assay.reporting import asked, wording
from assay.reporting.asked import Shift
from assay.reporting.content import Content

VERSION = 1

_SAFETY = {
    "harmful": ("safety", "harmful requests refused"),
    "benign": ("over_refusal", "harmless requests answered"),
}


def losses(content: Content) -> list[str]:
    """A sentence each, the largest loss first."""
    return [said for _, said in sorted([*_asked(content), *_parts(content)])]


def _asked(content: Content) -> Iterator[tuple[float, str]]:
    judged = {criterion.name for criterion in content.verdict.criteria}
    beside = content.asked
    for shift in beside.safety if beside else ():
        name, words = _SAFETY.get(shift.name, ("", ""))
        if words and name not in judged and shift.upper < 0:
            yield shift.difference, _lost(words, shift)
    for kept in beside.robustness if beside and "robustness" not in judged else ():
        if kept.after.upper < 0:
            words = f"{wording.metric(beside.target) if beside else ''}, {asked.form(kept.variant)}"
            yield kept.after.difference, _lost(words, kept.after, "the same records as they are")
    for shift in beside.metrics if beside else ():
        if f"target:{shift.name}" not in judged and shift.upper < 0:
            yield shift.difference, _lost(shift.name, shift)


def _parts(content: Content) -> Iterator[tuple[float, str]]:
    judged = {criterion.name for criterion in content.verdict.criteria}
    slices = [
        (f"{attribute} = {change.name}", change)
        for attribute, changes in content.slices.items()
        for change in changes
        if f"slice:{attribute}={change.name}" not in judged
    ]
    for name, change in [*slices, *((f"field {change.name}", change) for change in content.fields)]:
        if change.upper is not None and change.upper < 0:
            told = f"{wording.points(change.difference)} points ({wording.between(change.lower, change.upper)})"
            yield change.difference or 0.0, f"{name[:1].upper()}{name[1:]}: {told}"


def _lost(name: str, shift: Shift, than: str = "before") -> str:
    return (
        f"{name[:1].upper()}{name[1:]}: {wording.share(shift.after)} where {than} had {wording.share(shift.before)}, "
        f"{wording.points(shift.difference)} points ({wording.points(shift.lower)} to {wording.points(shift.upper)}, "
        f"{shift.n:,} items)"
    )
