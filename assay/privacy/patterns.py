"""Patterns: what a rule is, and what it finds. Values that the methods of this wing share."""

import re
from collections.abc import Callable
from typing import NamedTuple


class Span(NamedTuple):
    """Characters ``start`` to ``end`` of a text, as an entity type, with a score in 0 … 1."""

    start: int
    end: int
    type: str
    score: float


class Rule(NamedTuple):
    """What a pattern's group ``value`` (or the whole match) is, if ``check`` accepts it."""

    type: str
    score: float
    pattern: re.Pattern[str]
    check: Callable[[str], bool] = bool
