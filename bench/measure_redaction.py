"""Measure what redaction masks, and what it should not have.

    python bench/measure_redaction.py synth_dataset_v2.json --rows 1000:
    python bench/measure_redaction.py --records tickets.jsonl --gold personal_data.jsonl --text message
    python bench/measure_redaction.py --plain banking77/test.csv

*Full* recall is the share of gold values of which every letter and digit is masked, under whichever type;
*any* those of which at least one is. *Over-redaction* is the share of letters and digits outside every gold
value that are masked. Characters per second are of CPU time, one thread. ``--misses N`` prints gold values that
were not fully masked: only for data that are synthetic.
"""

import argparse
import csv
import json
import resource
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from assay.policy import RedactionSpec
from assay.privacy.detection import Detector
from assay.records import Known


class Gold(NamedTuple):
    """A value to mask: where, and what it is called in its data set."""

    start: int
    end: int
    type: str


class Row(NamedTuple):
    """A text, what is personal in it, and what was known beforehand."""

    text: str
    gold: list[Gold]
    known: list[Known]


def presidio_research(path: Path) -> list[Row]:
    """Rows of ``synth_dataset_v2.json``; offsets are the data set's own."""
    return [
        Row(r["full_text"], [Gold(s["start_position"], s["end_position"], s["entity_type"]) for s in r["spans"]], [])
        for r in json.loads(path.read_text())
    ]


KNOWN = {"customer": "ACCOUNT_ID", "customer_name": "PERSON", "customer_email": "EMAIL", "customer_phone": "PHONE"}


def ticket_pair(records: Path, gold: Path, field: str, *, with_known: bool) -> list[Row]:
    """Tickets and where their gold values stand: ``{record, field, start, end, type}``, one a line."""
    places: defaultdict[str, list[Gold]] = defaultdict(list)
    for line in map(json.loads, gold.read_text().splitlines()):
        if line["field"] == field:
            places[line["record"]].append(Gold(line["start"], line["end"], line["type"]))
    tickets = [json.loads(line) for line in records.read_text().splitlines()]
    return [
        Row(
            ticket[field],
            places[ticket["ticket"]],
            [Known(kind, ticket[column]) for column, kind in KNOWN.items() if with_known and ticket.get(column)],
        )
        for ticket in tickets
        if isinstance(ticket.get(field), str)
    ]


def measure(rows: list[Row], spec: RedactionSpec, misses: int) -> None:
    """Print the table."""
    detector = Detector(spec)
    started = time.process_time()
    found = detector.find([row.text for row in rows], [row.known for row in rows])
    seconds = time.process_time() - started
    full, touched, total, missed = Counter[str](), Counter[str](), Counter[str](), defaultdict[str, list[str]](list)
    over, outside, leaking = Counter[str](), 0, 0
    for row, spans in zip(rows, found, strict=True):
        masked = {i: s.type for s in spans for i in range(s.start, s.end)}
        golden = {i for g in row.gold for i in range(g.start, g.end)}
        leaks = False
        for g in row.gold:
            inside = [i in masked for i in range(g.start, g.end) if row.text[i].isalnum()]
            total[g.type] += 1
            full[g.type] += all(inside)
            touched[g.type] += any(inside)
            if not all(inside):
                leaks = True
                missed[g.type].append(row.text[max(0, g.start - 30) : g.end + 15])
        leaking += leaks
        plain = [i for i, c in enumerate(row.text) if c.isalnum() and i not in golden]
        outside += len(plain)
        over.update(masked[i] for i in plain if i in masked)
    for kind in sorted(total):
        print(f"{kind:18} n={total[kind]:5} full={full[kind] / total[kind]:.3f} any={touched[kind] / total[kind]:.3f}")
        for text in missed[kind][:misses]:
            print("     missed:", repr(text))
    share = sum(over.values()) / max(1, outside)
    print(f"texts with a value not fully masked: {leaking} of {len(rows)}")
    print(f"over-redaction: {share:.2%} of {outside} letters and digits; by type {dict(over.most_common())}")
    characters = sum(len(row.text) for row in rows)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{characters / seconds:,.0f} characters per CPU-second; peak memory {memory:,.0f} MiB")


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("synthetic", type=Path, nargs="?", help="presidio-research JSON")
    parser.add_argument("--plain", type=Path, help="CSV with a column `text` and nothing personal")
    parser.add_argument("--records", type=Path)
    parser.add_argument("--gold", type=Path)
    parser.add_argument("--text", default="message", help="field of the records to examine")
    parser.add_argument("--no-known", action="store_true", help="ignore the customer_ columns")
    parser.add_argument("--rows", default=":", help="slice of rows, such as :1000")
    parser.add_argument("--threshold", type=float, default=0.3)
    parser.add_argument("--misses", type=int, default=0)
    given = parser.parse_args()
    if given.synthetic:
        rows = presidio_research(given.synthetic)
    elif given.plain:
        with given.plain.open(newline="") as lines:
            rows = [Row(line["text"], [], []) for line in csv.DictReader(lines)]
    else:
        rows = ticket_pair(given.records, given.gold, given.text, with_known=not given.no_known)
    first, last = (int(part) if part else None for part in given.rows.split(":"))
    measure(rows[first:last], RedactionSpec(threshold=given.threshold), given.misses)


if __name__ == "__main__":
    main()
