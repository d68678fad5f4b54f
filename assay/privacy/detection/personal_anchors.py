"""Anchors: where in a text a rule can begin, so that it need not be tried everywhere.

Most rules begin with one of a few words ("order", "password") or need something that most texts lack ("@", a number of
ten digits). A rule that names its *heads* is matched only where a word begins with one of them; a rule that names a
*gate* is searched for only in texts where the gate is found. Both leave what a rule finds as it is, and take the time
from that of every rule at every character to little more than that of reading the text's words once.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeVar

from assay.privacy.patterns import Rule, Span

VERSION = 1

HEAD = 3
"""Characters of a word that are looked at."""

SHORT = 2
"""Characters of a head of a word so short that anything may follow it."""

T = TypeVar("T")

_WORD = re.compile(r"\w+")


class Anchored(NamedTuple):
    """A rule, and what must be there for it to match."""

    rule: Rule
    heads: frozenset[str] = frozenset()
    """First characters, at most :data:`HEAD`, in small letters, of the word that the match begins with."""

    gate: re.Pattern[str] | None = None
    """Found in every text in which the rule matches."""


def heads(words: str) -> frozenset[str]:
    """The first characters of each of these words; of shorter ones all. ``·`` is a space."""
    return frozenset(word[:HEAD].replace("·", " ") for word in words.split())


def rule(  # noqa: PLR0913 - a row of a table
    kind: str,
    score: float,
    form: str,
    check: Callable[[str], bool] = bool,
    *,
    flags: int = re.IGNORECASE,
    at: str = "",
    gate: str = "",
) -> Anchored:
    """A row of a table of rules: ``at`` lists words that it begins with, ``gate`` is a pattern."""
    return Anchored(
        Rule(kind, score, re.compile(form, flags), check), heads(at), re.compile(gate, flags=0) if gate else None
    )


def dispatch(entries: Iterable[tuple[frozenset[str], T]]) -> dict[str, list[T]]:
    """For each head, what is to be tried where a word begins so."""
    found: dict[str, list[T]] = {}
    for known, entry in entries:
        for head in sorted(known):
            found.setdefault(head, []).append(entry)
    return found


def anchored(text: str, table: dict[str, list[T]]) -> Iterator[tuple[T, int]]:
    """What is to be tried, and where: at each word that begins with a head of the table."""
    for head, start in _starts(text):
        for key in (head, head[:SHORT]):
            if key in table:
                for entry in table[key]:
                    yield entry, start


@lru_cache(maxsize=1)
def _starts(text: str) -> list[tuple[str, int]]:
    """Of each word its first characters in small letters, and its place; kept until the next text, for all tables."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters are two in small
        lowered = "".join(low if len(low := c.lower()) == 1 else c for c in text)
    return [(lowered[start : start + HEAD], start) for start in map(re.Match.start, _WORD.finditer(text))]


class Table:
    """Rules, by where they can begin."""

    def __init__(self, rows: Iterable[Anchored]) -> None:
        rows = tuple(rows)
        self.rules = tuple(row.rule for row in rows)
        self._anywhere: dict[re.Pattern[str] | None, list[Rule]] = {}
        for row in rows:
            if not row.heads:
                self._anywhere.setdefault(row.gate, []).append(row.rule)
        self._at_words = dispatch((row.heads, row.rule) for row in rows if row.heads)

    def find(self, text: str) -> Iterator[Span]:
        """Every hit of every rule, in no order."""
        for gate, rules in self._anywhere.items():
            if gate is None or gate.search(text):
                for rule in rules:
                    for match in rule.pattern.finditer(text):
                        yield from _span(rule, match)
        for rule, start in anchored(text, self._at_words):
            if found := rule.pattern.match(text, start):
                yield from _span(rule, found)


def _span(rule: Rule, match: re.Match[str]) -> Iterator[Span]:
    """The group ``value``, or the whole match, if it passes the rule's check."""
    group = "value" if "value" in rule.pattern.groupindex else 0
    if rule.check(match[group]):
        yield Span(match.start(group), match.end(group), rule.type, rule.score)
