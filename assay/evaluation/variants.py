"""Variants: a test record asked in another form that should not matter.

=============== =======================================================================================================
``typos``       one slip in about one word of ten (of four letters or more), at least two: two letters exchanged, one
                left out, one doubled, or one taken for its neighbour on the keyboard, which are the four kinds that
                make most misspellings (Damerau 1964, doi:10.1145/363958.363994); the first letter stays
``case``        the whole text in capitals, or without any
``paraphrase``  by rules: contractions made and undone, polite frames, another greeting, other connectives
``long_context`` a quoted earlier exchange of some 150 words about something else, before the text
=============== =======================================================================================================

That is a floor and not the world: rules cannot put a request in wholly other words, and the model sees English
misspellings, not a stranger's. ``paraphrase`` changes how something is said and never what is wanted or how urgently.

The right answer stays right because nothing that it quotes is touched: every string and number of the expected answer
that stands in the text stays there letter for letter, as do placeholders, words with a digit in them, addresses of
mail and web, and the blanks between. Only the last user turn is changed. Equal record, variant and seed give equal
bytes, on any machine.
"""

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from assay.errors import DataError
from assay.evaluation import phrases
from assay.evaluation.metrics import answers
from assay.records import PLACEHOLDER, Record
from assay.trials import RobustnessSpec, Variant

VERSION = 1

SLIPS = 0.1
"""Share of words of :data:`LETTERS` or more letters that get one."""

LETTERS = 4
"""Of a word that may be misspelt."""

_FEWEST_SLIPS = 2
_FIXED = (PLACEHOLDER.pattern, r"\S*\d\S*", r"\S+@\S+", r"\S+://\S+")
_WORD = re.compile(rf"[^\W\d_]{{{LETTERS},}}")
_RULES = re.compile(
    "|".join(rf"(?P<r{place}>\b(?:{old})\b)" for place, (old, _) in enumerate(phrases.RULES)), re.IGNORECASE
)
_GREETED, _GREETING = (re.compile(each, re.IGNORECASE) for each in (phrases.GREETED, phrases.GREETING))


def draw(records: Sequence[Record], spec: RobustnessSpec) -> list[Record]:
    """Variants of as many of ``records`` as ``spec`` asks for, variant by variant, the same records for each.

    Which ones is told by a digest of the id, so that adding records to a test set exchanges few of them.

    Raises:
        DataError: a record has no user turn.
    """
    chosen = sorted(records, key=lambda record: _digest(spec.seed, record.id))[: spec.records]
    return [vary(record, variant, spec.seed) for variant in spec.variants for record in chosen]


def vary(record: Record, variant: Variant, seed: int) -> Record:
    """``record`` in another form, with an id of its own; attribute ``of`` says of which record, ``variant`` how.

    Raises:
        DataError: the record has no user turn.
    """
    place = max((i for i, turn in enumerate(record.context) if turn.role == "user"), default=None)
    if place is None:
        raise DataError(f"record {record.id} has no user turn: expected one that can be changed. Check its messages.")
    turns = list(record.context)
    chance = random.Random(_digest(seed, variant, record.id))  # noqa: S311 — which slip is made is no secret
    turns[place] = replace(turns[place], content=_CHANGES[variant](turns[place].content, record.completion, chance))
    return replace(
        record,
        id=f"{record.id}~{variant}",
        context=tuple(turns),
        attributes={**record.attributes, "variant": variant, "of": record.id},
    )


def _typos(text: str, completion: str, chance: random.Random) -> str:
    parts = _parts(text, completion)
    words = [(place, found) for place, (part, free) in enumerate(parts) if free for found in _WORD.finditer(part)]
    slips = min(len(words), max(_FEWEST_SLIPS, round(SLIPS * len(words))))
    for place, found in sorted(chance.sample(words, slips), key=lambda each: (each[0], -each[1].start())):
        part = parts[place][0]
        parts[place] = (part[: found.start()] + _slip(found[0], chance) + part[found.end() :], True)
    return "".join(part for part, _ in parts)


