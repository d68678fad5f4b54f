"""What an expectation may be given: how each argument is written in a suite, and what is wrong with one.

A complaint is a few words that follow the argument's name, or None. Nothing here loads a library.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from expectations.moments import instant

Value = str | int | float
Argument = Value | tuple[Value, ...]

LANGUAGE = re.compile(r"[a-z]{2,3}")
LEAST_GROUP = 5
"""Rows from which a group may be compared: the rate of a smaller one tells of its members one by one."""

KINDS = ("email", "card", "iban", "phone", "ssn")
"""Personal data that can be told by form alone."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an expectation."""

    complaint: Callable[[object], str | None]
    """What is wrong with a value, or None."""

    required: bool = True
    resource: Callable[[object], object] | None = None
    """The value names something that the gate is handed at run time, such as the recipe's JSON schema; this turns
    it into what the class takes, and raises if it is malformed."""

    passed_as: str = ""
    """Its name at the class, if that is another."""

    of_column: bool = False
    """The value's type must be the column's."""

    names_column: bool = False
    """The value is the name of a further column that the check reads."""

    share: bool = False
    """A number in 0 … 1, which may be written ``5%``."""


def whole(value: object) -> str | None:
    """Complain unless ``value`` is a count."""
    return None if isinstance(value, int) and value >= 0 else "must be a whole number of at least 0"


def positive(value: object) -> str | None:
    """Complain unless ``value`` is a count that is not 0."""
    return None if isinstance(value, int) and value >= 1 else "must be a whole number of at least 1"


def group_size(value: object) -> str | None:
    """Complain unless ``value`` is so many rows that their mean names none of them."""
    good = isinstance(value, int) and value >= LEAST_GROUP
    return None if good else f"must be a whole number of at least {LEAST_GROUP}: a smaller group shows its members"


def fraction(value: object) -> str | None:
    """Complain unless ``value`` is a share; the reader has seen to how it is written."""
    return None if isinstance(value, int | float) and 0 <= value <= 1 else "must be a share, such as 2% or 0.02"


def pattern(value: object) -> str | None:
    """Complain unless ``value`` is a regular expression."""
    if not isinstance(value, str) or not value:
        return "must be a regular expression in quotes"
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    return None


def values(value: object) -> str | None:
    """Complain unless ``value`` is a list of distinct values of one type."""
    if not isinstance(value, tuple) or not value:
        return "must be a list of at least one value"
    if len({type(item) for item in value}) > 1:
        return "mixes text and numbers; put text in quotes"
    return None if len(set(value)) == len(value) else "lists a value twice"


def languages(value: object) -> str | None:
    """Complain unless ``value`` lists language codes."""
    if not isinstance(value, tuple) or not value:
        return "must be a list of at least one language code"
    good = all(isinstance(item, str) and LANGUAGE.fullmatch(item) for item in value)
    return None if good else "must hold language codes such as en"


def kinds(value: object) -> str | None:
    """Complain unless ``value`` lists kinds of personal data that are looked for."""
    if not isinstance(value, tuple) or not value or not set(value) <= set(KINDS):
        return f"must be a list out of {', '.join(KINDS)}"
    return None


def text(value: object) -> str | None:
    """Complain unless ``value`` is text that is not empty."""
    return None if isinstance(value, str) and value else "must be text"


def moment(value: object) -> str | None:
    """Complain unless ``value`` is a time that names its offset from UTC."""
    try:
        instant(value)
    except (TypeError, ValueError):
        return 'must be a time with its offset in quotes, such as "2026-01-31T00:00:00Z"'
    return None


def schema_text(resource: object) -> str:
    """A JSON schema as text."""
    if not isinstance(resource, Mapping):
        raise TypeError("expected a JSON schema")
    return json.dumps(resource, sort_keys=True)


def window(resource: object) -> int:
    """A number of tokens."""
    if not isinstance(resource, int) or isinstance(resource, bool) or resource < 1:
        raise TypeError("expected a number of tokens")
    return resource


def token_ids(resource: object) -> list[int]:
    """Ids of tokens, at least one."""
    good = isinstance(resource, Sequence) and bool(resource) and all(type(item) is int for item in resource)
    if not good or not isinstance(resource, Sequence):
        raise TypeError("expected token ids")
    return list(resource)


def factory(resource: object) -> object:
    """What makes a finder when it is called without arguments."""
    if not callable(resource):
        raise TypeError("expected what makes a finder")
    return resource
