"""Measurement: what redaction masks of what was seeded, and what can be claimed from that.

A value is *fully* masked if every letter and digit of it is, under whichever type; *touched* if one is. It counts once
however often it stands in its record, and as masked only if it is masked everywhere. A record *leaks* if a direct
identifier in it is not fully masked. A record that redaction dropped has not leaked; its values count nowhere, and
their number is told.

A share comes with bounds, each one-sided at the confidence asked for: Clopper and Pearson's (1934,
doi:10.1093/biomet/26.4.404), from quantiles of the beta distribution, which hold for any number of trials. Trials are
values in sampled records, so a bound is about redaction of such values in such records. Letters are no such
trials, since a whole word or a whole record goes wrong at once: their bounds use the effective number of trials (Korn
and Graubard 1998, Survey Methodology 24, 193-201), with the variance between records.

The gate is on bounds, never on the share that was seen: redaction passes if it is *shown* to be good enough. Each of
several floors is tested at the full confidence, since all must hold (an intersection-union test; Berger 1982,
doi:10.1080/00401706.1982.10487790).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.artifacts import Reference
from assay.errors import RedactionError
from assay.privacy.measurement.seeding import Planted, Value, distinct
from assay.privacy.replacement.drafts import Mark, fields
from assay.privacy.replacement.redaction import Audited

VERSION = 2

CONFIDENCE = 0.95
"""Of each one-sided bound."""

INDIRECT = frozenset({"CITY", "DATE_OF_BIRTH"})
"""Types that name nobody by themselves; every other is a direct identifier."""

WORD = 5.0
"""Letters that are masked together at the least: the smallest design effect of a share of letters."""

_BATCH = 10_000_000
"""No advice to seed more values than this is given."""


class Share(Reference):
    """So many of so many, with one-sided bounds of the true share."""

    count: int
    of: int
    lower: float
    upper: float

    @property
    def rate(self) -> float:
        """As seen; 0 of 0 is 0."""
        return self.count / self.of if self.of else 0.0


class Recall(Reference):
    """How much of one type was masked."""

    type: str
    full: Share
    touched: int
    own: Share
    """Fully masked of those that stand where the data had one; the others are in sentences of ours."""


class Measured(Reference):
    """One measurement of redaction. It holds no text."""

    confidence: float
    recall: tuple[Recall, ...]
    """By type, in alphabetical order."""

    leaks: Share
    """Records with a direct identifier that is not fully masked, of those with any."""

    own_leaks: Share
    """The same of records to which no sentence of ours was added: as dense with identifiers as the data."""

    over_seeded: Share
    """Letters and digits masked outside seeded values, of those outside, in records with seeded values."""

    over_plain: Share
    """Letters and digits masked in records without personal data, of all in them."""

    plain: Share
    """Records without personal data in which something was masked."""

    dropped: Share
    """Seeded records that redaction dropped."""


@dataclass(slots=True)
class _Tally:
    full: int = 0
    touched: int = 0
    planted: int = 0
    own_full: int = 0
    own: int = 0


@dataclass(slots=True)
class _Counts:
    """What was counted over all records."""

    types: defaultdict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    leaks: list[bool] = field(default_factory=list)
    own_leaks: list[bool] = field(default_factory=list)
    seeded: list[tuple[int, int]] = field(default_factory=list)
    plain: list[tuple[int, int]] = field(default_factory=list)


def measure(
    planted: Sequence[Planted], audited: Iterable[Audited], dropped: Iterable[str], confidence: float = CONFIDENCE
) -> Measured:
    """Score what redaction did to seeded records.

    Args:
        planted: what went in.
        audited: what redaction says it masked, of every record that came out.
        dropped: ids of those that did not.
        confidence: of each one-sided bound.

    Raises:
        RedactionError: a seeded record neither came out nor was dropped, so nothing is known of it.
    """
    marks, gone = {row.id: row.marks for row in audited}, set(dropped)
    ids = [document.record.id for document in planted]
    if lost := len(set(ids) - set(marks) - gone):
        raise RedactionError(f"{lost} of {len(ids)} seeded records were neither redacted nor dropped; expected none")
    counts = _Counts()
    for document in planted:
        if document.record.id not in gone:
            _count(counts, document, _masked(marks[document.record.id]))
    return _measured(counts, len(ids), len(gone & set(ids)), confidence)


def _masked(marks: Iterable[Mark]) -> dict[str, set[int]]:
    """Field by field the characters that were masked."""
    masked: dict[str, set[int]] = {}
    for mark in marks:
        masked.setdefault(mark.field, set()).update(range(mark.start, mark.end))
    return masked


def _count(counts: _Counts, document: Planted, masked: Mapping[str, set[int]]) -> None:
    outside = _outside(document, masked)
    if document.plain:
        counts.plain.append(outside)
        return
    counts.seeded.append(outside)
    leaks = []
    for places in distinct(document.values):
        shares = [_share(place, masked) for place in places]
        full, own = min(shares) == 1, not places[0].added
        tally = counts.types[places[0].type]
        tally.planted += 1
        tally.full += full
        tally.touched += min(shares) > 0
        tally.own += own
        tally.own_full += own and full
        if places[0].type not in INDIRECT:
            leaks.append(not full)
    if leaks:
        counts.leaks.append(any(leaks))
        if not any(value.added for value in document.values):
            counts.own_leaks.append(any(leaks))


def _share(value: Value, masked: Mapping[str, set[int]]) -> float:
    """Share of a value's letters and digits that are masked."""
    hidden = masked.get(value.field, set())
    letters = [value.start + i for i, c in enumerate(value.text) if c.isalnum()]
    return sum(position in hidden for position in letters) / len(letters)


