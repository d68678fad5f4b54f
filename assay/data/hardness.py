"""Hardness: examples that a model never learned while it was trained, or learned last.

A small model learns what examples have in common long before it learns one of them by heart (Arpit et al. 2017,
arXiv:1706.05394), so an example whose loss stays high beside the others' is often one that contradicts them: a wrong
label, an answer to another question, a text that says nothing of its answer. That the loss in training ranks such
examples is the small-loss criterion (Han et al. 2018, arXiv:1804.06872); a picture of a data set by it is dataset
cartography (Swayamdipta et al. 2020, arXiv:2009.10795); what is learned and lost again counts as forgotten (Toneva et
al. 2019, arXiv:1812.05159). What is unlike the rest and right is hard too: this lists what to look at, drops nothing.

An example has one visit in each epoch, so with two epochs there are two points of each, no curve. The rule rests on
the last visit alone, and asks two things of its loss, in nats per learned token:

* it is over :func:`Bounds.learned`, what three quarters of the examples lost at most when they were *first* seen:
  as if it had not been seen before;
* it is over :func:`Bounds.far_out`, three times the interquartile range over the upper quartile of *last* visits
  (Tukey 1977, "far out"): where nothing was learned all losses stay high, and no example stands out.

Over both it was *never learned*; that it was within them at an earlier visit, and lost again, is said. *Learned last*
is one that is over the second bound alone, or, with three or more visits, was never within both between the first and
the last. *Doubt* is loss / (loss + the higher bound): an order and no probability; a half where learned begins. A
label's own quartiles were tried and found less: wrong labels share a label and widen its spread. So was a correction
for when in the epoch a visit came (``bench/measure_noise.py``).

Not judged: replay, examples that a run left before a second visit, and runs of fewer than :data:`LEAST` others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from assay.records import Suspect

VERSION = 1

NEVER, LAST = "never_learned", "learned_last"
"""Kinds of suspects."""

LEAST = 40
"""Examples: with fewer, a quartile rests on less than ten."""

FAR = 3.0
"""Interquartile ranges beyond the upper quartile at which a value is far out."""

_TWICE = 2


@dataclass(frozen=True, slots=True)
class Learned:
    """One example of the task, and what it lost at each visit."""

    id: str
    visits: tuple[tuple[int, float], ...]
    """Step and loss in nats per learned token, in order."""

    @property
    def first(self) -> float:
        """Loss at its first visit."""
        return self.visits[0][1]

    @property
    def last(self) -> float:
        """Loss at its last visit."""
        return self.visits[-1][1]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is asked of a last visit's loss."""

    learned: float
    """Upper quartile of first visits' losses."""

    far_out: float
    """Of last visits."""

    @property
    def never(self) -> float:
        """The higher one: over it an example was not learned."""
        return max(self.learned, self.far_out)


def judged(examples: Iterable[Learned]) -> list[Learned]:
    """Those of which anything can be said: seen twice; none if they are too few."""
    seen = [example for example in examples if len(example.visits) >= _TWICE]
    return seen if len(seen) >= LEAST else []


def bounds(examples: Sequence[Learned]) -> Bounds:
    """Where learned ends, by the quartiles of at least :data:`LEAST` judged examples."""
    lower, _, upper = quantiles((example.last for example in examples), method="inclusive")
    at_first = quantiles((example.first for example in examples), method="inclusive")
    return Bounds(learned=at_first[-1], far_out=upper + FAR * (upper - lower))


def find(examples: Iterable[Learned]) -> list[Suspect]:
    """Examples that were never learned, or learned last, the worst first."""
    seen = judged(examples)
    if not seen:
        return []
    limits = bounds(seen)
    found = [suspect for example in seen if (suspect := _suspect(example, limits))]
    return sorted(found, key=lambda suspect: (-suspect.doubt, suspect.id))


def _suspect(example: Learned, limits: Bounds) -> Suspect | None:
    loss = example.last
    kind = NEVER if loss > limits.never else LAST if _is_late(example, limits) else None
    if kind is None:
        return None
    doubt = loss / (loss + limits.never) if loss else 0.0
    return Suspect(id=example.id, kind=kind, doubt=round(doubt, 4), reason=_reason(example, limits, kind))


def _is_late(example: Learned, limits: Bounds) -> bool:
    between = example.visits[1:-1]
    return example.last > limits.far_out or (bool(between) and all(loss > limits.never for _, loss in between))


def _reason(example: Learned, limits: Bounds, kind: str) -> str:
    step, loss = example.visits[-1]
    said = f"{loss:.2g} nats a token at its last visit (step {step}); learned is at most {limits.never:.2g}"
    before = [at for at, lost in example.visits[:-1] if lost <= limits.never]
    if kind == NEVER and before:
        return f"{said}: it was within that at step {before[-1]}, and lost again"
    return f"{said}: never" if kind == NEVER else f"{said}: later than others"
