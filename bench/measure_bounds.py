r"""Measure redaction as a run does: seeded values in the data's own redacted records, and the bounds that this buys.

    python -m bench.measure_bounds recipes/support_triage --seeded 600
    python -m bench.measure_bounds recipes/support_triage --seeded 600 --least 100 --misses 3 \
        --shape 'ORDER_ID=??-######' --shape 'ACCOUNT_ID=C-#####'

The recipe's sources are redacted, their redacted records seeded, those redacted again, and the result scored and held
to floors. Then the rules and the tagger, as two detectors, are asked for persons in the raw texts, and what
both missed is estimated from how often they agree; where the recipe has gold values beside it, what both did miss is
printed too. CPU seconds are of one thread. ``--misses`` prints seeded values that were not fully masked; they are
nobody's.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from json import loads
from pathlib import Path

from assay.data import sources
from assay.policy import needed
from assay.privacy.detection import personal_cues
from assay.privacy.detection.detector import Detector
from assay.privacy.detection.personal_names import Tagger
from assay.privacy.measurement.recall import Measured, Share, clean_sample, decide, measure
from assay.privacy.measurement.recapture import Place, capture_recapture, matched
from assay.privacy.measurement.seeding import LEAST, Planted, planted
from assay.privacy.replacement import redaction
from assay.privacy.replacement.drafts import fields
from assay.privacy.replacement.redaction import Audited
from assay.recipes import parse
from assay.records import Record
from assay.spec import RunSpec

FLOORS = {
    "ACCOUNT_ID": 0.95, "ADDRESS": 0.85, "CITY": 0.6, "CREDIT_CARD": 0.95, "DATE_OF_BIRTH": 0.9, "EMAIL": 0.95,
    "IBAN": 0.95, "IP_ADDRESS": 0.95, "ORDER_ID": 0.95, "PERSON": 0.9, "PHONE": 0.95, "SECRET": 0.8, "SSN": 0.8,
    "URL": 0.95, "USERNAME": 0.8,
}  # fmt: skip
"""What is asked here; a recipe asks for what its owner decides."""


CREDIBLE = 0.9
"""Probability from which the tagger counts as a detector of persons: what it is less sure of is often none."""


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print the CPU seconds of a block."""
    started = time.process_time()
    yield
    print(f"{what}: {time.process_time() - started:.1f} CPU-s")


def read(spec: RunSpec, folder: Path) -> list[Record]:
    """Every raw record of a recipe."""
    found = [s.model_copy(update={"uri": sources.locate(s.uri, folder)}) for s in spec.sources]
    return [record for source in found for record in sources.read(source, b"a key for a measurement only")]


def table(measured: Measured) -> None:
    """Print a measurement."""
    print(f"made of {measured.sources} distinct redacted texts")
    print("\ntype           planted  full   rate      ≥  touched   own places     our sentences")
    for row in measured.recall:
        full, own = row.full, row.own
        print(
            f"{row.type:14} {full.of:7} {full.count:5} {full.rate:6.3f} {full.lower:6.3f} {row.touched:8}   "
            f"{own.count:4} of {own.of:<5}   {full.count - own.count:4} of {full.of - own.of}"
        )
    for name, share in (
        ("records that leak a direct identifier", measured.leaks),
        ("  … of those with nothing added", measured.own_leaks),
        ("letters over-redacted, seeded records", measured.over_seeded),
        ("letters over-redacted, plain records", measured.over_plain),
        ("plain records with anything masked", measured.plain),
        ("seeded records dropped", measured.dropped),
    ):
        print(f"{name:40} {_words(share)}")


def _words(share: Share) -> str:
    return f"{share.count} of {share.of} = {share.rate:.2%}, at most {share.upper:.2%}"