def _outside(document: Planted, masked: Mapping[str, set[int]]) -> tuple[int, int]:
    """Letters and digits that are in no value: how many are masked, and how many there are."""
    hidden = total = 0
    for name, text in fields(document.record):
        inside = {i for v in document.values if v.field == name for i in range(v.start, v.end)}
        letters = {i for i, c in enumerate(text) if c.isalnum()} - inside
        hidden += len(letters & masked.get(name, set()))
        total += len(letters)
    return hidden, total


def _measured(counts: _Counts, records: int, dropped: int, confidence: float) -> Measured:
    c = confidence
    return Measured(
        confidence=c,
        recall=tuple(
            Recall(type=kind, full=share(t.full, t.planted, c), touched=t.touched, own=share(t.own_full, t.own, c))
            for kind, t in sorted(counts.types.items())
        ),
        leaks=share(sum(counts.leaks), len(counts.leaks), c),
        own_leaks=share(sum(counts.own_leaks), len(counts.own_leaks), c),
        over_seeded=share_of_letters(counts.seeded, c),
        over_plain=share_of_letters(counts.plain, c),
        plain=share(sum(hidden > 0 for hidden, _ in counts.plain), len(counts.plain), c),
        dropped=share(dropped, records, c),
    )


def share(count: float, of: float, confidence: float = CONFIDENCE) -> Share:
    """A share with Clopper and Pearson's one-sided bounds; of nothing, nothing is known."""
    lower, upper = _bounds(count, of, confidence)
    return Share(count=int(count), of=int(of), lower=lower, upper=upper)


def _bounds(count: float, of: float, confidence: float) -> tuple[float, float]:
    from scipy.stats import beta

    lower = float(beta.ppf(1 - confidence, count, of - count + 1)) if count > 0 else 0.0
    upper = float(beta.ppf(confidence, count + 1, of - count)) if count < of else 1.0
    return lower, upper


def share_of_letters(records: Sequence[tuple[int, int]], confidence: float = CONFIDENCE) -> Share:
    """A share of letters, given how many of how many in each record; bounds after Korn and Graubard (1998).

    The effective number of letters is their number over the design effect: the variance of the ratio between
    records (Cochran 1977, section 6.4) over that of independent letters, and at least :data:`WORD`.
    """
    count, of = sum(k for k, _ in records), sum(n for _, n in records)
    if not of:
        return share(0, 0, confidence)
    rate, groups = count / of, len(records)
    alone = rate * (1 - rate) / of
    between = sum((k - rate * n) ** 2 for k, n in records) / of**2 * groups / max(groups - 1, 1)
    letters = of / max(WORD, between / alone if alone else WORD)
    lower, upper = _bounds(rate * letters, letters, confidence)
    return Share(count=count, of=of, lower=lower, upper=upper)


