"""Rows, gold and manifest as bytes: one JSON object a line, in UTF-8."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from bench.generate_support_triage.flaws import CAUGHT_BY, Flaw
from bench.generate_support_triage.pieces import Span
from bench.generate_support_triage.tickets import Ticket
from bench.generate_support_triage.wordings import Wording

COLUMNS = {"customer": "account", "customer_name": "name", "customer_email": "email", "customer_phone": "phone"}
"""Columns that say who wrote, by the slot that fills them."""


def stamp(random: Random, tickets: list[Ticket], prefix: str) -> list[Ticket]:
    """Give each ticket its key and its hour, both rising, in the order given."""
    start = datetime(2026, 1, 5, 7, tzinfo=UTC)
    hours = sorted(random.randrange(170 * 24 * 60) for _ in tickets)
    for number, (ticket, minutes) in enumerate(zip(tickets, hours, strict=True), 1):
        ticket.key = f"{prefix}-{number:06}"
        ticket.created = (start + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return tickets


def row(ticket: Ticket, wording: Wording) -> dict[str, str]:
    """The columns of one ticket."""
    return {
        "ticket": ticket.key,
        **{column: ticket.person.values[slot] for column, slot in COLUMNS.items()},
        "message": ticket.message,
        "answer": ticket.answer,
        "channel": ticket.channel,
        "region": ticket.person.region,
        "licence": ticket.licence,
        "consent": "yes",
        "created": ticket.created,
        "wording": wording,
    }


def gold(ticket: Ticket) -> list[dict[str, str | int]]:
    """Every personal value of one ticket, with its field and its offsets."""
    types = {"customer": "ACCOUNT_ID", "customer_name": "PERSON", "customer_email": "EMAIL", "customer_phone": "PHONE"}
    found = [(column, _whole(ticket.person.values[slot], types[column])) for column, slot in COLUMNS.items()]
    found += [("message", span) for span in ticket.spans]
    found += [("answer", span) for span in ticket.answer_spans()]
    return [_gold_row(ticket.key, field, span) for field, span in found]


def manifest(flaw: Flaw) -> dict[str, str | None]:
    """One line about one planted flaw."""
    of = flaw.of.key if flaw.of else None
    return {"record": flaw.ticket.key, "kind": flaw.kind, "of": of, "caught_by": CAUGHT_BY[flaw.kind]}


def lines(rows: Iterable[Mapping[str, object]]) -> bytes:
    """JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def table(tickets: list[Ticket], heldout: list[Ticket], flaws: list[Flaw], values: int) -> str:
    """A short count of what was made."""
    counts = {
        "rows": Counter(tickets=len(tickets), heldout=len(heldout), personal_values=values),
        "subjects": Counter(tickets=_subjects(tickets), heldout=_subjects(heldout)),
        "intent (tickets)": Counter(t.intent for t in tickets),
        "intent (heldout)": Counter(t.intent for t in heldout),
        "priority (tickets)": Counter(t.priority for t in tickets),
        "priority (heldout)": Counter(t.priority for t in heldout),
        "flaws": Counter(flaw.kind for flaw in flaws),
    }
    return "\n".join(
        f"{name:20}" + ", ".join(f"{k} {n}" for k, n in counter.items()) for name, counter in counts.items()
    )


def _subjects(tickets: list[Ticket]) -> int:
    return len({ticket.person.values["account"] for ticket in tickets})


def _whole(value: str, entity: str) -> Span:
    return Span(0, len(value), entity, value)


def _gold_row(record: str, field: str, span: Span) -> dict[str, str | int]:
    return {
        "record": record,
        "field": field,
        "start": span.start,
        "end": span.end,
        "type": span.type,
        "value": span.value,
    }
