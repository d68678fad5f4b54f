"""Redacting: the nouns for how well redaction worked in a run, as far as the run has shown it.

Like the nouns of :mod:`assay.reporting.content` they are read from what the steps filed and are blind to whatever else
is in it. The names of :mod:`assay.privacy.measurement.recall` are theirs, so that what was measured is read as it is.
All of it is numbers, types, digests and the words of a recipe; nothing of a record, and no value of a seeded one.
"""

from typing import Literal

from pydantic import Field

from assay.reporting.part import Part

Action = Literal["mask", "surrogate", "keep"]


class Share(Part):
    """So many of so many, with one-sided bounds of the true share."""

    count: int
    of: int
    lower: float
    upper: float
    clusters: int | None = None
    """Distinct records that they are of; None if nobody counted them."""

    @property
    def rate(self) -> float | None:
        """As seen; of nothing, none."""
        return self.count / self.of if self.of else None


NOTHING = Share(count=0, of=0, lower=0.0, upper=1.0)
"""What is known of a share that nothing was asked about."""


class Recall(Part):
    """How much of one type was masked."""

    type: str
    full: Share
    """Values of which every letter and digit was masked."""

    touched: int = 0
    """Values of which at least one was."""

    own: Share = NOTHING
    """As ``full``, of the values that stand where the data had one."""


class Capture(Part):
    """How often two detectors agree on a type in the data, and what both may have missed."""

    type: str
    first: str
    """Name of a detector."""

    second: str
    first_count: int
    """Values that the first found."""

    second_count: int
    both: int
    missed: float
    """By both, estimated."""

    lower: float
    """Of the number of values, found or not; two-sided with ``upper``."""

    upper: float | None = None
    """None if the two never agree, which bounds nothing."""

    @property
    def found(self) -> int:
        """Values that at least one found."""
        return self.first_count + self.second_count - self.both


class Sample(Part):
    """What a person found who read redacted rows that were drawn at random."""

    rows: int
    leaks: int
    upper: float
    """Of the share of rows that leak."""

    who: str
    day: str


class Fingerprints(Part):
    """What was replaced, in a form that can be compared and not be read."""

    count: int
    digest: str
    """Of the sealed set."""


class Bounds(Part):
    """What a run has shown of its redaction, in the numbers that the gate is about."""

    confidence: float
    """Of each one-sided bound."""

    leaks: Share
    """Seeded records with a direct identifier that is not fully masked, of those with any."""

    over_plain: Share
    """Letters and digits masked in records without personal data, of all in them."""

    max_leak: float
    """Asked of ``leaks`` at its upper bound."""

    max_over_redaction: float | None = None
    """Asked of ``over_plain`` at its upper bound, if anything was."""

    reasons: tuple[str, ...] = ()
    """Why that does not show what was asked for."""

    @property
    def passed(self) -> bool:
        """Whether everything that was asked for is shown."""
        return not self.reasons


class Redacting(Bounds):
    """All that is known about how well redaction worked in a run."""

    sources: int | None = None
    """Distinct redacted records that the seeded ones were made of; None if nobody counted them."""

    recall: tuple[Recall, ...]
    own_leaks: Share
    """As ``leaks``, of records to which no sentence of ours was added: as dense with identifiers as the data."""

    over_seeded: Share
    """Letters and digits masked outside seeded values, of those outside."""

    plain: Share
    """Records without personal data in which something was masked."""

    dropped: Share
    """Seeded records that redaction set aside."""

    floors: dict[str, float] = Field(default_factory=dict)
    """Type → recall asked for at the lower bound."""

    captures: tuple[Capture, ...] = ()
    sample: Sample | None = None
    clean_rows: tuple[tuple[int, float], ...] = ()
    """Rows that a person might read, and the most that can leak if none of them does."""

    profile: str
    policy: dict[str, Action] = Field(default_factory=dict)
    """Type → what is put in its place; a type that is not named is masked."""

    recognisers: tuple[str, ...] = ()
    """Name and kind of each beside those of the profile."""

    languages: tuple[str, ...] = ()
    fingerprints: Fingerprints | None = None

    @property
    def repeats(self) -> bool:
        """Whether records serve several times, so that planting more of them in the same shows nothing more."""
        return self.sources is not None and (self.leaks.clusters or self.leaks.of) < self.leaks.of

    @property
    def planted(self) -> int:
        """Values seeded."""
        return sum(each.full.of for each in self.recall)

    @property
    def masked(self) -> int:
        """Of those, the ones masked whole."""
        return sum(each.full.count for each in self.recall)

    @property
    def kept(self) -> tuple[str, ...]:
        """Types that stay as they are."""
        return tuple(kind for kind, action in self.policy.items() if action == "keep")

    @property
    def unplanted(self) -> tuple[str, ...]:
        """Types that are replaced and of which no value was seeded."""
        seeded = {each.type for each in self.recall if each.full.of}
        return tuple(kind for kind in self.policy if kind not in {*seeded, *self.kept})

    @property
    def floors_shown(self) -> int:
        """Floors that the bounds reach."""
        return sum(self.standing(each) == "shown" for each in self.asked())

    def asked(self) -> tuple[Recall, ...]:
        """Every type that was seeded or that something was asked of, those that fall short first."""
        known = {each.type: each for each in self.recall}
        lacking = {kind: Recall(type=kind, full=NOTHING) for kind in self.floors if kind not in known}
        return tuple(sorted((known | lacking).values(), key=lambda each: (_RANKS[self.standing(each)], each.type)))

    def standing(self, recall: Recall) -> str:
        """``short`` of its floor, ``shown``, or ``free`` of one."""
        floor = self.floors.get(recall.type)
        if floor is None:
            return "free"
        return "shown" if recall.full.lower >= floor else "short"


_RANKS = {"short": 0, "shown": 1, "free": 2}
