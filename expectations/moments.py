"""Points in time, and consent that was given and not taken back.

A point in time is ISO 8601 with its offset from UTC (RFC 3339): a time without one names an hour in some part of the
world, and cannot be compared. Consent must be as easy to withdraw as to give (GDPR, article 7(3)), so a withdrawal
of any date ends it.
"""

from collections.abc import Collection
from datetime import datetime


def instant(cell: object) -> datetime:
    """The point in time that ``cell`` names.

    Raises:
        TypeError: it is neither text nor a time.
        ValueError: it is not ISO 8601, or has no offset.
    """
    if not isinstance(cell, str | datetime):
        raise TypeError("expected a time")
    found = datetime.fromisoformat(cell) if isinstance(cell, str) else cell
    if found.utcoffset() is None:
        raise ValueError("expected an offset from UTC")
    return found


def is_between(cell: object, min_value: str | None = None, max_value: str | None = None) -> bool:
    """Whether ``cell`` lies between two points in time, both included."""
    found = instant(cell)
    after = min_value is None or found >= instant(min_value)
    return after and (max_value is None or found <= instant(max_value))


def does_not_precede(cell: object, other: object) -> bool:
    """Whether ``cell`` is the same time as ``other``, or later."""
    return instant(cell) >= instant(other)


_NOT_READ = object()


def is_in_force(
    cell: object,
    granted: Collection[str],
    given: object = _NOT_READ,
    withdrawn: object = _NOT_READ,
    at: object = _NOT_READ,
) -> bool:
    """Whether consent was given, by word and in time, and has not been taken back.

    Args:
        cell: the word on file.
        granted: words that mean that it was given.
        given: when it was given.
        withdrawn: when it was taken back; must be empty.
        at: when it had to be in force; ``given`` may not be later.
    """
    if cell not in granted or (withdrawn is not _NOT_READ and not _is_empty(withdrawn)):
        return False
    if given is _NOT_READ:
        return True
    start = instant(given)
    return at is _NOT_READ or start <= instant(at)


def _is_empty(cell: object) -> bool:
    # What is missing is None, or a number that does not equal itself.
    return cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())  # noqa: PLR0124
