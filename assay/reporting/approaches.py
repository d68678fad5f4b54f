"""Approaches: the page on which somebody decides whether to fine-tune, prompt or retrieve.

The recommendation comes first, in the words of who made it; the numbers behind it follow, each with its interval. The
page is made of counts, scores, times and digests; nothing of a record is on it. Equal content gives equal bytes.
"""

from collections.abc import Iterator
from typing import Literal

from markupsafe import Markup
from pydantic import Field, JsonValue

from assay.reporting import forest, pages, scatter, wording
from assay.reporting.cost import Price
from assay.reporting.part import Part

VERSION = 1

_TEMPLATE, _STYLE, _FOREST = "approaches.html.j2", "approaches.css", "forest.css"
_THOUSAND, _HOUR = 1000, 3600

ADVICE = {
    "fine_tune": ("Fine-tune", "accepted"),
    "do_not_fine_tune": ("Do not fine-tune", "accepted"),
    "undecided": ("Undecided", "inconclusive"),
    "none": ("None of these", "refused"),
}
"""Advice → its word and the class of its colour."""


class Rate(Part):
    """A mean score in 0 … 1, with one-sided bounds."""

    value: float
    lower: float
    upper: float


class Difference(Part):
    """How much better a way is than another, on the same requests."""

    against: str
    mean: float
    lower: float
    upper: float
    wins: int
    losses: int
    p_value: float
    """Two-sided, of no difference at all; not corrected for how many there are."""


class Speed(Part):
    """Single requests, timed in turn with those of the other ways."""

    requests: int
    first_p50_ms: float
    """To the first token."""

    p50_ms: float
    p95_ms: float
    seconds: float
    """Of a device, mean of a request."""

    tokens_per_second: float
    tokens_per_request: float


class Arm(Part):
    """One way and how it did."""

    name: str
    is_tuned: bool = False
    share: float = 1.0
    """Of the training records that it was taught."""

    examples: float = 0.0
    """Records shown beside a request, on average."""

    lost: int = 0
    """Examples that found no room, in all requests together."""

    cut: int = 0
    """Requests that lost their beginning."""

    prompt_tokens: float
    target: Rate
    exact_match: Rate
    field_accuracy: Rate
    format_adherence: Rate
    over_first: Difference | None = None
    over_best: Difference | None = None
    """Against the best other way that could be used instead."""

    speed: Speed | None = None

    @property
    def is_partial(self) -> bool:
        """Whether it is a point of the learning curve only."""
        return self.share < 1


class Tested(Part):
    """A tuned way held against a prompted one at the margin."""

    tuned: str
    prompted: str
    mean: float
    lower: float
    upper: float
    p_better: float
    p_no_better: float
    break_even: int | None


class Recommendation(Part):
    """What to do, why, and what would change it."""

    advice: Literal["fine_tune", "do_not_fine_tune", "undecided", "none"]
    arm: str | None
    sentence: str
    evidence: tuple[str, ...]
    would_change: tuple[str, ...]
    needed: int | None
    tested: tuple[Tested, ...]
    ruled_out: tuple[str, ...]


class Curve(Part):
    """What adapters that were taught fewer examples say of more."""

    examples: tuple[int, ...]
    values: tuple[float, ...]
    gain: float
    lower: float
    upper: float
    outlook: Literal["pays", "does_not_pay", "cannot_tell"]
    sentence: str


class Content(Part):
    """All that the page says."""

    name: str
    """Of the recipe."""

    owner: str
    metric: str
    """Ways are compared by it."""

    records: int
    """Requests that every way answered."""

    subjects: int
    locked: str
    """Digest of them."""

    training_records: int
    shots: int
    retrieved: int
    margin: float
    confidence: float
    min_format_adherence: float
    volume: int | None = None
    arms: tuple[Arm, ...]
    recommendation: Recommendation
    curve: Curve | None = None
    training_hours: float
    """Of a device."""

    price: Price | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    environment: dict[str, JsonValue] = Field(default_factory=dict)
    """Where the ways were asked; by name of the way if not all at one place."""

    is_bound: bool = False
    """Whether the recipe binds every answer to the output schema, whatever way it comes by."""

    has_own_prompt: bool = False
    """Whether prompted ways have a system turn of their own."""

    command: str

    @property
    def compared(self) -> list[Arm]:
        """Ways that were taught all there is, or nothing."""
        return [arm for arm in self.arms if not arm.is_partial]

    def amount(self, arm: Arm) -> float | None:
        """What a thousand requests cost, in the currency of the price."""
        if self.price is None or arm.speed is None:
            return None
        return arm.speed.seconds * _THOUSAND / _HOUR * self.price.device_hour


