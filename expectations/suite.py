"""A suite: what must hold of the data at one doorway, read strictly.

    suite: raw
    version: 1
    owner: data-steward@acme.example
    max_quarantine: 10%
    checks:
      - id: RAW-011
        expect: column_values_to_be_in_set
        column: licence
        parameters: {value_set: [internal-support-2026]}
        where: {column: channel, is: email}
        why: Only licences cleared by Legal.
        on_fail: quarantine
        allow: 0%

A suite that loads is a suite that runs as written: every mistake is reported, with its line, and none is
repaired. Values are never guessed at either: what YAML reads as a boolean or a date must be in quotes.
At ``splits`` and ``predictions`` rows are counted already, so a check there stops or warns and sets nothing aside.
"""

import hashlib
from typing import Annotated

from pydantic import Field

from assay.errors import ExpectationError
from assay.fields import Fraction, Name, Positive, Said, Sha256, Spec
from expectations.catalogue import Severity, columns_of
from expectations.nodes import compose
from expectations.parameters import Argument, Value
from expectations.reading import SUITE_KEYS, Reader

VERSION = 2  # Raise on any change that could change what a suite means.


class Where(Spec):
    """The rows that a check is about: those whose ``column`` holds one of ``values``."""

    column: Said
    values: Annotated[tuple[Value, ...], Field(min_length=1)]


class Check(Spec):
    """One thing that must hold, why, and what follows if it does not."""

    id: Said
    expect: Said
    column: Said | None = None
    parameters: dict[str, Argument] = Field(default_factory=dict)
    where: Where | None = None
    why: Said
    on_fail: Severity
    allow: Fraction = 0.0
    """Share of the evaluated rows that may fail before the check does; the rows are set aside all the same."""

    @property
    def columns(self) -> dict[str, str]:
        """The columns that it reads, by what each is to it; the one that it is about comes first, as its ``cell``."""
        return columns_of(self.expect, self.column, self.parameters)

    @property
    def limit(self) -> float:
        """Share of the evaluated rows that may fail, however the check says so."""
        share = self.parameters.get("max_share", self.allow)
        return share if isinstance(share, int | float) else 0.0


class Suite(Spec):
    """The checks at one doorway, and who answers for them."""

    name: Name
    version: Positive
    owner: Said
    max_quarantine: Fraction
    """Share of all rows above which the run stops rather than going on without them."""

    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    digest: Sha256
    """Of the file's bytes."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a check reads, and the key: all that a frame needs to have."""
        read = {name for check in self.checks for name in check.columns.values()}
        return tuple(sorted(read | {check.where.column for check in self.checks if check.where} | {"id"}))


def load(data: bytes, name: str) -> Suite:
    """Read the suite in ``data``, called ``name`` in messages.

    Raises:
        ExpectationError: with one line ``name:line: id: reason`` for each mistake.
    """
    reader = Reader()
    fields = reader.suite(compose(data, name, "suite", ", ".join(SUITE_KEYS)))
    if reader.mistakes:
        raise ExpectationError("\n".join(f"{name}:{m.line}: {m.who}: {m.reason}" for m in sorted(reader.mistakes)))
    return Suite.model_validate(fields | {"digest": hashlib.sha256(data).hexdigest()})
