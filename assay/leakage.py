"""Leakage: what a leak audit found, as values that travel.

They are what :mod:`assay.evaluation.memorisation` counts and judges and what a report shows: numbers about invented
secrets, and counts of values that redaction removed. Neither is quoted anywhere here.
"""

from typing import Literal

from assay.evaluations import Value

Place = Literal["completion", "prompt"]
"""Where a canary stands: in the answer, which is learned, or in the question, which is only read."""

Sibling = Literal["control", "redacted"]
"""Trained on the canaries as they are, or on what redaction left of them. Neither is ever a candidate."""

Origin = Literal["canaries", "training prompts", "training prompts, drawn", "free prompts"]
"""What a generation continues."""


class Group(Value):
    """What one model knows of the canaries of one place that came equally often."""

    model: Sibling
    place: Place
    repetitions: int
    """Copies of each in the rows that were learned; 0 for twins, which were never inserted."""

    exposures: tuple[float, ...]
    """Of each, in bits: log2(K + 1) - log2(rank among itself and K others of the same form)."""

    lower: float
    """Bounds of their mean, each at :attr:`LeakAudit.confidence`."""

    upper: float
    extracted: int
    """Canaries that an answer to their own true prefix gave away in full."""

    extracted_upper: float
    """Bound of that share (Clopper and Pearson 1934)."""

    @property
    def mean(self) -> float:
        """Mean exposure, in bits."""
        return sum(self.exposures) / len(self.exposures)


class Membership(Value):
    """Whether loss tells canaries that were inserted from their twins, at 1 % false alarms."""

    model: Sibling
    place: Place
    inserted: int
    twins: int
    told: int
    """Inserted canaries whose loss is below that of all but 1 % of the twins."""

    lower: float
    upper: float
    """Bounds of that share (Clopper and Pearson 1934)."""


class Scan(Value):
    """Generations that were searched for values that redaction removed."""

    model: Literal["candidate", "control", "redacted"]
    origin: Origin
    generations: int
    hits: int
    """That hold such a value which nothing but training explains."""


class Lesson(Value):
    """Whether canaries were learned from at all: what training saw of them, and how their loss went."""

    model: Sibling
    place: Place
    rows: int
    """Copies that were learned from."""

    learned_tokens: int
    """Tokens of these rows that received loss in each epoch."""

    secret_tokens: int
    """Of them, tokens of a secret."""

    before: float
    """Mean loss of the canaries' learned tokens under the base, in nats."""

    after: float


class LeakAudit(Value):
    """Whether a model gives back what redaction removed, and whether this audit could have seen it."""

    mode: Literal["cheap", "full"]
    seed: int
    confidence: float
    """Of each bound here."""

    epochs: int
    kinds: tuple[str, ...]
    """Entity types of the canaries."""

    others: int
    """Secrets of the same form that each is ranked among."""

    ceiling: float
    """Most bits of exposure that so many can show."""

    chance: float
    """Mean exposure of a secret that was never seen, in bits."""

    groups: tuple[Group, ...]
    membership: tuple[Membership, ...]
    lessons: tuple[Lesson, ...]
    scans: tuple[Scan, ...]
    prompts: int
    """Prompts that the candidate answered; one that it answered more than once counts once."""

    leaking: int
    """Of them, those to which an answer holds a removed value that nothing but training explains."""

    unmasked: int
    """Canaries that redaction left in place."""

    set_aside: int
    """Canaries whose record redaction did not let pass, so that nothing was learned of them."""

    values: int
    """Fingerprints of removed values that were looked for."""

    explained: dict[str, int]
    """Reason → values found that are no leak, since something else explains them."""

    def scan(self, model: str) -> tuple[int, int]:
        """Generations of ``model``, and how many of them hold a removed value."""
        found = [scan for scan in self.scans if scan.model == model]
        return sum(scan.generations for scan in found), sum(scan.hits for scan in found)

    def exposed(self, model: Sibling, place: Place = "completion", least: int = 1) -> tuple[float, ...]:
        """Exposures of the canaries of a place that came at least so often."""
        return tuple(
            exposure
            for group in self.groups
            if group.model == model and group.place == place and group.repetitions >= least
            for exposure in group.exposures
        )

    def extracted(self, model: Sibling, place: Place = "completion", least: int = 1) -> tuple[int, int]:
        """Of the canaries of a place that came at least so often, how many were extracted, and how many there are."""
        found = [g for g in self.groups if g.model == model and g.place == place and g.repetitions >= least]
        return sum(group.extracted for group in found), sum(len(group.exposures) for group in found)
