"""The report: one page on which a run is approved or not, by somebody who was not there.

:class:`~assay.reporting.content.Content` is all that the page says. It is made of what the steps filed: counts,
digests, scores, and of texts only what redaction has passed. :func:`page` sets it in one HTML file that runs no script
and fetches nothing, and escapes every text, so that it can be mailed, archived and printed. Equal content gives equal
bytes.

:mod:`assay.reporting.excerpts` chooses what is shown of too much.
"""

import itertools
from dataclasses import dataclass

from pydantic import JsonValue

from assay.evaluations import Criterion, Verdict
from assay.reporting import asked, criteria, forest, hard, leaking, measured, pages, serving, taught, unjudged, unknown
from assay.reporting.content import Content

VERSION = 5

SHOWN_CHARACTERS = 1200
"""Of a prompt or an answer."""

OPEN_ROWS = 12
"""A longer table is folded up."""

_TEMPLATE, _STYLE = "report.html.j2", "report.css"
_PARTS = {
    "ASKED": "asked.html.j2",
    "ASKED_STYLE": "asked.css",
    "CRITERIA": "criteria.html.j2",
    "EXAMPLES": "examples.html.j2",
    "FOREST_STYLE": "forest.css",
    "PATH": "path.html.j2",
    "HARD": "hard.html.j2",
    "HARD_STYLE": "hard.css",
    "LEAKING": "leaking.html.j2",
    "LEAKING_STYLE": "leaking.css",
    "TRAINING": "training.html.j2",
    "TRAINING_STYLE": "training.css",
}
_DECISIONS = {
    "accepted": (
        "Accepted",
        "It is registered as the candidate. Only a promotion puts it to work.",
        "By this gate it may take the other's place. Nothing was promoted.",
    ),
    "refused": (
        "Refused",
        "It is registered so that it can be answered for, and it cannot be promoted.",
        "By this gate it may not take the other's place.",
    ),
    "inconclusive": (
        "Inconclusive",
        "These items cannot tell, so it cannot be promoted. Evaluate it on more of them, or change the recipe.",
        "These items cannot tell which is better. Ask both more of them.",
    ),
}
"""Decision → its word, what follows for a candidate, and for one of two versions."""

_SECTIONS = (
    ("criteria", "Criteria"),
    ("metrics", "Before and after"),
    ("parts", "Fields and slices"),
    ("ability", "General ability"),
    ("latency", "Latency and cost"),
    ("asked", "Beside the task"),
    ("leaks", "Leak audit"),
    ("examples", "Wins and losses"),
    ("training", "Training"),
    ("hard", "What was hard to learn"),
    ("sources", "What went in"),
    ("dropped", "What was dropped"),
    ("doorways", "Checks of the data"),
    ("personal", "Personal data"),
    ("unknown", "What is not known"),
    ("identity", "Identity"),
    ("recipe", "Recipe"),
)
_OF_DATA = ("training", "sources", "dropped", "doorways", "personal")
"""Sections that a comparison of two versions has not."""


