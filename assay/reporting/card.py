"""The card: what a dataset version is, where it came from and what was done to it, for the person who signs for it.

:func:`page` sets a :class:`~assay.reporting.dataset.Content` as one HTML file that runs no script and fetches nothing;
:mod:`assay.reporting.croissant` says the same to machines. Equal content gives equal bytes.

The sections answer the questions of Gebru et al. (2021), "Datasheets for Datasets", Communications of the ACM 64(12):
motivation, collection, preprocessing, composition, uses, distribution and maintenance, in the order in which the
records passed them. Personal data, which they ask about under composition, have a section of their own.
"""

from collections import Counter
from typing import Literal, NamedTuple

from markupsafe import Markup

from assay.reporting import claims, flow, measured, pages, wording
from assay.reporting.dataset import Content, Described, Lengths, Profile

VERSION = 3

FEW = 30
"""A side with fewer records of a label says too little about it."""

CHANCE = 0.05
"""A difference that is at least so likely to arise by chance says nothing."""

OPEN_ROWS = 24
"""A longer table is folded up."""

_TEMPLATE, _STYLE = "card.html.j2", "card.css"
_STANDINGS = {
    "good": ("Nothing stands against it", "\u2713"),
    "odd": ("Read before you sign", "!"),
    "bad": ("Do not sign", "\u2715"),
}


class Remark(NamedTuple):
    """Something that who signs should have seen."""

    colour: str
    """``bad`` or ``odd``."""

    said: str


def page(content: Content) -> str:
    """Set ``content`` as one HTML page. No text in it can be mistaken for markup."""
    remarks = remarks_on(content)
    standing = remarks[0].colour if remarks else "good"
    word, sign = _STANDINGS[standing]
    return pages.template(_TEMPLATE).render(
        content=content,
        profile=content.profile,
        measured=measured.shown(content.redacting) if content.redacting else None,
        standing=standing,
        word=word,
        sign=sign,
        headline=_headline(content),
        remarks=remarks,
        picture=flow.picture(content.path, {side.name: side.rows for side in content.sides}, len(content.sources)),
        words=_histograms(content.profile, "words"),
        characters=_histograms(content.profile, "characters"),
        licences=_licences(content),
        not_known=(*_unmeasured(content), *_thin(content.profile), *content.not_known),
        between=flow.between,
        chance=_chance,
        open_rows=OPEN_ROWS,
        style=_STYLE,
    )


def remarks_on(content: Content) -> list[Remark]:
    """What stands against signing, and what should be read first; worst first."""
    bad = [
        f"{flow.step(passage.step)}: {wording.count(passage.unaccounted)} of "
        f"{_items(passage.taken, 'record is', 'records are')} not accounted for. This is a fault."
        for passage in content.path
        if passage.unaccounted
    ]
    if content.path and (went := content.path[-1].passed) != content.rows:
        bad.append(
            f"Split: {_items(went, 'record', 'records')} went in and {wording.count(content.rows)} came out. "
            "This is a fault."
        )
    if content.profile.torn:
        bad.append(f"Split: {_items(content.profile.torn, 'subject is', 'subjects are')} on more than one side.")
    if content.redacting and not content.redacting.passed:
        bad.append(f"Redaction: not shown to be good enough. {claims.headline(content.redacting)}")
    bad += [
        f"Doorway {suite.suite}: the suite stopped the run." for suite in content.suites if suite.decision == "stop"
    ]
    return [*(Remark("bad", said) for said in bad), *(Remark("odd", said) for said in _to_read(content))]


