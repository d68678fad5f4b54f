"""Measurement: what redaction masks of what was seeded, and what can be claimed from that.

A value is *fully* masked if every letter and digit of it is, under whichever type; *touched* if one is. It counts once
however often it stands in its record, and as masked only if it is masked everywhere. A record *leaks* if a direct
identifier in it is not fully masked. A record that redaction dropped has not leaked; its values count nowhere, and
their number is told.

A share comes with bounds, each one-sided at the confidence asked for: Clopper and Pearson's (1934,
doi:10.1093/biomet/26.4.404), from quantiles of the beta distribution, which hold for any number of trials. Values in
one redacted text are no trials of their own, nor are the records made of it when it serves several times: they go right
or wrong at once. So the bounds are of the effective number of trials (Korn and Graubard 1998, Survey Methodology 24,
193-201), with distinct redacted texts as clusters, and never of more trials than there are such texts
(:func:`share_by_source`). If all are masked, or none, the trials are the texts. With every text used once and one
value in each these are Clopper and Pearson's own bounds. Letters are taken likewise (:func:`share_of_letters`), since a
whole word or a whole record goes wrong at once.

The gate is on bounds, never on the share that was seen: redaction passes if it is *shown* to be good enough. Each of
several floors is tested at the full confidence, since all must hold (an intersection-union test; Berger 1982,
doi:10.1080/00401706.1982.10487790).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.artifacts import Reference
from assay.errors import RedactionError
from assay.policy import needed
from assay.privacy.measurement.seeding import Planted, Value, distinct
from assay.privacy.replacement.drafts import Mark, columns, fields
from assay.privacy.replacement.redaction import Audited

VERSION = 3

CONFIDENCE = 0.95
"""Of each one-sided bound."""

INDIRECT = frozenset({"CITY", "DATE_OF_BIRTH"})
"""Types that name nobody by themselves; every other is a direct identifier."""

WORD = 5.0
"""Letters that are masked together at the least: the smallest design effect of a share of letters."""


class Share(Reference):
    """So many of so many, with one-sided bounds of the true share."""

    count: int
    of: int
    lower: float
    upper: float
    clusters: int
    """Distinct texts that they are in: the most trials that the bounds may be of, but for letters."""

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
    sources: int
    """Distinct redacted texts that the seeded records were made of."""

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
    """Of one type, for each value the text it is in and whether all of it is masked."""

    full: list[tuple[str, bool]] = field(default_factory=list)
    own: list[tuple[str, bool]] = field(default_factory=list)
    touched: int = 0


@dataclass(slots=True)
class _Counts:
    """What was counted over all records."""

    types: defaultdict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    leaks: list[tuple[str, bool]] = field(default_factory=list)
    own_leaks: list[tuple[str, bool]] = field(default_factory=list)
    seeded: defaultdict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
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
    outside, source = _outside(document, masked), document.source or document.record.id
    if document.plain:
        counts.plain.append(outside)
        return
    counts.seeded[source].append(outside)
    leaks = []
    for places in distinct(document.values):
        shares = [_share(place, masked) for place in places]
        full, own = min(shares) == 1, not places[0].added
        tally = counts.types[places[0].type]
        tally.full.append((source, full))
        tally.own += [(source, full)] if own else []
        tally.touched += min(shares) > 0
        if places[0].type not in INDIRECT:
            leaks.append(not full)
    if leaks:
        counts.leaks.append((source, any(leaks)))
        if not any(value.added for value in document.values):
            counts.own_leaks.append((source, any(leaks)))


def _share(value: Value, masked: Mapping[str, set[int]]) -> float:
    """Share of a value's letters and digits that are masked."""
    hidden = masked.get(value.field, set())
    letters = [value.start + i for i, c in enumerate(value.text) if c.isalnum()]
    return sum(position in hidden for position in letters) / len(letters)


def _outside(document: Planted, masked: Mapping[str, set[int]]) -> tuple[int, int]:
    """Letters and digits that are in no value: how many are masked, and how many there are."""
    hidden = total = 0
    for name, text in (*fields(document.record), *columns(document.record)):
        inside = {i for v in document.values if v.field == name for i in range(v.start, v.end)}
        letters = {i for i, c in enumerate(text) if c.isalnum()} - inside
        hidden += len(letters & masked.get(name, set()))
        total += len(letters)
    return hidden, total


def _measured(counts: _Counts, records: int, dropped: int, confidence: float) -> Measured:
    c = confidence
    return Measured(
        confidence=c,
        sources=len(counts.seeded),
        recall=tuple(
            Recall(type=kind, full=share_by_source(t.full, c), touched=t.touched, own=share_by_source(t.own, c))
            for kind, t in sorted(counts.types.items())
        ),
        leaks=share_by_source(counts.leaks, c),
        own_leaks=share_by_source(counts.own_leaks, c),
        over_seeded=share_of_letters([(sum(k), sum(n)) for k, n in map(_across, counts.seeded.values())], c),
        over_plain=share_of_letters(counts.plain, c),
        plain=share(sum(hidden > 0 for hidden, _ in counts.plain), len(counts.plain), c),
        dropped=share(dropped, records, c),
    )