def clean_sample(rows: int, confidence: float = CONFIDENCE) -> float:
    """Upper bound of the rate of leaking rows when none of so many reviewed rows leaks: 1 - (1 - c)^(1/n).

    0 leaks in 300 rows bound the rate at 1.0 % with 95 % confidence. The rows must have been drawn at random,
    and whoever reviewed them must have missed nothing.
    """
    return 1 - (1 - confidence) ** (1 / rows) if rows else 1.0


def needed(floor: float, confidence: float = CONFIDENCE) -> int | None:
    """Values to seed so that a recall of ``floor`` is shown if all are masked: log(1 - c) / log(floor).

    None if no number of values shows it, as of a floor of 1.
    """
    if floor <= 0:
        return 1
    values = math.ceil(math.log(1 - confidence) / math.log(floor) - 1e-9) if floor < 1 else math.inf
    return int(values) if values <= _BATCH else None


def decide(
    measured: Measured, floors: Mapping[str, float], max_leak: float, max_over: float | None = None
) -> tuple[str, ...]:
    """Why the measurement does not show what is asked of redaction; nothing if it does.

    Args:
        measured: the result of :func:`measure`.
        floors: of each type's recall, at its lower bound.
        max_leak: of the rate of leaking records, at its upper bound.
        max_over: of the share of letters masked in records without personal data, at its upper bound.
    """
    found, c = {recall.type: recall.full for recall in measured.recall}, measured.confidence
    reasons = [_short(kind, found.get(kind, share(0, 0, c)), floor, c) for kind, floor in sorted(floors.items())]
    reasons += [_leaky(measured.leaks, max_leak, c)]
    if max_over is not None and measured.over_plain.upper > max_over:
        over = measured.over_plain
        reasons.append(
            f"over-redaction: {over.count} of {over.of} letters of text without personal data were masked, at most "
            f"{over.upper:.2%} with {c:.0%} confidence; expected at most {_percent(max_over)}"
        )
    return tuple(reason for reason in reasons if reason)


def _short(kind: str, seen: Share, floor: float, confidence: float) -> str | None:
    """Why one type's floor is not shown, if it is not."""
    if seen.lower >= floor:
        return None
    found = f"{kind}: {seen.count} of {seen.of} seeded values fully masked, recall at least {seen.lower:.1%}"
    best = share(seen.of, seen.of, confidence).lower
    if best >= floor:
        return f"{found} with {confidence:.0%} confidence; expected at least {_percent(floor)}"
    enough = needed(floor, confidence)
    advice = f"plant {enough} or more" if enough else "no number of values shows it, so ask for less"
    return f"{found}; too few planted to show {_percent(floor)}: all of {seen.of} would show {best:.1%}; {advice}"


def _leaky(seen: Share, most: float, confidence: float) -> str | None:
    """Why the leak rate is not shown to be low enough, if it is not."""
    if seen.upper <= most:
        return None
    found = f"leaks: {seen.count} of {seen.of} seeded records leak, a rate of at most {seen.upper:.1%}"
    if clean_sample(seen.of, confidence) <= most:
        return f"{found} with {confidence:.0%} confidence; expected at most {_percent(most)}"
    enough = needed(1 - most, confidence)
    advice = f"plant {enough} or more records" if enough else "no number of records shows it, so ask for less"
    best = clean_sample(seen.of, confidence)
    return f"{found}; too few planted to show {_percent(most)}: none of {seen.of} would show {best:.1%}; {advice}"


def _percent(share: float) -> str:
    """As somebody wrote it: 5%, 0.25%."""
    return f"{100 * share:g}%"