def _to_read(content: Content) -> list[str]:
    said = [
        f"Check {check.id} of doorway {suite.suite} could not run: {check.note}."
        for suite in content.suites
        for check in suite.findings
        if check.status == "could not run"
    ]
    in_force = sum(standing.in_force for standing in content.waivers)
    over = len(content.waivers) - in_force
    if in_force:
        said.append(f"Waivers: {_items(in_force, 'failure is', 'failures are')} let pass until a named day.")
    if over:
        said.append(f"Waivers: {_items(over, 'has', 'have')} expired and {'has' if over == 1 else 'have'} no effect.")
    sample = content.redacting.sample if content.redacting else None
    if sample and sample.leaks:
        said.append(f"Redaction: {_items(sample.leaks, 'row', 'rows')} of {sample.rows} read by a person still leaked.")
    if waiting := sum(content.suspects.values()):
        said.append(f"Review: {_items(waiting, 'doubt waits', 'doubts wait')} for a person to decide on.")
    for suite in content.suites:
        warned = [c.id for c in suite.findings if c.on_fail == "warn" and c.status == "failed"]
        if warned:
            said.append(f"Doorway {suite.suite}: {', '.join(warned)} did not hold, and only warned.")
    return said


def _unmeasured(content: Content) -> list[str]:
    return [] if content.redacting else [measured.UNMEASURED]


def _thin(profile: Profile) -> list[str]:
    """Labels that have too few records on a side to be judged there."""
    sides = []
    for side in profile.sides:
        short = [value for value, rows in side.labels.values if rows < FEW]
        if not short or not side.rows:
            continue
        every = len(short) == len(side.labels.values)
        named = "every label" if every else ", ".join(short) if len(short) <= 3 else f"{len(short)} labels"  # noqa: PLR2004
        sides.append(f"{named} on the side {side.name}")
    return [f"Rare labels: fewer than {FEW} records of {'; '.join(sides)}."] if sides else []


def _headline(content: Content) -> str:
    people = _items(content.profile.subjects, "subject", "subjects")
    sides = [f"{wording.count(side.rows)} for {side.name}" for side in content.sides if side.rows]
    nobody = "" if content.profile.torn else "; nobody is on two sides"
    return f"{_items(content.rows, 'record', 'records')} about {people}: {', '.join(sides)}{nobody}."


class Drawn(NamedTuple):
    """Histograms that stand beside one another, over one pair of axes."""

    edges: list[int]
    sides: list[tuple[Described, Lengths, Markup]]


def _histograms(profile: Profile, unit: Literal["words", "characters"]) -> Drawn:
    lengths: list[tuple[Described, Lengths]] = [(side, getattr(side, unit)) for side in profile.sides if side.rows]
    edges = flow.window([dict(counted.bins) for _, counted in lengths], profile.edges)
    top = max((texts / side.rows for side, counted in lengths for _, texts in counted.bins), default=1.0)
    return Drawn(
        edges,
        [
            (
                side,
                counted,
                flow.histogram(dict(counted.bins), edges, top, unit, _said(side, counted, unit)),
            )
            for side, counted in lengths
        ],
    )


def _said(side: Described, counted: Lengths, unit: str) -> str:
    return (
        f"{side.name}, {unit}: {wording.count(counted.least)} to {wording.count(counted.most)}, "
        f"median {wording.count(counted.median)}, 95 % at most {wording.count(counted.high)}"
    )


def _chance(p_value: float | None) -> str:
    """What a p-value says to somebody who has never met one; nothing if there is none."""
    if p_value is None:
        return ""
    if p_value >= CHANCE:
        return "could be chance"
    return f"unlikely to be chance, p {'< 0.001' if p_value < 0.001 else f'= {p_value:.2g}'}"  # noqa: PLR2004


def _licences(content: Content) -> list[tuple[str, int, list[str]]]:
    rows, names = Counter[str](), dict[str, list[str]]()
    for source in (*content.sources, *content.beside):
        rows[source.licence] += source.rows
        names.setdefault(source.licence, []).append(source.name)
    return [(licence, rows[licence], names[licence]) for licence in sorted(rows, key=lambda one: (-rows[one], one))]


def _items(number: int, one: str, many: str) -> str:
    return f"{wording.count(number)} {one if number == 1 else many}"