def page(content: Content) -> bytes:
    """Set ``content`` as a self-contained HTML page."""
    written = pages.template(_TEMPLATE).render(
        content=content,
        styles=(_STYLE, _FOREST),
        metric=wording.metric(content.metric),
        advice=ADVICE[content.recommendation.advice],
        forest=_against_margin(content),
        costs=_costs(content),
        curve=_curve(content),
        not_known=list(not_known(content)),
    )
    return written.encode()


def not_known(content: Content) -> Iterator[str]:
    """What the recommendation does not know."""
    own = "" if content.has_own_prompt else " They have the recipe's system turn, which was written to be tuned with."
    yield (
        "Whether a better prompt would do: prompted ways are as good as their prompts, and these were not optimised."
        f"{own} `approaches.system` gives them one of their own."
    )
    yield (
        f"More than {wording.count(content.records)} requests say: the intervals hold what drawing others would move, "
        "and not what another seed of training would."
    )
    yield (
        "What a cost per request is where you serve: here one request at a time has a device to itself. Batching, a "
        "prefix cache and a smaller machine change it, for long prompts more than for short ones."
    )
    if content.volume is None:
        yield "How many requests are to come: `approaches.volume` says it, and break-even is held against it."
    if content.price is None:
        yield "What a device costs here: `price` in the recipe says it. Break-even in requests does not depend on it."
    if content.curve is None:
        yield "Whether more examples would pay: `approaches.learning_curve: [0.25, 0.5]` trains on shares to see."
    if any(arm.lost or arm.cut for arm in content.arms):
        yield "What examples that found no room would have done: the table says how many."
    yield "What tuning forgets: `assay run` measures general ability, and its gate judges a candidate."


def _against_margin(content: Content) -> Markup:
    """Every tuned way against every prompted one, on an axis whose zero is the margin."""
    alpha, margin = 1 - content.confidence, content.margin
    spans = [
        forest.Span(
            name=f"{each.tuned} against {each.prompted}",
            said=f"{wording.points(each.mean)} points ({wording.points(each.lower)} to {wording.points(each.upper)})",
            colour="accepted" if each.p_better < alpha else "refused" if each.p_no_better < alpha else "inconclusive",
            point=100 * (each.mean - margin),
            lower=100 * (each.lower - margin),
            upper=100 * (each.upper - margin),
            origin=-100 * margin,
        )
        for each in content.recommendation.tested
    ]
    return forest.forest(spans) if spans else Markup()


def _costs(content: Content) -> Markup:
    """The target over what a request takes of a device."""
    dots = [
        scatter.Dot(arm.speed.seconds, *_bounds(arm.target), str(place), "tuned" if arm.is_tuned else "prompted")
        for place, arm in enumerate(content.compared, start=1)
        if arm.speed
    ]
    said = f"{wording.metric(content.metric)} of every way over the device-seconds of a request; the numbers are below"
    return scatter.scatter(dots, said)


def _curve(content: Content) -> Markup:
    """The target over the number of examples, and what twice as many are foreseen to do."""
    if (curve := content.curve) is None:
        return Markup()
    taught = sorted((arm for arm in content.arms if arm.is_partial or arm.name == "fine-tuned"), key=_share)
    dots = [
        scatter.Dot(number, *_bounds(arm.target), str(place), "tuned")
        for place, (number, arm) in enumerate(zip(curve.examples, taught, strict=True), start=1)
    ]
    last = curve.values[-1]
    bounds = (last + curve.gain, last + curve.lower, last + curve.upper)
    twice = scatter.Dot(2 * curve.examples[-1], *bounds, "?", "tuned", foreseen=True)
    said = f"{wording.metric(content.metric)} over the number of examples; the numbers are below"
    return scatter.scatter([*dots, twice], said, linked=True)


def _share(arm: Arm) -> float:
    return arm.share


def _bounds(rate: Rate) -> tuple[float, float, float]:
    return rate.value, rate.lower, rate.upper
