"""Planted flaws, each in a row of its own, and who is expected to catch it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from bench.generate_support_triage.messages import Draft
from bench.generate_support_triage.pieces import Piece, cut, put
from bench.generate_support_triage.tickets import Desk, Ticket, answer, ticket
from bench.generate_support_triage.wordings import Core, foreign, intents

CAUGHT_BY = {
    "exact_duplicate": "curate",
    "near_duplicate": "curate",
    "quotes_test": "curate",
    "flipped_label": "audit_labels",
    "broken_json": "validate-raw",
    "wrong_schema": "validate-raw",
    "empty": "validate-raw",
    "over_long": "validate-raw",
    "other_language": "validate-raw",
    "licence": "validate-raw",
}
"""The step whose business a flaw is."""

COUNTS = {
    "exact_duplicate": 16,
    "near_duplicate": 20,
    "quotes_test": 10,
    "broken_json": 6,
    "wrong_schema": 4,
    "empty": 5,
    "over_long": 4,
    "other_language": 8,
    "licence": 6,
}
"""Rows per kind; the number of flipped labels is a share of the tickets."""

SWAPS = {
    "already": "by now", "please": "kindly", "need": "require", "parcel": "package", "about": "regarding",
    "would": "should", "cannot": "can't", "want": "wish", "found": "discovered", "bought": "purchased",
    "answer": "reply", "still": "even now", "the": "this", "tried": "attempted", "with": "along with",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Flaw:
    """A row that should not reach training as it is."""

    ticket: Ticket
    kind: str
    of: Ticket | None = None


def plant(random: Random, desk: Desk, clean: list[Ticket], heldout: list[Ticket], flips: int) -> list[Flaw]:
    """All flawed rows; the first ``flips`` of ``clean`` are mislabelled in place, the rest stays as it is."""
    flipped = [Flaw(flip(random, row), "flipped_label") for row in clean[:flips]]
    good = clean[flips:]
    makers: dict[str, Callable[[int], Flaw]] = {
        "exact_duplicate": _duplicates(random, desk, good),
        "near_duplicate": _variants(random, desk, good),
        "quotes_test": _quotations(random, desk, heldout),
        "broken_json": lambda i: Flaw(_with_answer(desk, BREAKERS[i % len(BREAKERS)]), "broken_json"),
        "wrong_schema": lambda i: Flaw(_with_answer(desk, VIOLATORS[i % len(VIOLATORS)]), "wrong_schema"),
        "empty": lambda i: Flaw(_emptied(desk, i), "empty"),
        "over_long": lambda _: Flaw(_lengthen(random, desk), "over_long"),
        "other_language": lambda i: Flaw(_translated(desk, i), "other_language"),
        "licence": lambda _: Flaw(replace(desk.ticket(), licence="unknown-forum-scrape"), "licence"),
    }
    return flipped + [makers[kind](i) for kind, count in COUNTS.items() for i in range(count)]


def flip(random: Random, row: Ticket) -> Ticket:
    """``row`` with another intent than its text calls for."""
    triage = json.loads(row.answer)
    intent = random.choice([name for name in intents() if name != row.intent])
    row.answer, row.intent = answer(intent, triage["priority"], triage["order_id"]), intent
    return row


def _some(random: Random, rows: list[Ticket], kind: str) -> list[Ticket]:
    if len(rows) < COUNTS[kind]:
        raise ValueError(f"{kind} needs {COUNTS[kind]} rows to draw on, found {len(rows)}; ask for more rows")
    return random.sample(rows, COUNTS[kind])


def _duplicates(random: Random, desk: Desk, good: list[Ticket]) -> Callable[[int], Flaw]:
    """Half byte for byte, half from somebody else, so that only masking shows that they are the same."""
    maskable = frozenset({"order", "name", "given", "email"})
    named = [t for t in good if t.draft and t.draft.words > 20 and t.draft.personal and t.draft.personal <= maskable]
    chosen = iter(_some(random, named, "exact_duplicate"))

    def make(i: int) -> Flaw:
        row = next(chosen)
        copy = replace(row) if i % 2 else ticket(_draft(row), desk.person(), desk.cast)
        return Flaw(copy, "exact_duplicate", row)

    return make


def _variants(random: Random, desk: Desk, good: list[Ticket]) -> Callable[[int], Flaw]:
    """A message again with a few words changed, half of them from somebody else."""
    long = [t for t in good if t.draft and t.draft.words > 45]
    chosen = iter(_some(random, long, "near_duplicate"))

    def make(i: int) -> Flaw:
        row = next(chosen)
        draft = _draft(row)
        varied = Draft(_vary(random, draft.pieces), draft.core, draft.priority, draft.channel)
        if i % 2:
            return Flaw(ticket(varied, desk.person(), desk.cast), "near_duplicate", row)
        values = {**row.person.values, **_orders(row)}
        message, spans = put(varied.pieces, values)
        return Flaw(replace(row, message=message, spans=spans, draft=varied), "near_duplicate", row)

    return make


def _orders(row: Ticket) -> dict[str, str]:
    """The order ids of ``row`` by slot."""
    ids = [span.value for span in row.spans if span.type == "ORDER_ID"]
    names = [piece.text for piece in _draft(row).pieces if piece.personal and piece.text in ("order", "other")]
    return dict(zip(names, ids, strict=True))


def _draft(row: Ticket) -> Draft:
    if row.draft is None:
        raise ValueError("only a ticket with a draft can be said again")
    return row.draft


def _vary(random: Random, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """One word swapped for another and a few added at the end."""
    spots = [
        (i, word) for i, piece in enumerate(pieces) if not piece.personal for word in SWAPS if f" {word} " in piece.text
    ]
    varied = list(pieces)
    if spots:
        at, word = random.choice(spots)
        varied[at] = Piece(pieces[at].text.replace(f" {word} ", f" {SWAPS[word]} ", 1))
    return (*varied, Piece(random.choice((" Thanks again", "\nSent once more", " :-)", "\nMany thanks already"))))


def _quotations(random: Random, desk: Desk, heldout: list[Ticket]) -> Callable[[int], Flaw]:
    """A held-out message word for word, half of them inside a longer text.

    Only messages without personal values are quoted, so that no value belongs to two subjects.
    """
    quotable = [row for row in heldout if not row.spans and len(row.message.split()) >= 25]
    chosen = iter(_some(random, quotable, "quotes_test"))

    def make(i: int) -> Flaw:
        row = next(chosen)
        message = f"{desk.author.context()} {row.message}\n\n{desk.author.context()}" if i % 2 else row.message
        return Flaw(replace(row, person=desk.person(), message=message, draft=None), "quotes_test", row)

    return make


def _with_answer(desk: Desk, spoil: Callable[[str], str]) -> Ticket:
    row = desk.ticket()
    return replace(row, answer=spoil(row.answer))


def _edited(**changes: object) -> Callable[[str], str]:
    return lambda text: json.dumps({**json.loads(text), **changes})


BREAKERS: tuple[Callable[[str], str], ...] = (
    lambda text: text[:-1],
    lambda text: text.replace('"', "'"),
    lambda text: text[:-1] + ",}",
    lambda text: f"Here is the triage: {text}",
    lambda text: text.replace('"intent"', "intent"),
    lambda text: text.replace(", ", " "),
)
"""Ways in which an answer ceases to be JSON."""

VIOLATORS: tuple[Callable[[str], str], ...] = (
    _edited(priority="urgent"),
    _edited(intent="other stuff"),
    _edited(note="called twice"),
    lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "order_id"}),
)
"""Ways in which an answer is JSON but not the triage that the schema asks for."""


def _lengthen(random: Random, desk: Desk) -> Ticket:
    """A message with its whole history pasted below."""
    row, tail = desk.ticket(), ""
    goal = random.randrange(6_200, 7_800)
    while len(row.message) + len(tail) < goal:
        turns = " ".join(desk.author.context() for _ in range(3))
        tail += f"\n\n> {desk.author.agent()}\n\n{turns}"
    return replace(row, message=row.message + tail)


def _emptied(desk: Desk, at: int) -> Ticket:
    row = desk.ticket()
    message = ("", " ", "\n\n", "   \n", "\t")[at % 5]
    return replace(row, message=message, spans=[], answer=answer(row.intent, row.priority, None))


def _translated(desk: Desk, at: int) -> Ticket:
    row = foreign()[at % len(foreign())]
    core = Core(row.intent, row.priority, row.text)
    return ticket(Draft(tuple(cut(row.text)), core, row.priority, "email"), desk.person(), desk.cast)
