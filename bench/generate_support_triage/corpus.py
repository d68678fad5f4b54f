"""The four files as values: everything drawn from one seed, in one order."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from bench.generate_support_triage import flaws, writer
from bench.generate_support_triage.flaws import Flaw
from bench.generate_support_triage.people import Cast
from bench.generate_support_triage.tickets import Desk, Ticket


@dataclass(frozen=True, slots=True)
class Corpus:
    """Files by name, and the table of counts."""

    files: dict[str, bytes]
    table: str


def generate(seed: int, tickets: int, heldout: int, flip_rate: float) -> Corpus:
    """Draw the corpus: ``tickets`` rows before other flaws, ``round(flip_rate * tickets)`` of them mislabelled."""
    random = Random(seed)
    cast = Cast(random)
    unseen = Desk(random, cast, "unseen")
    test = [unseen.ticket() for _ in range(heldout)]
    seen = Desk(random, cast, "seen")
    clean = [seen.ticket() for _ in range(tickets)]
    planted = flaws.plant(random, seen, clean, test, round(flip_rate * tickets))
    rows = writer.stamp(random, _arranged(random, clean, planted), "T")
    return _corpus(rows, writer.stamp(random, test, "H"), sorted(planted, key=lambda flaw: flaw.ticket.key))


def _arranged(random: Random, clean: list[Ticket], planted: Iterable[Flaw]) -> list[Ticket]:
    """All rows in random order, save that a duplicate comes after what it repeats."""
    place = {id(row): random.random() for row in clean}
    rows = list(clean)
    for flaw in planted:
        if id(flaw.ticket) not in place:
            original = place.get(id(flaw.of), 0.0)
            place[id(flaw.ticket)] = random.uniform(original, 1.0)
            rows.append(flaw.ticket)
    return sorted(rows, key=lambda row: place[id(row)])


def _corpus(rows: list[Ticket], test: list[Ticket], planted: list[Flaw]) -> Corpus:
    personal = [value for ticket in (*rows, *test) for value in writer.gold(ticket)]
    files = {
        "tickets.jsonl": writer.lines(writer.row(ticket, "seen") for ticket in rows),
        "heldout.jsonl": writer.lines(writer.row(ticket, "unseen") for ticket in test),
        "personal_data.jsonl": writer.lines(personal),
        "flaws.jsonl": writer.lines(writer.manifest(flaw) for flaw in planted),
    }
    return Corpus(files, writer.table(rows, test, planted, len(personal)))
