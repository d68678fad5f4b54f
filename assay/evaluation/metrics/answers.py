"""What a text says if it is read as JSON, strictly and at bounded cost.

A model's answer is untrusted input. It counts as JSON only if *all* of it is one JSON text (RFC
8259), with no prose or code fence around it, no name twice in an object, no NaN or infinity, no
lone surrogate, and within the limits below. Anything else is simply not JSON: nothing here raises.

Two values are equal if they have one canonical spelling: names sorted, and numbers by value, so
that ``1.0`` is ``1`` but ``true`` is not (after RFC 8785).
"""

import json
import math
from typing import Any, Final

MAX_CHARACTERS: Final = 100_000
"""A longer answer is not read."""

MAX_DEPTH: Final = 64
"""Arrays and objects within one another; a deeper answer is not JSON to us."""

_EXACT = 2**53
"""Up to here a float holds every whole number."""


class Unreadable:
    """What :func:`read` returns for a text that is not JSON (``None`` is JSON's null)."""


UNREADABLE: Final = Unreadable()


def read(text: str) -> Any:  # noqa: ANN401 — any JSON value
    """The JSON value that ``text`` is, or :data:`UNREADABLE`."""
    if len(text) > MAX_CHARACTERS:
        return UNREADABLE
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_number)
        if _depth_exceeds(value, MAX_DEPTH):
            return UNREADABLE
        spell(value).encode()
    except (ValueError, RecursionError):
        return UNREADABLE
    return value


def spell(value: Any) -> str:  # noqa: ANN401
    """The canonical text of a JSON value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def fields(text: str) -> dict[str, Any] | None:
    """The object that ``text`` is, or ``None`` if it is no object."""
    value = read(text)
    return value if isinstance(value, dict) else None


def label(text: str, field: str) -> str | None:
    """The value of ``field`` in the answer ``text``: a string as it is, another value in JSON."""
    found = fields(text) or {}
    if field not in found:
        return None
    value = found[field]
    return value if isinstance(value, str) else spell(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _number(digits: str) -> float | int:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def _depth_exceeds(value: Any, limit: int) -> bool:  # noqa: ANN401
    level = [value]
    for _ in range(limit + 1):
        inner = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list)]
        if not inner:
            return False
        level = [item for items in inner for item in items]
    return True
