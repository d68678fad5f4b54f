"""The report: one page on which a run is approved or not, by somebody who was not there.

:class:`Content` is all that the page says. It is made of what the steps filed: counts, digests, scores, and of texts
only what redaction has passed. :func:`page` sets it in one HTML file that runs no script and fetches nothing, and
escapes every text, so that it can be mailed, archived and printed. Equal content gives equal bytes.

:mod:`assay.reporting.excerpts` chooses what is shown of too much.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from assay.evaluations import Criterion, Verdict
from assay.reporting import charts, wording

if TYPE_CHECKING:
    from jinja2 import Template

VERSION = 1

SHOWN_CHARACTERS = 1200
"""Of a prompt or an answer."""

OPEN_ROWS = 12
"""A longer table is folded up."""

FEW = 30
"""A slice with fewer items says too little to be read."""

NOT_LOOKED_FOR = (
    "Near duplicates: only records that are equal once case and white space are folded were removed.",
    "Flipped labels: no step looks for wrong answers among the training records.",
    "Leaks: no leak audit was run. Redaction replaces what its detectors find; nobody tried to extract the rest.",
    "Other seeds: one adapter was trained, from one seed. The intervals cover the choice of items, not that of a seed.",
    "Latency elsewhere: it is a point measurement, one request after another, on one machine at one load.",
    "Safety: no harmful request was made of either model, and no refusal was counted.",
    "Robustness: no misspelt, shouted, longer or foreign variant of the test records was asked.",
    "Other ways to the same end: few-shot prompts, retrieval and other base models were not tried.",
)

Decision = Literal["pass", "pass_with_warnings", "quarantine", "stop"]


class Part(BaseModel):
    """Frozen; built from any object that has these names, and blind to what else it has."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)


class Source(Part):
    """Where records came from, and by what right."""

    name: str
    uri: str
    rows: int
    licence: str
    lawful_basis: str
    digest: str | None = None
    side: str | None = None
    """The side to which all of its records are pinned."""


class Reason(Part):
    """Why records were dropped, without naming one."""

    said: str
    rows: int
    examples: tuple[tuple[str, str], ...]
    """The first ids, with the whole reason of each."""


class Passage(Part):
    """A step that may drop records: what went in and what came out."""

    step: str
    taken: int
    passed: int
    dropped: int
    reasons: tuple[Reason, ...] = ()

    @property
    def unaccounted(self) -> int:
        """Records that neither came out nor were filed as dropped; anything but 0 is a fault of Assay."""
        return self.taken - self.passed - self.dropped


class Check(Part):
    """One expectation, and how it came out."""

    id: str
    asks: str
    """The expectation in words, which go on after the name of the column."""

    why: str
    column: str | None
    on_fail: str
    evaluated: int
    failed: int
    status: str
    note: str = ""
    """Why it could not run."""


class Suite(Part):
    """What was expected of the records at a doorway, and what was found."""

    suite: str
    version: int
    owner: str
    digest: str
    decision: Decision
    reasons: tuple[str, ...]
    rows: int
    findings: tuple[Check, ...]


class Personal(Part):
    """What redaction replaced."""

    records: int
    """Records examined."""

    touched: int
    """Records in which something was replaced."""

    counts: dict[str, int]
    """Entity type → placeholders put in."""


class Training(Part):
    """The record of a training run."""

    steps: int
    examples: int
    truncated: int
    tokens: int
    learned_tokens: int | None = None
    trainable_parameters: int
    operations: float | None = None
    """Floating-point operations, estimated."""

    seconds: float
    peak_bytes: int | None = None
    losses: tuple[tuple[float, float], ...] = ()
    """Step and mean loss of its batch."""

    held_out_losses: tuple[tuple[float, float], ...] = ()
    environment: dict[str, JsonValue] = {}


class Change(Part):
    """A number before and after."""

    name: str
    before: float | None
    after: float | None
    lower: float | None = None
    """Of the difference, as the upper one: together an interval at 2 x confidence - 1."""

    upper: float | None = None
    n: int | None = None
    gained: int | None = None
    """Items that got better."""

    lost: int | None = None

    @property
    def difference(self) -> float | None:
        """After minus before."""
        return None if self.before is None or self.after is None else self.after - self.before


class Example(Part):
    """A test record with both answers."""

    id: str
    prompt: str
    expected: str
    before: str
    after: str
    wrong: tuple[str, ...] = ()
    """Fields that the answer which is not right has wrong."""


