"""Filed: a run, and a sweep, as their records say of themselves when they have ended.

What an older Assay did not file is absent, and what a newer one files besides is not looked at.
"""

from pathlib import PurePath
from typing import Literal

from pydantic import Field, JsonValue

from assay.reporting.content import Decision, Status
from assay.reporting.cost import Cost, Price
from assay.reporting.part import Part
from assay.reporting.redacting import Bounds


class Step(Part):
    """What became of one step."""

    task: str
    state: str
    seconds: float = 0.0
    reason: str | None = ""


class Outline(Part):
    """How one check came out, in numbers."""

    id: str
    evaluated: int
    failed: int
    status: Status
    waived: int = 0


class Promise(Part):
    """Whose word a failure goes on, until when."""

    check: str
    who: str
    until: str
    in_force: bool


class Validation(Part):
    """What was found at one doorway."""

    doorway: str
    suite: str
    version: int
    decision: Decision
    rows: int
    quarantined: int
    checks: tuple[Outline, ...] = ()
    waivers: tuple[Promise, ...] = ()
    page: str | None = None
    """Path from the reports' folder, as those below."""


class Masked(Bounds):
    """What the run has shown of its redaction."""

    page: str | None = None


class Card(Part):
    """The card of a dataset version."""

    version: str
    page: str | None = None
    croissant: str | None = None


class Run(Part):
    """One run, as it was filed when it ended."""

    run: str
    started: str | None = None
    recipe: str | None = None
    settings: JsonValue = None
    steps: tuple[Step, ...] = ()
    verdict: str | None = None
    sentence: str = ""
    model: str | None = None
    version: int | str | None = None
    error: str | None = None
    """Why there is no verdict."""

    wall_seconds: float | None = None
    validations: tuple[Validation, ...] = ()
    redaction: Masked | None = None
    """None if it was not measured."""

    dataset: Card | None = None
    cost: Cost | None = None
    """What its trainings took, whoever computed them; None if it did not come so far."""

    pages: dict[str, str] = Field(default={})
    report: str | None = None
    """Where the report was laid out; of the path only the name is used."""

    @property
    def recipe_name(self) -> str | None:
        """The folder of the recipe; where it lies is this deployment's business."""
        return _folder(self.recipe)

    @property
    def report_page(self) -> str | None:
        """The report, from the reports' folder."""
        return self.pages.get("report") or (PurePath(self.report).name if self.report else None)

    @property
    def stopped_at(self) -> str | None:
        """The step that failed, or the last one that ended."""
        failed = [step for step in self.steps if step.state == "failed"] or self.steps[-1:]
        return failed[0].task if failed else None

    @property
    def device_hours(self) -> float | None:
        """Of the candidate's training and of those with other seeds."""
        return self.cost.device_hours + self.cost.repeats_device_hours if self.cost else None

    @property
    def spent(self) -> float:
        """Of those, the hours that this run computed: what came from the cache was spent before."""
        if self.cost is None:
            return 0.0
        first, *others = [step.state == "computed" for step in self.steps if step.task == "train"] or [False]
        again = self.cost.repeats_device_hours * sum(others) / len(others) if others else 0.0
        return first * self.cost.device_hours + again

    @property
    def price(self) -> Price | None:
        """Of a device-hour, if the recipe names it."""
        return self.cost.price if self.cost else None


class Sweep(Part):
    """One sweep, as it was filed when it ended."""

    run: str
    ended: str | None = None
    recipe: str | None = None
    grid: dict[str, list[JsonValue]] = Field(default={})
    points: int | None = None
    failed: int = 0
    best: dict[str, JsonValue] = Field(default={})
    sentence: str = ""
    device_hours: float | None = None
    """That this sweep computed."""

    price: Price | None = None
    page: str | None = None
    error: str | None = None
    """Why there is no comparison."""

    @property
    def recipe_name(self) -> str | None:
        """As of a run."""
        return _folder(self.recipe)

    @property
    def spent(self) -> float:
        """As of a run."""
        return self.device_hours or 0.0


class Judged(Part):
    """A decision on how to go about a task, or a comparison of two versions, as it was filed when it ended."""

    run: str
    ended: str | None = None
    recipe: str | None = None
    kind: Literal["decision", "comparison"]
    sentence: str = ""
    page: str | None = None
    error: str | None = None

    @property
    def recipe_name(self) -> str | None:
        """As of a run."""
        return _folder(self.recipe)


def _folder(recipe: str | None) -> str | None:
    path = PurePath(recipe or "")
    return (path.parent if path.suffix in {".yaml", ".yml"} and path.parent.name else path).name or None