def _slip(word: str, chance: random.Random) -> str:
    """``word`` with one of four slips behind its first letter; never the same word."""
    at = chance.randrange(1, len(word) - 1)
    exchanged = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    dropped = word[:at] + word[at + 1 :]
    doubled = word[: at + 1] + word[at:]
    near = phrases.KEYS.get(word[at].lower(), "")
    taken = word[:at] + (_like(word[at], chance.choice(near)) if near else word[at]) + word[at + 1 :]
    ways = [exchanged, dropped, doubled, taken]
    chance.shuffle(ways)
    return next(way for way in ways if way != word)


def _case(text: str, completion: str, chance: random.Random) -> str:
    def shaped(change: Callable[[str], str]) -> str:
        return "".join(change(part) if free else part for part, free in _parts(text, completion))

    ways = [shaped(str.upper), shaped(str.lower)]
    chance.shuffle(ways)
    return next((way for way in ways if way != text), text)


def _paraphrase(text: str, completion: str, chance: random.Random) -> str:
    parts = _parts(text, completion)
    greeting = _GREETING.match(parts[0][0])
    if greeting:
        parts[0] = (parts[0][0][greeting.end() :], True)
    said = "".join(_reworded(part, chance) if free else part for part, free in parts).strip()
    if not greeting and _GREETED.match(text):
        return f"{said}\n\n{chance.choice(phrases.CLOSINGS)}"
    framed = f"{chance.choice(phrases.OPENINGS)} {chance.choice(phrases.FRAMES)}\n\n{said}"
    return f"{framed}\n\n{chance.choice(phrases.CLOSINGS)}" if chance.random() < 0.5 else framed  # noqa: PLR2004


def _reworded(text: str, chance: random.Random) -> str:
    def other(found: re.Match[str]) -> str:
        rule = phrases.RULES[int(str(found.lastgroup)[1:])]
        return _like(found[0], chance.choice(rule[1]))

    return _RULES.sub(other, text)


def _long_context(text: str, completion: str, chance: random.Random) -> str:  # noqa: ARG001 — as the others
    return f"{chance.choice(phrases.EXCHANGES)}\n\n{text}"


_CHANGES: dict[Variant, Callable[[str, str, random.Random], str]] = {
    "typos": _typos,
    "case": _case,
    "paraphrase": _paraphrase,
    "long_context": _long_context,
}


def _parts(text: str, completion: str) -> list[tuple[str, bool]]:
    """``text`` in pieces, each with whether it may be changed."""
    quoted = sorted({re.escape(value) for value in _values(completion) if value.strip()}, key=len, reverse=True)
    fixed = re.compile("|".join([*(rf"(?<!\w){value}(?!\w)" for value in quoted), *_FIXED]))
    parts: list[tuple[str, bool]] = []
    at = 0
    for found in fixed.finditer(text):
        parts += [(text[at : found.start()], True), (found[0], False)]
        at = found.end()
    return [*parts, (text[at:], True)]


def _values(completion: str) -> Iterator[str]:
    """Strings and numbers of an expected answer; all of it, if it is no JSON."""
    value = answers.read(completion)
    yield from _leaves(completion if value is answers.UNREADABLE else value)


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401 — any JSON value
    match value:
        case str():
            yield value
        case bool() | None:
            return
        case int() | float():
            yield answers.spell(value)
        case dict():
            for inner in value.values():
                yield from _leaves(inner)
        case list():
            for inner in value:
                yield from _leaves(inner)


def _like(model: str, text: str) -> str:
    """``text`` with a first letter of the case that ``model``'s has; in capitals if all of a longer one is."""
    if len(model) > 1 and model.isupper():
        return text.upper()
    return text[:1].upper() + text[1:] if model[:1].isupper() else text


def _digest(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
