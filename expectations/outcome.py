"""What a gate found: counts, row ids and a decision, and never a value from a record.

An outcome is the whole of what leaves the gate. Its texts are the suite's own words or one of the fixed
:data:`NOTES`; what an exception said is not among them.
"""

from typing import Literal

from pydantic import ValidationError

from assay.errors import ExpectationError
from assay.fields import Spec
from expectations.catalogue import Severity
from expectations.waivers import Standing, Waiver

Decision = Literal["pass", "pass_with_warnings", "quarantine", "stop"]
Status = Literal["passed", "waived", "failed", "could not run"]

RAISED = "the check broke off"
NO_COLUMN = "the data lack the column"
NO_ROW = "`where` matched no row"
NO_ROWS = "there were no rows"
NO_KEY = "rows could not be told apart"
NO_RESOURCE = "what the check compares with was not supplied, or is malformed"
NO_VALUE = "no row held a value to judge"
NOT_THERE = "`where` lists a value that no row has"
NONE_PASSES = "`passes` lists a value that no row has"
NO_GROUPS = "fewer than two groups are large enough to compare"
NOTES = (RAISED, NO_COLUMN, NO_ROW, NO_ROWS, NO_KEY, NO_RESOURCE, NO_VALUE, NOT_THERE, NONE_PASSES, NO_GROUPS)


class Finding(Spec):
    """How one check came out."""

    id: str
    expect: str
    asks: str
    """The expectation in words."""

    column: str | None
    why: str
    on_fail: Severity
    allow: float
    evaluated: int
    """Rows that the check was about, missing values included."""

    failed: int
    """Rows that fail, waived ones included; classes or groups, if the check names no row."""

    could_not_run: bool
    passed: bool
    """Whether nothing stands in the way: the check holds, or a waiver lets it pass."""

    note: str = ""
    """One of :data:`NOTES`, if the check could not run."""

    observed: str = ""
    """What was seen, in numbers; a class or group is named only if the suite itself lists it."""

    ids: tuple[str, ...]
    """Every failing row, in the order of the data."""

    waiver: Waiver | None = None
    """The one that applied."""

    waived_ids: tuple[str, ...] = ()
    """Failing rows that it covers; they go on."""

    waived: bool = False
    """Whether the check passes only by its waiver."""

    @property
    def status(self) -> Status:
        """The outcome in words."""
        if self.could_not_run:
            return "could not run"
        if self.waived:
            return "waived"
        return "passed" if self.passed else "failed"


class Outcome(Spec):
    """What a suite found in one data set, and what follows."""

    suite: str
    version: int
    owner: str
    digest: str
    """Of the suite's bytes."""

    engine: str
    """Name and version of what evaluated the row expectations."""

    max_quarantine: float
    decision: Decision
    reasons: tuple[str, ...]
    """Why the decision is not ``pass``, worst first."""

    rows: int
    findings: tuple[Finding, ...]
    quarantined: dict[str, tuple[str, ...]]
    """Checks that set a row aside, by row id."""

    waivers: tuple[Standing, ...] = ()
    """Those of this suite's checks, expired ones too."""


def to_json(outcome: Outcome) -> bytes:
    """``outcome`` as JSON; equal outcomes give equal bytes."""
    return outcome.model_dump_json(indent=1).encode() + b"\n"


def from_json(data: bytes) -> Outcome:
    """Read what :func:`to_json` wrote.

    Raises:
        ExpectationError: the bytes are not an outcome.
    """
    try:
        return Outcome.model_validate_json(data)
    except ValidationError as error:
        raise ExpectationError(
            f"these bytes are no outcome of a gate: {error.error_count()} fields are wrong; validate the data again"
        ) from None


def refuse_stopped(outcome: Outcome, page: str) -> None:
    """Raise :class:`ExpectationError` if the decision is ``stop``; ``page`` says where the reader finds the details."""
    if outcome.decision == "stop":
        raise ExpectationError(
            f"suite {outcome.suite}: found {'; '.join(outcome.reasons)}; expected none of that. "
            f"Mend the data or the suite; details: {page}"
        )
