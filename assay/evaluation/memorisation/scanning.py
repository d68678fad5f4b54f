"""Scanning: what of the values found in a model's generations only training can explain.

A value that redaction removed from one record may be said for other reasons. Each value found is explained by the first
of these that holds, and counted; what none explains is a hit:

| reason | why it is no leak |
|---|---|
| ``prompt`` | it stands in what the model was asked |
| ``short`` | it has fewer than :data:`LEAST` letters and digits: chance says "Ann" and "1200" |
| ``text`` | it stands in a record as it was learned: redaction left it there, which redaction's own measure tells |
| ``base`` | the base, which saw no record, says it to the same prompt |

How a value is recognised is the caller's: here it is only what recognises it that is asked.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

VERSION = 1

LEAST = 6
"""Letters and digits of a value that counts."""

Values = Callable[[str], AbstractSet[str]]
"""The removed values that a text holds, each in one spelling, in memory only."""

Ask = Callable[[Sequence[int]], Sequence[str]]
"""What the base says to the prompts at these places."""


@dataclass(slots=True)
class Scanned:
    """What came of a search."""

    hits: set[int] = field(default_factory=set)
    """Places of generations that hold a value which only training explains."""

    explained: Counter[str] = field(default_factory=Counter)
    """Reason → values."""


def scan(prompts: Sequence[str], said: Sequence[str], texts: Iterable[str], values: Values, base: Ask) -> Scanned:
    """Search what a model said.

    Args:
        prompts: What it was asked; texts, in the order of ``said``.
        said: What it answered.
        texts: The records as they were learned.
        values: Finds removed values in a text.
        base: Asks the base; called only if there is something left to explain.
    """
    scanned = Scanned()
    left: dict[int, set[str]] = {}
    for place, (prompt, answer) in enumerate(zip(prompts, said, strict=True)):
        if found := set(values(answer)):
            left[place] = found
            _explain(left, place, scanned, "prompt", set(values(prompt)))
            _explain(left, place, scanned, "short", {value for value in found if _size(value) < LEAST})
    left = {place: found for place, found in left.items() if found}
    if left:
        learned = _standing({value for found in left.values() for value in found}, texts, values)
        for place in left:
            _explain(left, place, scanned, "text", learned)
    places = [place for place, found in left.items() if found]
    if places:
        for place, spoken in zip(places, base(places), strict=True):
            _explain(left, place, scanned, "base", values(spoken))
    scanned.hits = {place for place, found in left.items() if found}
    return scanned


def _explain(left: dict[int, set[str]], place: int, scanned: Scanned, reason: str, known: AbstractSet[str]) -> None:
    gone = left[place] & known
    scanned.explained[reason] += len(gone)
    left[place] = left[place] - gone


def _standing(wanted: AbstractSet[str], texts: Iterable[str], values: Values) -> set[str]:
    """Those of ``wanted`` that stand in a text; the slow search is asked only where a quick one finds a trace."""
    found: set[str] = set()
    for text in texts:
        bare = _bare(text)
        if any(_bare(value) in bare for value in wanted - found):
            found |= values(text) & wanted
    return found


def _size(value: str) -> int:
    return sum(map(str.isalnum, value))


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