class Content(Part):
    """All that a page says."""

    recipe: dict[str, JsonValue]
    """As written, with the digests of its sources."""

    verdict: Verdict
    metrics: tuple[Change, ...]
    fields: tuple[Change, ...] = ()
    slices: dict[str, tuple[Change, ...]] = {}
    """Attribute → a change of the target metric for each of its values."""

    abilities: tuple[Change, ...] = ()
    """Groups of general-ability items."""

    latency: tuple[Change, ...] = ()
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    path: tuple[Passage, ...]
    sides: dict[str, int]
    """Side → records."""

    suites: tuple[Suite, ...] = ()
    personal: Personal
    training: Training
    wins: tuple[Example, ...] = ()
    losses: tuple[Example, ...] = ()
    not_known: tuple[str, ...] = NOT_LOOKED_FOR
    identity: dict[str, str]
    """What → digest."""

    environment: dict[str, JsonValue] = {}
    """Where both models were evaluated."""


_TEMPLATES = Path(__file__).with_name("templates")
_TEMPLATE, _STYLE = "report.html.j2", "report.css"
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
_DOORWAYS = {
    "pass": ("Passed", "accepted"),
    "pass_with_warnings": ("Passed with warnings", "inconclusive"),
    "quarantine": ("Passed without the rows set aside", "inconclusive"),
    "stop": ("Stopped", "refused"),
}
_SEVERITIES = {"stop": "stops the run", "quarantine": "sets the row aside", "warn": "warns"}


def page(content: Content) -> str:
    """Set ``content`` as a self-contained HTML page."""
    verdict = content.verdict
    word, sign, follows = _DECISIONS[verdict.decision]
    return _template().render(
        content=content,
        word=word,
        sign=sign,
        follows=follows,
        headline=_headline(verdict, word),
        level=f"{100 * (2 * verdict.confidence - 1):.3g}\u202f%",
        met=sum(criterion.decision == "accepted" for criterion in verdict.criteria),
        doorways=_DOORWAYS,
        forest=charts.forest([_span(criterion) for criterion in verdict.criteria]),
        curves=_curves(content.training),
        most=max((passage.taken for passage in content.path), default=0),
        not_known=(*_found_unknown(content), *content.not_known),
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


def _span(criterion: Criterion) -> charts.Span:
    """A criterion in points from its threshold, better to the right."""
    sign = -1 if criterion.kind == "ratio" else 1
    origin = {"floor": criterion.baseline, "ratio": 1.0}.get(criterion.kind, 0.0)

    def away(value: float | None) -> float | None:
        return None if value is None else 100 * sign * (value - criterion.threshold)

    ends = (away(criterion.lower), away(criterion.upper))
    return charts.Span(
        name=wording.metric(criterion.metric),
        said=f"{wording.estimate(criterion, criterion.estimate)}, asked for {wording.threshold(criterion)}",
        colour=criterion.decision,
        point=away(criterion.estimate) or 0.0,
        lower=ends[0] if sign > 0 else ends[1],
        upper=ends[1] if sign > 0 else ends[0],
        origin=away(origin) or 0.0,
    )


def _curves(training: Training) -> Markup:
    return charts.lines(
        [
            charts.Line("training", training.losses, "first"),
            charts.Line("held-out", training.held_out_losses, "second", dots=True),
        ],
        "Loss by step: of the training batches, and on held-out records",
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
    return [*lost, *undecided, *unchecked, *thin]


def _yaml(recipe: dict[str, JsonValue]) -> str:
    import yaml

    return str(yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=100))


def _shortened(text: str) -> str:
    more = len(text) - SHOWN_CHARACTERS
    return text if more <= 0 else f"{text[:SHOWN_CHARACTERS]}\u2026 ({more:,} more characters)"


def _parted(text: str) -> tuple[str, str, str]:
    return text.partition(": ")


def _digest(text: str) -> Markup:
    """A digest in twelve digits, the whole of it in its title."""
    bare = text.removeprefix("sha256:")
    return Markup('<code class="digest" title="sha256:{}">{}</code>').format(bare, bare[:12])


@functools.cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "wording": wording,
        "charts": charts,
        "bounds": wording.bounds,
        "is_digest": wording.is_digest,
        "kinds": wording.CRITERIA,
        "severities": _SEVERITIES,
        "STYLE": _STYLE,
        "OPEN_ROWS": OPEN_ROWS,
    }
    environment.filters |= {"shortened": _shortened, "digest": _digest, "parted": _parted}
    return environment.get_template(_TEMPLATE)
