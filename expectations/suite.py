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
"""

import hashlib
from typing import Annotated

import yaml
from pydantic import Field
from yaml.nodes import Node

from assay.errors import ExpectationError
from assay.spec import Fraction, Name, Positive, Said, Sha256, Spec
from expectations.catalogue import Argument, Severity, Value
from expectations.reading import SUITE_KEYS, Reader

VERSION = 1  # Raise on any change that could change what a suite means.

MAX_BYTES = 1_000_000


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


def load(data: bytes, name: str) -> Suite:
    """Read the suite in ``data``, called ``name`` in messages.

    Raises:
        ExpectationError: with one line ``name:line: id: reason`` for each mistake.
    """
    reader = Reader()
    fields = reader.suite(_compose(data, name))
    if reader.mistakes:
        raise ExpectationError("\n".join(f"{name}:{m.line}: {m.who}: {m.reason}" for m in sorted(reader.mistakes)))
    return Suite.model_validate(fields | {"digest": hashlib.sha256(data).hexdigest()})


def _compose(data: bytes, name: str) -> Node:
    if len(data) > MAX_BYTES:
        raise ExpectationError(f"{name}:1: suite: is {len(data)} bytes, expected at most {MAX_BYTES}")
    try:
        content = data.decode()
        for event in yaml.parse(content, Loader=yaml.SafeLoader):
            if getattr(event, "anchor", None) is not None:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise ExpectationError(f"{name}:{line}: suite: anchors and aliases are not read; write the value out")
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise ExpectationError(f"{name}:1: suite: is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        raise ExpectationError(f"{name}:{mark.line + 1 if mark else 1}: suite: is not YAML: {problem}") from None
    except RecursionError:
        raise ExpectationError(f"{name}:1: suite: is nested too deeply") from None
    if node is None:
        raise ExpectationError(f"{name}:1: suite: is empty; it needs {', '.join(SUITE_KEYS)}")
    return node