def _across(records: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Counts and totals of several records of one text, each together."""
    counts, totals = zip(*records, strict=True)
    return list(counts), list(totals)


def share(count: int, of: int, confidence: float = CONFIDENCE) -> Share:
    """A share with Clopper and Pearson's one-sided bounds; of nothing, nothing is known."""
    lower, upper = _bounds(count, of, confidence)
    return Share(count=count, of=of, lower=lower, upper=upper, clusters=of)


def share_by_source(seen: Sequence[tuple[str, bool]], confidence: float = CONFIDENCE) -> Share:
    """A share of what comes in clusters, given of each which cluster it is in and whether it counts.

    The effective number is their number over the design effect: the variance of the ratio between clusters (Cochran
    1977, section 6.4) over that of independent ones; and at most the number of clusters, which is all that counts where
    nothing varies.
    """
    clusters: dict[str, list[bool]] = {}
    for source, counts in seen:
        clusters.setdefault(source, []).append(counts)
    count, of, groups = sum(counts for _, counts in seen), len(seen), len(clusters)
    trials, rate = float(groups), count / max(of, 1)
    if between := _between([(sum(each), len(each)) for each in clusters.values()]):
        trials = min(trials, of * rate * (1 - rate) / (of - 1) / between)
    lower, upper = _bounds(count if trials == of else rate * trials, trials, confidence)
    return Share(count=count, of=of, lower=lower, upper=upper, clusters=groups)


def _bounds(count: float, of: float, confidence: float) -> tuple[float, float]:
    from scipy.stats import beta

    lower = float(beta.ppf(1 - confidence, count, of - count + 1)) if count > 0 else 0.0
    upper = float(beta.ppf(confidence, count + 1, of - count)) if count < of else 1.0
    return lower, upper


def _between(clusters: Sequence[tuple[int, int]]) -> float:
    """Variance of a ratio, given so many of so many in each cluster."""
    of, groups = sum(n for _, n in clusters), len(clusters)
    rate = sum(k for k, _ in clusters) / max(of, 1)
    return sum((k - rate * n) ** 2 for k, n in clusters) / max(of, 1) ** 2 * groups / max(groups - 1, 1)


def share_of_letters(records: Sequence[tuple[int, int]], confidence: float = CONFIDENCE) -> Share:
    """A share of letters, given how many of how many in each record; bounds after Korn and Graubard (1998).

    The effective number of letters is their number over the design effect: the variance of the ratio between
    records (Cochran 1977, section 6.4) over that of independent letters, and at least :data:`WORD`.
    """
    count, of = sum(k for k, _ in records), sum(n for _, n in records)
    if not of:
        return share(0, 0, confidence)
    rate = count / of
    alone = rate * (1 - rate) / of
    letters = of / max(WORD, _between(records) / alone if alone else WORD)
    lower, upper = _bounds(rate * letters, letters, confidence)
    return Share(count=count, of=of, lower=lower, upper=upper, clusters=len(records))


def clean_sample(rows: int, confidence: float = CONFIDENCE) -> float:
    """Upper bound of the rate of leaking rows when none of so many reviewed rows leaks: 1 - (1 - c)^(1/n).

    0 leaks in 300 rows bound the rate at 1.0 % with 95 % confidence. The rows must have been drawn at random,
    and whoever reviewed them must have missed nothing.
    """
    return 1 - (1 - confidence) ** (1 / rows) if rows else 1.0


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
    best, enough = 1 - clean_sample(seen.clusters, confidence), needed(floor, confidence)
    if best >= floor:
        return f"{found} with {confidence:.0%} confidence; expected at least {_percent(floor)}"
    few, advice = _few(seen, enough, "values")
    return f"{found}; {few} to show {_percent(floor)}: all {_of(seen)} would show {best:.1%}; {advice}"


def _leaky(seen: Share, most: float, confidence: float) -> str | None:
    """Why the leak rate is not shown to be low enough, if it is not."""
    if seen.upper <= most:
        return None
    found = f"leaks: {seen.count} of {seen.of} seeded records leak, a rate of at most {seen.upper:.1%}"
    best, enough = clean_sample(seen.clusters, confidence), needed(1 - most, confidence)
    if best <= most:
        return f"{found} with {confidence:.0%} confidence; expected at most {_percent(most)}"
    few, advice = _few(seen, enough, "records")
    return f"{found}; {few} to show {_percent(most)}: none {_of(seen)} would show {best:.1%}; {advice}"


def _few(seen: Share, enough: int | None, what: str) -> tuple[str, str]:
    """What there is too little of, and what to do."""
    if enough is None:
        return "too few planted", f"no number of {what} shows it, so ask for less"
    if seen.of >= enough:
        return "too few distinct records", f"it takes {enough} distinct ones, so plant more, or give more data"
    return "too few planted", f"plant {enough} or more{' records' if what == 'records' else ''}"


def _of(seen: Share) -> str:
    """Of how many, and of how many distinct texts if these are fewer."""
    what = "record" if seen.clusters == 1 else "records"
    return f"of {seen.of}" + (f" in {seen.clusters} distinct {what}" if seen.clusters < seen.of else "")


def _percent(share: float) -> str:
    """As somebody wrote it: 5%, 0.25%."""
    return f"{100 * share:g}%"
