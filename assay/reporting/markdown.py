"""Markdown: a report for a pull request, in fewer than :data:`LINES` lines.

The verdict in a sentence, every criterion in a table, the slices that matter, what serving costs, and the digests that
it rests on. Whatever is quoted is escaped, so that a name in a recipe makes no markup, no link and no mention. What is
cut for length is counted, and never what was not met before what was.
"""

import re
from collections.abc import Iterator

from assay.evaluations import Criterion
from assay.reporting import criteria, forest, serving, unjudged, unknown, wording
from assay.reporting.content import Change, Content
from assay.reporting.report import headline, unmet

VERSION = 1

LINES = 60
SHOWN_CRITERIA = 26
SHOWN_SLICES = 5
SHOWN_DIGESTS = 6
SHOWN_UNKNOWN = 4
_DIGITS = 12

_MARKUP = re.compile(r"([\\`*_{}\[\]#!|~^$])")


def summary(content: Content) -> str:
    """The report as GitHub and its like read it."""
    verdict = content.verdict
    parts = [
        [
            f"### {forest.SIGNS[verdict.decision]} {verdict.decision.capitalize()}: {_about(content)}",
            "",
            escaped(headline(verdict)),
            "",
        ],
        [*_table(content), ""],
        _unjudged(content),
        _slices(content),
        _cost(content),
        _unknown(content),
        _digests(content),
    ]
    return "".join(f"{line}\n" for part in parts for line in part).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    """A text on one line that is no markup, no address and no mention wherever it is pasted."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", plain).replace("@", "&#64;").replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def _about(content: Content) -> str:
    if content.versions:
        return f"{escaped(content.versions.after)} beside {escaped(content.versions.before)}"
    return f"a candidate of {escaped(str(content.recipe.get('name', 'a recipe')))}"


def _table(content: Content) -> Iterator[str]:
    failing = unmet(content.verdict)
    met = [each for each in content.verdict.criteria if each.decision == "accepted"]
    shown = [*failing, *met][:SHOWN_CRITERIA]
    yield "| | Criterion | Before | After | Estimate | Asked for | Items | Would decide |"
    yield "|---|---|---:|---:|---|---|---:|---:|"
    yield from map(_row, shown)
    if more := len(content.verdict.criteria) - len(shown):
        left = "met" if len(shown) >= len(failing) else "not met or met"
        yield f"| | and {more} more, {left} | | | | | | |"


def _row(each: Criterion) -> str:
    corrected = f", {criteria.adjusted(each)} corrected" if criteria.adjusted(each) else ""
    interval = "" if each.lower is None and each.upper is None else f" ({criteria.bounds(each)})"
    cells = (
        f"{forest.SIGNS[each.decision]} {each.decision}{corrected}",
        criteria.title(each),
        criteria.level(each, each.baseline),
        criteria.level(each, each.candidate),
        f"{criteria.estimate(each, each.estimate)}{interval}",
        criteria.threshold(each),
        wording.count(each.n),
        wording.count(each.needed),
    )
    return f"| {' | '.join(map(escaped, cells))} |"


def _unjudged(content: Content) -> Iterator[str]:
    """What got worse beyond doubt without a criterion that asks about it, the largest loss first."""
    if lost := unjudged.losses(content):
        yield "**Worse beyond doubt, and judged by no criterion:**"
        yield ""
        yield from (f"- {escaped(said)}" for said in lost[:SHOWN_SLICES])
        yield ""


def _slices(content: Content) -> Iterator[str]:
    """Those that may have lost, the largest loss first; the others are counted."""
    every = [(attribute, change) for attribute, changes in content.slices.items() for change in changes]
    if not every:
        return
    lost = sorted(
        ((a, c) for a, c in every if c.lower is not None and c.lower < 0),
        key=lambda pair: pair[1].difference or 0.0,
    )
    level = f"{100 * (2 * content.verdict.confidence - 1):.3g}\u202f%"
    if lost:
        yield f"**Slices that may have lost** ({len(lost)} of {len(every)}, {level} intervals):"
        yield ""
        yield from (f"- {_slice(attribute, change)}" for attribute, change in lost[:SHOWN_SLICES])
    else:
        yield f"**Slices:** none of {len(every)} has lost, by its {level} interval."
    yield ""


def _slice(attribute: str, change: Change) -> str:
    interval = wording.between(change.lower, change.upper)
    name = escaped(f"{attribute} = {change.name or 'not given'}")
    return f"{name}: {wording.points(change.difference)} points ({interval}) on {wording.count(change.n)} items"


def _cost(content: Content) -> Iterator[str]:
    shown = serving.shown(content)
    if shown is None:
        return
    rows = {row[0]: row for row in shown.rows}
    told = [
        rows[name] for name in ("Median latency", f"Cost of {wording.count(serving.REQUESTS)} requests") if name in rows
    ]
    if told:
        said = "; ".join(f"{escaped(n)} {escaped(b)} → {escaped(a)} {escaped(m)}" for n, m, b, a, _ in told)
        yield f"**Serving:** {said}."
        yield ""


def _unknown(content: Content) -> Iterator[str]:
    told = [*unknown.found(content), *unknown.open_always(content)]
    if told:
        names = [escaped(said.partition(":")[0]) for said in told]
        more = len(names) - SHOWN_UNKNOWN
        listed = [*names[:SHOWN_UNKNOWN], *([f"{more} more"] if more > 0 else [])]
        yield f"**Not known**, and told on the report: {'; '.join(listed)}."
        yield ""


def _digests(content: Content) -> Iterator[str]:
    named = [
        f"{escaped(name)} `{re.sub(r'[^0-9a-f]', '', digest.removeprefix('sha256:'))[:_DIGITS]}`"
        for name, digest in list(content.identity.items())[:SHOWN_DIGESTS]
    ]
    if named:
        yield f"<sub>sha256: {', '.join(named)}; all of it is on the report.</sub>"
