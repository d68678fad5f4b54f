"""Measure how many planted wrong labels a training gives away, by the loss of each example at its visits.

    python -m bench.measure_noise .assay recipes/support_triage/data/flaws.jsonl
    python -m bench.measure_noise .assay recipes/support_triage/data/flaws.jsonl --dynamics FILE

Reads the store of a home in which the recipe was run: the records, the suspects of curation, and the losses (the last
that were filed, or FILE). Of the examples that were learned from, how many of the first k of an order bear a label that
was flipped; *last visit* is the order of :mod:`assay.data.hardness`, the others are what else was thought of. Then what
that module lists, beside what :mod:`assay.data.label_noise` lists without training anything.
"""

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

import pyarrow.parquet as pq

from assay.data import hardness
from assay.data.hardness import Learned
from assay.model import dynamics
from assay.records import from_parquet, label_of, suspects_from_parquet

FIELD = "intent"
FIRST = (5, 10, 20, 40)
AROUND = 15
"""Steps on either side that an order takes for the same time."""

Orders = Mapping[str, Callable[[Learned], float]]


def main() -> int:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("flaws", type=Path)
    parser.add_argument("--dynamics", type=Path)
    options = parser.parse_args()
    data = options.dynamics.read_bytes() if options.dynamics else next(files(options.home, {"id", "visits"}))
    learned = [Learned(each.id, each.visits) for each in dynamics.read(data) if not each.replayed]
    planted = {row["record"]: row["kind"] for row in map(json.loads, options.flaws.read_text().splitlines())}
    wrong = {each.id for each in learned if planted.get(each.id) == "flipped_label"}
    labels = {
        row.id: label_of(row, FIELD) for file in files(options.home, {"completion"}) for row in from_parquet(file)
    }
    print(f"{len(learned)} examples, {len(wrong)} flipped ({len(wrong) / len(learned):.1%})\n")
    print(f"| order | {' | '.join(f'first {k}' for k in FIRST)} |\n|---|{'---|' * len(FIRST)}")
    for name, key in orders(learned, labels).items():
        ranked = sorted(learned, key=key, reverse=True)
        found = (str(sum(each.id in wrong for each in ranked[:k])) for k in FIRST)
        print(f"| {name} | {' | '.join(found)} |")
    tell(options.home, learned, wrong)
    return 0


def tell(home: Path, learned: Sequence[Learned], wrong: set[str]) -> None:
    """What is listed, and what of it is wrong."""
    listed = defaultdict(set)
    there = {each.id for each in learned}
    for file in files(home, {"doubt", "twin"}):
        for row in suspects_from_parquet(file):
            listed[row.kind] |= {row.id} & there
    for kind in (hardness.NEVER, hardness.LAST):
        listed[kind] = {row.id for row in hardness.find(learned) if row.kind == kind}
    either = listed["label_noise"] | listed[hardness.NEVER]
    print("\n| list | listed | flipped | flipped and not in `label_noise` |\n|---|---|---|---|")
    for name, ids in (*((kind, listed[kind]) for kind in ("label_noise", hardness.NEVER, hardness.LAST)),
                      ("label_noise or never_learned", either)):  # fmt: skip
        print(f"| {name} | {len(ids)} | {len(ids & wrong)} | {len(ids & wrong - listed['label_noise'])} |")


def orders(learned: Sequence[Learned], labels: Mapping[str, str | None]) -> Orders:
    """Orders by name, of which the largest come first."""
    by_label: defaultdict[str | None, list[float]] = defaultdict(list)
    for each in learned:
        by_label[labels.get(each.id)].append(math.log(each.last))

    def within_label(each: Learned) -> float:
        others = by_label[labels.get(each.id)]
        middle = median(others)
        return (math.log(each.last) - middle) / (median(abs(log - middle) for log in others) or 1.0)

    def for_its_time(each: Learned) -> float:
        step = each.visits[-1][0]
        near = [math.log(other.last) for other in learned if abs(other.visits[-1][0] - step) <= AROUND]
        return math.log(each.last) - median(near)

    return {
        "last visit": lambda each: each.last,
        "last visit, for its time": for_its_time,
        "last visit, within its label": within_label,
        "mean of visits": lambda each: fmean(loss for _, loss in each.visits),
        "first visit": lambda each: each.first,
    }


def files(home: Path, columns: set[str]) -> Iterator[bytes]:
    """Parquet files of the store that have these columns, the last filed first."""
    for path in sorted((home / "store").glob("??/*"), key=lambda path: path.stat().st_mtime, reverse=True):
        if path.is_dir():
            continue
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                continue
        if columns <= set(pq.read_schema(path).names):
            yield path.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
