"""Tickets: a draft, somebody who sent it, and the answer a model should give.

No two clean tickets are alike once personal values are masked, nor nearly alike: a draft that shares
too many runs of three words with an earlier one of the same core sentence is drawn again.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bench.generate_support_triage.messages import Author, Draft
from bench.generate_support_triage.people import Cast, Person
from bench.generate_support_triage.pieces import Span, mask, put
from bench.generate_support_triage.wordings import Wording

LICENCE = "internal-support-2026"
RUN = 3
MAX_ALIKE = 0.5


@dataclass(slots=True, eq=False)
class Ticket:
    """One row, still without its key and its hour."""

    person: Person
    message: str
    spans: list[Span]
    answer: str
    intent: str
    priority: str
    channel: str
    draft: Draft | None
    licence: str = LICENCE
    key: str = ""
    created: str = ""

    def answer_spans(self) -> list[Span]:
        """Order ids of the message that the answer repeats."""
        orders = {span.value for span in self.spans if span.type == "ORDER_ID"}
        found = [(self.answer.find(order), order) for order in sorted(orders)]
        return [Span(at, at + len(order), "ORDER_ID", order) for at, order in found if at >= 0]


def answer(intent: str, priority: str, order: str | None) -> str:
    """The JSON text that a model should give."""
    return json.dumps({"intent": intent, "priority": priority, "order_id": order})


def ticket(draft: Draft, person: Person, cast: Cast) -> Ticket:
    """``draft`` as sent by ``person`` about new orders."""
    values = {**person.values, "order": cast.order(), "other": cast.order()}
    message, spans = put(draft.pieces, values)
    order = values["order"] if "order" in draft.personal else None
    intent, priority = draft.core.intent, draft.priority
    return Ticket(person, message, spans, answer(intent, priority, order), intent, priority, draft.channel, draft)


class Desk:
    """Takes in clean tickets: distinct drafts, from subjects who write once or several times."""

    def __init__(self, random: Random, cast: Cast, wording: Wording) -> None:
        self._random = random
        self.cast = cast
        self.author = Author(random, wording)
        self._crowd = self._subjects()
        self._taken: dict[str, list[set[tuple[str, ...]]]] = defaultdict(list)

    def ticket(self) -> Ticket:
        """A clean ticket unlike any before."""
        return ticket(self._distinct(self.author.next_intent()), self.person(), self.cast)

    def person(self) -> Person:
        """The next subject in the queue."""
        return next(self._crowd)

    def _subjects(self) -> Iterator[Person]:
        """Subjects as often as they write: most once or twice, some up to six times."""
        while True:
            people = [self.cast.person() for _ in range(40)]
            counts = self._random.choices((1, 2, 3, 4, 5, 6), (38, 24, 15, 11, 7, 5), k=len(people))
            queue = [person for person, count in zip(people, counts, strict=True) for _ in range(count)]
            yield from self._random.sample(queue, len(queue))

    def _distinct(self, intent: str) -> Draft:
        for _ in range(2_000):
            draft = self.author.draft(intent)
            runs = word_runs(mask(draft.pieces))
            earlier = self._taken[draft.core.text]
            if draft.words <= 110 and all(likeness(runs, other) <= MAX_ALIKE for other in earlier):
                earlier.append(runs)
                return draft
        raise ValueError(f"no new message for intent {intent!r} in 2,000 draws; ask for fewer tickets")


def word_runs(text: str) -> set[tuple[str, ...]]:
    """Runs of three lower-case words."""
    words = text.lower().split()
    return {tuple(words[i : i + RUN]) for i in range(max(1, len(words) - RUN + 1))}


def likeness(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    """Jaccard similarity."""
    return len(one & other) / len(one | other)