_TOGETHER = {"Slices", "Robustness"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is said at the top of a criterion, or of several."""

    name: str
    decision: str
    one: Criterion | None = None
    met: str = ""
    """How many of several."""


def page(content: Content) -> str:
    """Set ``content`` as a self-contained HTML page."""
    verdict = content.verdict
    word, follows, of_versions = _DECISIONS[verdict.decision]
    return pages.template(_TEMPLATE).render(
        content=content,
        style=_STYLE,
        **_PARTS,
        criteria=criteria,
        titles=dict(_SECTIONS),
        sections=_sections(content),
        open_rows=OPEN_ROWS,
        shortened=_shortened,
        word=word,
        sign=forest.SIGNS[verdict.decision],
        follows=of_versions if content.versions else follows,
        headline=headline(verdict),
        level=f"{100 * (2 * verdict.confidence - 1):.3g}\u202f%",
        met=sum(criterion.decision == "accepted" for criterion in verdict.criteria),
        standings=_standings(verdict),
        unmet=unmet(verdict),
        judged=_judged(content),
        min_slice=_min_slice(content.recipe),
        measured=measured.shown(content.redacting) if content.redacting else None,
        forest=forest.in_groups(
            [(name, [_span(each) for each in of]) for name, of in criteria.grouped(verdict.criteria)]
        ),
        serving=serving.shown(content),
        unjudged=unjudged.losses(content),
        besides=asked.shown(content.asked) if content.asked else None,
        leaking=leaking.shown(content.leaks, verdict.criteria) if content.leaks else None,
        timed_many=unknown.latency_is_bounded(verdict),
        taught=taught.shown(content),
        hard=hard.shown(content.hard) if content.hard else None,
        most=max((passage.taken for passage in content.path), default=0),
        not_known=[said.partition(": ") for said in (*unknown.found(content), *unknown.open_always(content))],
        written=_yaml(content.recipe),
    )


def _sections(content: Content) -> list[tuple[str, str]]:
    """Those that this page has: a comparison of two versions has no data, and not every run looks for all there is."""
    has: dict[str, object] = {name: getattr(content, name) for name in ("asked", "leaks", "hard")}
    has |= dict.fromkeys(_OF_DATA, content.training)
    return [each for each in _SECTIONS if has.get(each[0], True)]


def headline(verdict: Verdict) -> str:
    """The verdict in a sentence; which criteria decided it, where the whole of why stands just below."""
    if verdict.decision == "accepted":
        rest = verdict.sentence.removeprefix(f"{_DECISIONS['accepted'][0]}: ")
        return rest[:1].upper() + rest[1:]
    deciding = [each for each in verdict.criteria if each.decision == verdict.decision]
    said = "Falls short on" if verdict.decision == "refused" else "Not enough evidence on"
    return f"{said} {criteria.titles(deciding)}: {len(deciding)} of {len(verdict.criteria)} criteria."


def unmet(verdict: Verdict) -> list[Criterion]:
    """Criteria that the candidate does not meet, refused ones first."""
    order = ("refused", "inconclusive")
    return sorted((c for c in verdict.criteria if c.decision in order), key=lambda c: order.index(c.decision))


def _span(criterion: Criterion) -> forest.Span:
    """A criterion on its axis, better to the right."""
    ends = [criteria.distance(criterion, value) for value in (criterion.lower, criterion.upper)]
    if criterion.kind in {"ceiling", "ratio"}:
        ends.reverse()
    said = f"{criteria.estimate(criterion, criterion.estimate)}, asked for {criteria.threshold(criterion)}"
    return forest.Span(
        name=criteria.title(criterion).removeprefix("Slice "),  # Its group is called so.
        said=said,
        colour=criterion.decision,
        point=criteria.distance(criterion, criterion.estimate) or 0.0,
        lower=ends[0],
        upper=ends[1],
        origin=criteria.origin(criterion) or 0.0,
        axis=criteria.unit(criterion),
    )


def _standings(verdict: Verdict) -> list[Standing]:
    """What stands at the top: single criteria one by one, slices and changed records together."""
    shown: list[Standing] = []
    for name, of in criteria.grouped(verdict.criteria):
        if name in _TOGETHER and len(of) > 1:
            worst = min((each.decision for each in of), key=("refused", "inconclusive", "accepted").index)
            met = sum(each.decision == "accepted" for each in of)
            shown.append(Standing(name, worst, met=f"{met} of {len(of)}"))
        else:
            shown += [Standing(criteria.title(each), each.decision, each) for each in of]
    return shown


def _judged(content: Content) -> dict[tuple[str, str], Criterion]:
    """Slice → the criterion that judges it."""
    found = {each.name: each for each in content.verdict.criteria if each.name.startswith("slice:")}
    slices = itertools.chain.from_iterable(
        ((attribute, change.name) for change in changes) for attribute, changes in content.slices.items()
    )
    return {pair: found[name] for pair in slices if (name := f"slice:{pair[0]}={pair[1]}") in found}


def _min_slice(recipe: dict[str, JsonValue]) -> int:
    """Items below which the recipe has a slice shown and not judged; one that says nothing judges none."""
    gate = recipe.get("gate")
    given = gate.get("min_slice") if isinstance(gate, dict) else None
    return given if isinstance(given, int) else 0


def _yaml(recipe: dict[str, JsonValue]) -> str:
    import yaml

    return str(yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=100))


def _shortened(text: str) -> str:
    more = len(text) - SHOWN_CHARACTERS
    return text if more <= 0 else f"{text[:SHOWN_CHARACTERS]}\u2026 ({more:,} more characters)"
