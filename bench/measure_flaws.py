"""Count which planted flaws a run caught, by which step, and which clean rows left with them.

    python -m bench.measure_flaws .assay recipes/support_triage/data/flaws.jsonl

Reads every list of dropped records and of suspects in the store of a home that holds one run. A flaw is *caught* if its
row was dropped, *listed* if a person is asked to look at it.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq


def main() -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("flaws", type=Path)
    options = parser.parse_args()
    planted = {row["record"]: row["kind"] for row in map(json.loads, options.flaws.read_text().splitlines())}
    dropped = {row["id"]: row["step"] for row in rows(options.home, {"id", "step", "reason"})}
    listed = {row["id"]: row["kind"] for row in rows(options.home, {"id", "kind", "doubt"})}
    by_kind = defaultdict(Counter[str])
    for id, kind in planted.items():
        by_kind[kind][dropped.get(id) or (f"listed ({listed[id]})" if id in listed else "missed")] += 1
    print("| kind | planted | caught | by |\n|---|---|---|---|")
    for kind, found in sorted(by_kind.items()):
        caught = sum(count for step, count in found.items() if step != "missed")
        steps = ", ".join(f"{step} {count}" for step, count in sorted(found.items()))
        print(f"| {kind.replace('_', ' ')} | {sum(found.values())} | {caught} | {steps} |")
    clean = Counter(step for id, step in dropped.items() if id not in planted)
    doubted = Counter(kind for id, kind in listed.items() if id not in planted)
    print(f"\nClean rows dropped: {dict(clean) or 'none'}. Clean rows listed for review: {dict(doubted) or 'none'}.")
    return 0


def rows(home: Path, columns: set[str]) -> Iterator[dict[str, str]]:
    """Rows of every Parquet file of the store that has these columns."""
    for path in sorted((home / "store").glob("??/*")):
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                continue
        if columns <= set(pq.read_schema(path).names):
            yield from pq.read_table(path).to_pylist()


if __name__ == "__main__":
    sys.exit(main())
