"""The report: one page on which a run is approved or not, by somebody who was not there.

:class:`~assay.reporting.content.Content` is all that the page says. It is made of what the steps filed: counts,
digests, scores, and of texts only what redaction has passed. :func:`page` sets it in one HTML file that runs no script
and fetches nothing, and escapes every text, so that it can be mailed, archived and printed. Equal content gives equal
bytes.

:mod:`assay.reporting.excerpts` chooses what is shown of too much.
"""

from pydantic import JsonValue

from assay.evaluations import Criterion, Verdict
from assay.reporting import forest, measured, pages, taught, wording
from assay.reporting.content import Content

VERSION = 4

SHOWN_CHARACTERS = 1200
"""Of a prompt or an answer."""

OPEN_ROWS = 12
"""A longer table is folded up."""

FEW = 30
"""A slice with fewer items says too little to be read."""

_TEMPLATE, _STYLE = "report.html.j2", "report.css"
_PARTS = {"TRAINING": "training.html.j2", "TRAINING_STYLE": "training.css"}
_DECISIONS = {
    "accepted": (
        "Accepted",
        "\u2713",
        "It is registered as the candidate. Only a promotion puts it to work.",
    ),
    "refused": ("Refused", "\u2715", "It is registered so that it can be answered for, and it cannot be promoted."),
    "inconclusive": (
        "Inconclusive",
        "?",
        "These items cannot tell, so it cannot be promoted. Evaluate it on more of them, or change the recipe.",
    ),
}


def page(content: Content) -> str:
    """Set ``content`` as a self-contained HTML page."""
    verdict = content.verdict
    word, sign, follows = _DECISIONS[verdict.decision]
    return pages.template(_TEMPLATE).render(
        content=content,
        style=_STYLE,
        **_PARTS,
        open_rows=OPEN_ROWS,
        shortened=_shortened,
        word=word,
        sign=sign,
        follows=follows,
        headline=_headline(verdict, word),
        level=f"{100 * (2 * verdict.confidence - 1):.3g}\u202f%",
        met=sum(criterion.decision == "accepted" for criterion in verdict.criteria),
        measured=measured.shown(content.redacting) if content.redacting else None,
        forest=forest.forest([_span(criterion) for criterion in verdict.criteria]),
        taught=taught.shown(content),
        most=max((passage.taken for passage in content.path), default=0),
        not_known=[said.partition(": ") for said in (*_found_unknown(content), *content.not_known)],
        written=_yaml(content.recipe),
    )


def _headline(verdict: Verdict, word: str) -> str:
    """The verdict in a sentence; which criteria decided it, where the whole of why stands just below."""
    if verdict.decision == "accepted":
        rest = verdict.sentence.removeprefix(f"{word}: ")
        return rest[:1].upper() + rest[1:]
    names = [wording.metric(c.metric).lower() for c in verdict.criteria if c.decision == verdict.decision]
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    said = "Falls short on" if verdict.decision == "refused" else "Not enough evidence on"
    return f"{said} {listed}: {len(names)} of {len(verdict.criteria)} criteria."


def _span(criterion: Criterion) -> forest.Span:
    """A criterion in points from its threshold, better to the right."""
    sign = -1 if criterion.kind == "ratio" else 1
    origin = {"floor": criterion.baseline, "ratio": 1.0}.get(criterion.kind, 0.0)

    def away(value: float | None) -> float | None:
        return None if value is None else 100 * sign * (value - criterion.threshold)

    ends = (away(criterion.lower), away(criterion.upper))
    return forest.Span(
        name=wording.metric(criterion.metric),
        said=f"{wording.estimate(criterion, criterion.estimate)}, asked for {wording.threshold(criterion)}",
        colour=criterion.decision,
        point=away(criterion.estimate) or 0.0,
        lower=ends[0] if sign > 0 else ends[1],
        upper=ends[1] if sign > 0 else ends[0],
        origin=away(origin) or 0.0,
    )


def _found_unknown(content: Content) -> list[str]:
    """What this run in particular leaves open, worst first."""
    lost = [
        f"{passage.step}: {passage.unaccounted:,} of {passage.taken:,} records are not accounted for. This is a fault; "
        "do not approve."
        for passage in content.path
        if passage.unaccounted
    ]
    undecided = [
        f"{wording.metric(criterion.metric)}: these {criterion.n:,} items cannot tell"
        + (f"; about {criterion.needed:,} would." if criterion.needed else ", and more like them would not either.")
        for criterion in content.verdict.criteria
        if criterion.decision == "inconclusive"
    ]
    unchecked = [
        f"Check {check.id} of suite {suite.suite} could not run: {check.why}"
        for suite in content.suites
        for check in suite.findings
        if check.status == "could not run"
    ]
    few = [
        f"{attribute} = {change.name or 'not given'}"
        for attribute, changes in content.slices.items()
        for change in changes
        if (change.n or 0) < FEW
    ]
    thin = [f"Small slices: fewer than {FEW} items for {', '.join(few)}."] if few else []
    unmeasured = [] if content.redacting else [measured.UNMEASURED]
    return [*lost, *undecided, *unchecked, *unmeasured, *thin]


def _yaml(recipe: dict[str, JsonValue]) -> str:
    import yaml

    return str(yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=100))


def _shortened(text: str) -> str:
    more = len(text) - SHOWN_CHARACTERS
    return text if more <= 0 else f"{text[:SHOWN_CHARACTERS]}\u2026 ({more:,} more characters)"
