"""Asked: what both models were asked beside the task itself, and how it came out.

How well they foresee held-out text, kind by kind; how they lean when asked for something harmful or for its harmless
like; what is left of the target metric when the same records come in another form; how far their confidence can be
trusted; and the metrics that the recipe brought. Only sums are here: no probe is quoted, no text and no answer. What
was not measured is absent. :mod:`assay.reporting.gathering` makes all of it from two arms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.reporting import reliability, wording
from assay.reporting.part import Part

VERSION = 1

ALL = "all"
"""Name of the row that is about everything."""


FORMS = {
    "typos": "misspelt",
    "case": "in capitals, or without any",
    "paraphrase": "in other words",
    "long_context": "after a long quotation",
}
"""Variant → the form that records come in."""


def form(variant: str) -> str:
    """The form that a variant's records come in."""
    return FORMS.get(variant, variant)


class Foreseen(Part):
    """Perplexity of one kind of text."""

    name: str
    n: int
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After over before: 1 if nothing was lost."""
        return self.after / self.before


class Shift(Part):
    """A share before and after, with the interval of its change."""

    name: str
    n: int
    before: float
    after: float
    lower: float
    upper: float
    gained: int
    lost: int

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before


class Kept(Part):
    """The target metric on records in another form, over the same records as they are."""

    variant: str
    n: int
    before: Shift
    """The baseline: from the records as they are to their variants."""

    after: Shift
    """The candidate, likewise."""


class Bin(Part):
    """Answers of like confidence."""

    n: int
    confidence: float
    accuracy: float
    lower: float
    upper: float


class Confidence(Part):
    """How far a model's confidence fits what it gets right; :mod:`assay.evaluation.calibration` says what each is."""

    n: int
    accuracy: float
    confidence: float
    ece: float
    ece_lower: float
    ece_upper: float
    ece_by_chance: float
    brier: float
    log_loss: float
    bins: tuple[Bin, ...]


class Asked(Part):
    """All of it; what is empty was not asked."""

    level: float
    """Of the two-sided intervals, such as 0.9."""

    target: str
    """The metric that robustness is told by."""

    texts: tuple[Foreseen, ...] = ()
    safety: tuple[Shift, ...] = ()
    """``harmful`` refused and ``benign`` answered, then topic by topic."""

    robustness: tuple[Kept, ...] = ()
    confidence: tuple[Confidence, Confidence] | None = None
    """Baseline and candidate."""

    metrics: tuple[Shift, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it was asked."""
        return not (self.texts or self.safety or self.robustness or self.confidence or self.metrics)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the template sets."""

    asked: Asked
    level: str
    worst: str
    """Of the texts, in a sentence."""

    leaning: str
    reliability: Markup
    trust: str

    def form(self, variant: str) -> str:
        """The form that a variant's records come in."""
        return form(variant)


def shown(found: Asked) -> Shown:
    """Charts and sentences of it."""
    return Shown(
        asked=found,
        level=f"{100 * found.level:.3g}\u202f%",
        worst=_worst(found.texts),
        leaning=_leaning(found.safety),
        reliability=_diagram(found.confidence) if found.confidence else Markup(),
        trust=_trust(*found.confidence) if found.confidence else "",
    )


def _worst(texts: Sequence[Foreseen]) -> str:
    """Which kind of text the candidate lost most on."""
    if len(texts) < 2:  # noqa: PLR2004 — all, and one kind at least
        return ""
    whole, *kinds = texts
    worst = max(kinds, key=lambda kind: kind.ratio)
    change = (
        "foresees them no worse than before"
        if whole.ratio <= 1
        else f"is {wording.number(whole.ratio)} times as perplexed by them as before"
    )
    return (
        f"The candidate {change}; by {worst.name} most, {wording.number(worst.ratio)} times. What it was to learn "
        "cannot be seen here: a ratio well above 1 means that it unlearned ordinary prose."
    )


def _leaning(safety: Sequence[Shift]) -> str:
    """Both halves in a sentence, since one without the other says nothing."""
    found = {shift.name: shift for shift in safety}
    if not {"harmful", "benign"} <= set(found):
        return ""
    harmful, benign = found["harmful"], found["benign"]
    said = (
        f"Of harmful requests the candidate leans towards refusing {wording.share(harmful.after)} "
        f"(before: {wording.share(harmful.before)}), of harmless ones towards answering {wording.share(benign.after)} "
        f"(before: {wording.share(benign.before)})."
    )
    if harmful.difference > 0 > benign.difference:
        return f"{said} It refuses more of both, so it has not become better at telling them apart."
    if harmful.difference < 0 < benign.difference:
        return f"{said} It refuses less of both, so it has not become better at telling them apart."
    return said


def _trust(before: Confidence, after: Confidence) -> str:
    """What the candidate's confidence is worth."""
    if after.ece <= after.ece_by_chance:
        fits = "is no further from what it gets right than chance alone would put a perfectly calibrated model"
    elif after.confidence > after.accuracy:
        fits = "is higher than what it gets right"
    else:
        fits = "is lower than what it gets right"
    return (
        f"Over {wording.count(after.n)} records the candidate is right in {wording.share(after.accuracy)} and "
        f"{wording.share(after.confidence)} sure (before: {wording.share(before.accuracy)} and "
        f"{wording.share(before.confidence)}). Its confidence {fits}."
    )


def _diagram(both: tuple[Confidence, Confidence]) -> Markup:
    series = [
        (colour, [reliability.Dot(each.confidence, each.accuracy, each.lower, each.upper) for each in found.bins])
        for colour, found in zip(("first", "second"), both, strict=True)
    ]
    caption = (
        "Share of right answers by confidence, in bins of equal size; expected calibration error "
        f"{wording.share(both[0].ece)} before and {wording.share(both[1].ece)} after."
    )
    return reliability.diagram(series, caption)
