"""Measure what redaction masks, and what it should not have.

    python bench/measure_redaction.py synth_dataset_v2.json --rows 1000:
    python bench/measure_redaction.py --records tickets.jsonl --gold personal_data.jsonl --text message
    python bench/measure_redaction.py --plain banking77/test.csv --profile fast

*Full* recall is the share of gold values of which every letter and digit is masked, under whichever type;
*any* those of which at least one is. *Over-redaction* is the share of letters and digits outside every gold
value that are masked. Characters per second are of CPU time, one thread.

What was not fully masked is counted by kind, without the values: how it is written (one word, small letters, other
scripts), what it holds (a title, a kind of street, a postcode), and whether a part of it was masked. A value is of
several kinds, and beside each stands how many of the gold values are of it, so that a rare kind that fails shows as
one. ``--misses N`` prints so many of the values themselves: only for data that are synthetic.
"""

import argparse
import csv
import json
import re
import resource
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector
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


_TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof|herr|frau|sr|sra)\b\.?", re.IGNORECASE)
_STREET = re.compile(
    r"\b(?:street|st|road|rd|avenue|ave|lane|drive|court|way|close|place|square|rue|calle|via|ul)\b\.?|"
    r"\w(?:straße|strasse|gasse|weg|allee|gata|gatan|vej|straat|laan|katu|tie|utca)\b",
    re.IGNORECASE,
)
_UNIT = re.compile(r"\b(?:apt|apartment|suite|flat|unit|box|room)\b", re.IGNORECASE)
_POSTCODE = re.compile(r"\b\d{4,6}\b|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")
_INITIAL = re.compile(r"\b[^\W\d_]\.(?:\s|$)")
_PARTS = {"with a unit": _UNIT, "with a postcode": _POSTCODE, "a crossing": re.compile(r"\band\b", re.IGNORECASE)}
_WORDS = ("no word", "one word", "two words", "three words")


def kinds(value: str, kind: str) -> Iterator[str]:
    """How a gold value is written and what it holds, in words that say nothing of what it is."""
    letters = "".join(filter(str.isalpha, value))
    yield "several lines" if "\n" in value else _WORDS[min(len(value.split()), len(_WORDS) - 1)]
    if letters:
        yield "small letters" if letters.islower() else "CAPITALS" if letters.isupper() else "Mixed Case"
    if any(not c.isascii() for c in letters):
        latin = all(unicodedata.name(c, "").startswith("LATIN") for c in letters)
        yield "Latin letters beyond ASCII" if latin else "another script"
    if any(map(str.isdigit, value)):
        yield "digits" if not letters else "letters and digits"
    if "ADDRESS" in kind and "IP" not in kind:
        yield "with a kind of street" if _STREET.search(value) else "without a kind of street"
        yield from (name for name, form in _PARTS.items() if form.search(value))
    elif kind in {"PERSON", "NAME"}:
        yield from (
            name for name, form in (("with a title", _TITLE), ("with an initial", _INITIAL)) if form.search(value)
        )


class Tally:
    """Counts over all texts, by the data set's own names of types."""

    def __init__(self) -> None:
        self.full, self.touched, self.total = Counter[str](), Counter[str](), Counter[str]()
        self.kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.missed_kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.missed: defaultdict[str, list[str]] = defaultdict(list)
        self.over = Counter[str]()
        self.outside = self.leaking = 0

    def add(self, row: Row, masked: dict[int, str]) -> None:
        """Count one text of which these characters are masked."""
        golden = {i for g in row.gold for i in range(g.start, g.end)}
        whole = [self._value(row.text, g, masked) for g in row.gold]
        self.leaking += not all(whole)
        plain = [i for i, c in enumerate(row.text) if c.isalnum() and i not in golden]
        self.outside += len(plain)
        self.over.update(masked[i] for i in plain if i in masked)

    def _value(self, text: str, gold: Gold, masked: dict[int, str]) -> bool:
        inside = [i in masked for i in range(gold.start, gold.end) if text[i].isalnum()]
        kind, found = gold.type, tuple(kinds(text[gold.start : gold.end], gold.type))
        self.total[kind] += 1
        self.full[kind] += all(inside)
        self.touched[kind] += any(inside)
        self.kinds[kind].update(found)
        if not all(inside):
            self.missed_kinds[kind].update((*found, "… masked in part" if any(inside) else "… not masked at all"))
            self.missed[kind].append(text[max(0, gold.start - 30) : gold.end + 15])
        return all(inside)


def measure(rows: list[Row], spec: RedactionSpec, misses: int) -> None:
    """Print the table."""
    detector = Detector(spec)
    started = time.process_time()
    found = detector.find([row.text for row in rows], [row.known for row in rows])
    seconds = time.process_time() - started
    tally = Tally()
    for row, spans in zip(rows, found, strict=True):
        tally.add(row, {i: s.type for s in spans for i in range(s.start, s.end)})
    report(tally, len(rows), misses)
    characters = sum(len(row.text) for row in rows)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{characters / seconds:,.0f} characters per CPU-second; peak memory {memory:,.0f} MiB")


def report(tally: Tally, texts: int, misses: int) -> None:
    """Print recall by type, what was missed by kind, and over-redaction."""
    for kind, total in sorted(tally.total.items()):
        full, touched = tally.full[kind] / total, tally.touched[kind] / total
        print(f"{kind:18} n={total:5} full={full:.3f} any={touched:.3f}")
        for text in tally.missed[kind][:misses]:
            print("     missed:", repr(text))
    print(f"texts with a value not fully masked: {tally.leaking} of {texts}")
    for kind, counts in sorted(tally.missed_kinds.items()):
        print(f"not fully masked, {kind}: {len(tally.missed[kind])}")
        for name, count in sorted(counts.items(), key=lambda item: (item[0].startswith("…"), -item[1], item[0])):
            of = f" of {tally.kinds[kind][name]}" if name in tally.kinds[kind] else ""
            print(f"    {name:28} {count:4}{of}")
    share = sum(tally.over.values()) / max(1, tally.outside)
    by_type = dict(tally.over.most_common())
    print(f"over-redaction: {share:.2%} of {tally.outside} letters and digits; by type {by_type}")


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
    parser.add_argument("--profile", choices=("fast", "standard", "strict"), default="standard")
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
    spec = RedactionSpec(threshold=given.threshold, profile=given.profile)
    measure(rows[first:last], spec, given.misses)


if __name__ == "__main__":
    main()