def misses(seeded: Sequence[Planted], audited: Sequence[Audited], most: int) -> None:
    """Print so many values of each type that were not fully masked, with what stands around them."""
    marks = {row.id: row.marks for row in audited}
    shown: defaultdict[str, list[str]] = defaultdict(list)
    for document in seeded:
        texts = dict(fields(document.record))
        for value in document.values:
            hidden = {
                i for m in marks.get(document.record.id, ()) if m.field == value.field for i in range(m.start, m.end)
            }
            text = texts[value.field]
            if any(i not in hidden for i in range(value.start, value.end) if text[i].isalnum()):
                shown[value.type].append(text[max(0, value.start - 40) : value.end + 20])
    for kind, around in sorted(shown.items()):
        for text in around[:most]:
            print(f"  missed {kind}: {text!r}")


def agreement(raw: Sequence[Record], gold: Path) -> None:
    """Print what rules and tagger say of persons in the first turns, together and apart."""
    texts = {record.id: record.context[0].content for record in raw}
    rules = [Place(id, "", cue.start, cue.end) for id, text in texts.items() for cue in personal_cues.find(text)]
    tagger = [
        Place(id, "", tag.start, tag.end)
        for id, found in zip(texts, Tagger(1).tag(list(texts.values()), CREDIBLE), strict=True)
        for tag in found
        if tag.label in {"GIVEN_NAME", "SURNAME"}
    ]
    found = capture_recapture(*matched(rules, tagger))
    print(f"\npersons: rules {found.first}, tagger {found.second}, both {found.both}, one or the other {found.found}")
    most = found.upper or float("inf")
    print(f"both missed an estimated {found.missed:.1f}: {found.total:.0f} in all ({found.lower:.0f} to {most:.0f})")
    if gold.exists():
        lines = [loads(line) for line in gold.read_text().splitlines()]
        people = [g for g in lines if g["type"] == "PERSON" and g["field"] == "message" and g["record"] in texts]
        values, hits = matched([Place(g["record"], "", g["start"], g["end"]) for g in people], [*rules, *tagger])
        print(
            f"gold: {len(values)} persons, {len(values - hits)} missed by both; {len(hits - values)} hits are no person"
        )


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path, help="a recipe's folder")
    parser.add_argument("--seeded", type=int, default=600)
    parser.add_argument("--least", type=int, default=LEAST)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-leak", type=float, default=0.05)
    parser.add_argument("--max-over", type=float, default=0.01)
    parser.add_argument("--misses", type=int, default=0)
    parser.add_argument("--shape", action="append", default=[], metavar="TYPE=SHAPE", help="such as ORDER_ID=??-######")
    given = parser.parse_args()
    given.shapes = {kind: (shape,) for kind, _, shape in (text.partition("=") for text in given.shape)}
    spec = parse((given.recipe / "recipe.yaml").read_bytes(), "recipe.yaml")
    raw = read(spec, given.recipe)
    detector = Detector(spec.redaction)
    with timed(f"redacting {len(raw)} records"):
        kept, _, _ = redaction.redact(raw, spec.redaction, detector.find)
    with timed(f"seeding {given.seeded}"):
        wanted = dict.fromkeys(spec.redaction.entities, given.least)
        seeded = planted(kept, given.seeded, given.seed, wanted, given.shapes)
    characters = sum(len(document.record.text) for document in seeded)
    with timed(f"redacting {len(seeded)} seeded records of {characters:,} characters"):
        _, dropped, audited = redaction.redact([d.record for d in seeded], spec.redaction, detector.find)
    with timed("scoring"):
        measured = measure(seeded, audited, [row.id for row in dropped])
    table(measured)
    misses(seeded, audited, given.misses)
    for reason in decide(measured, FLOORS, given.max_leak, given.max_over):
        print(f"refused: {reason}")
    print(f"\n{'floor':>6} {'values':>6}")
    for floor in (0.9, 0.95, 0.97, 0.98, 0.99):
        print(f"{floor:6} {needed(floor):6}")
    print(f"300 clean rows bound the leak rate at {clean_sample(300):.2%}")
    agreement(raw, given.recipe / "data" / "personal_data.jsonl")


if __name__ == "__main__":
    main()
