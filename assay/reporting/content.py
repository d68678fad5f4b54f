"""Content: the nouns that pages are made of.

All of them are numbers, digests, ids, the words of recipes and suites, and of texts only what redaction has passed.
They are read from what the steps filed, and are blind to whatever else is in it.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, JsonValue, model_validator

from assay.evaluations import Verdict
from assay.leakage import LeakAudit
from assay.reporting.asked import Asked
from assay.reporting.hard import Hard
from assay.reporting.part import Part
from assay.reporting.redacting import Redacting
from assay.reporting.training import Repeat, Training

Decision = Literal["pass", "pass_with_warnings", "quarantine", "stop"]
Status = Literal["passed", "waived", "failed", "could not run"]


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


class Waiver(Part):
    """A failure that somebody lets pass until a day."""

    check: str
    reason: str
    who: str
    until: str
    """The last day on which it holds, in UTC."""

    rows: tuple[str, ...] = ()
    """Row ids that it is limited to, if any."""

    up_to: int | None = None
    """Failing rows above which it no longer holds."""


class Standing(Part):
    """A waiver as a run found it."""

    waiver: Waiver
    in_force: bool


class Check(Part):
    """One expectation, and how it came out."""

    id: str
    asks: str
    """The expectation in words, which go on after the name of the column."""

    why: str
    column: str | None
    on_fail: str
    allow: float = 0.0
    """Share of rows that may fail."""

    evaluated: int
    failed: int
    """Rows, waived ones included; classes or groups, if the check names no row."""

    status: Status
    names_rows: bool | None = None
    """Whether it says which rows fail; None if that was not filed."""

    note: str = ""
    """Why it could not run."""

    observed: str = ""
    """What was seen, in numbers."""

    ids: tuple[str, ...] = ()
    """Every failing row, waived ones too."""

    waived_ids: tuple[str, ...] = ()
    """Of those, the ones that a waiver lets go on."""

    waiver: Waiver | None = None

    @property
    def by_row(self) -> bool:
        """Whether the share of rows that fail says anything, as far as can be told."""
        if self.names_rows is not None:
            return self.names_rows
        return self.column is not None and (not self.failed or bool(self.ids))

    @model_validator(mode="before")
    @classmethod
    def _with_status(cls, given: object) -> object:
        """An outcome as JSON says a status only by what it is made of."""
        if not isinstance(given, Mapping) or "status" in given:
            return given
        told = {"could not run": "could_not_run", "waived": "waived", "passed": "passed"}
        return {**given, "status": next((status for status, name in told.items() if given.get(name)), "failed")}


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
    quarantined: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Checks that set a row aside, by row id."""

    max_quarantine: float | None = None
    """Share of rows above which the run stops."""

    engine: str = ""
    waivers: tuple[Standing, ...] = ()


class Links(Part):
    """Pages that belong to this one, as paths relative to it."""

    index: str | None = None
    """Of all runs."""

    report: str | None = None
    card: str | None = None
    """Of the dataset version."""


class Personal(Part):
    """What redaction replaced."""

    records: int
    """Records examined."""

    touched: int
    """Records in which something was replaced."""

    counts: dict[str, int]
    """Entity type → values replaced."""


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


class Versions(Part):
    """Two registered versions that are compared, where there is no candidate of a run."""

    before: str
    """Such as ``support-triage 2``."""

    after: str
    asked: str
    """How both came to be asked the same, in a sentence."""


class Content(Part):
    """All that a page says. A comparison of two versions has neither data nor training of its own."""

    recipe: dict[str, JsonValue]
    """As written, with the digests of its sources."""

    verdict: Verdict
    versions: Versions | None = None
    metrics: tuple[Change, ...]
    fields: tuple[Change, ...] = ()
    slices: dict[str, tuple[Change, ...]] = Field(default_factory=dict)
    """Attribute → a change of the target metric for each of its values."""

    abilities: tuple[Change, ...] = ()
    """Groups of general-ability items."""

    latency: tuple[Change, ...] = ()
    sources: tuple[Source, ...] = ()
    path: tuple[Passage, ...] = ()
    sides: dict[str, int] = Field(default_factory=dict)
    """Side → records."""

    suites: tuple[Suite, ...] = ()
    personal: Personal | None = None
    redacting: Redacting | None = None
    """How well redaction worked, if it was measured."""

    training: Training | None = None
    repeats: tuple[Repeat, ...] = ()
    """Trainings that differ in the seed alone, and of which none is a candidate."""

    asked: Asked | None = None
    """What both were asked beside the task itself."""

    leaks: LeakAudit | None = None
    hard: Hard | None = None
    """Which examples were never learned, or learned last."""

    wins: tuple[Example, ...] = ()
    losses: tuple[Example, ...] = ()
    identity: dict[str, str]
    """What → digest."""

    environment: dict[str, JsonValue] = Field(default_factory=dict)
    """Where both models were evaluated."""
