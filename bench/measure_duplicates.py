"""Measure what duplicates and quotations are found, what should not have been, and how fast.

    python bench/measure_duplicates.py demo                      # planted flaws of the demo data
    python bench/measure_duplicates.py scale 10000 100000        # beside datasketch
    python bench/measure_duplicates.py scale 1000000 --only ours

*demo* redacts the tickets as a run would (half a CPU-minute), parts exact duplicates and quotations, and tries
thresholds on the rest; ``--show N`` prints clean rows that would go.

*scale* writes texts of its own: one in ten is an earlier one again, in another case (*same words*), or with 5 % or
15 % of its words replaced as well. Each measurement has a process of its own; seconds are of its CPU and leave out
writing the texts, memory is its peak before results are judged. *Precision* is the share of reported pairs that truly
reach the threshold, counted on sets of strings (of 20,000 at most). *Recall*: of planted copies that truly reach it,
those reported with their original. *Missed*: of the pairs that reach it when :data:`SAMPLED` texts, half of them
copies, are compared with all, those not reported. datasketch gets the same shingles, permutations, bands and
verification; it keeps the texts because it needs them to verify.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assay import recipes
from assay.data import contamination, deduplication, near_duplicates, sources, splitting
from assay.records import Record, said
from assay.spec import NearDuplicatesSpec, RunSpec

RECIPE = Path(__file__).resolve().parent.parent / "recipes" / "support_triage" / "recipe.yaml"
SAMPLED = 20
CHECKED = 20_000
KINDS = {"same words": 0.0, "5 % replaced": 0.05, "15 % replaced": 0.15}
"""Planted copy → share of its words that are replaced."""

WORDS = """
who the courier/my neighbour/your clerk/the driver/my sister/a colleague/the warehouse/our office/your agent/the shop
who the manager/my landlord/the concierge/a stranger/the depot/your partner/my brother/the school/the hotel/a friend
did left/returned/lost/opened/refused/ordered/repaired/damaged/forgot/found/swapped/kept/sent/weighed/sold/hid/dropped
did packed/labelled/stored/charged/cancelled/collected/delayed/promised/received/unpacked/measured/cleaned/painted
what kettle/lamp/carpet/bicycle/blender/mirror/jacket/tent/drill/piano stool/garden hose/coffee mill/bookcase/camera
what radio/mattress/toaster/curtain/saddle/telescope/rucksack/clock/vase/printer/keyboard/saucepan/heater/ladder/sofa
how blue/broken/heavy/second/wrong/tiny/wooden/expensive/old/spare/green/rusty/brand new/noisy/folded/soft/torn/round
how leaking/polished/grey/striped/cracked/missing/cheap/wet/plain/dusty/bent/used/square/yellow/faulty/long
where behind the shed/at the station/in the hall/near the bridge/on the stairs/under the porch/by the gate/in a van
where at the counter/next to the bins/in the cellar/outside the bank/on the roof/across the road/in the lift
when yesterday/last week/on Monday/this morning/in March/two days ago/after lunch/at noon/before Easter/on Friday night
when in the rain/at the weekend/an hour ago/in autumn/without a word/on my birthday/twice/once more
so please look into it/I would like my money back/what happens next/I am not amused/can you explain/it is still not here
so nobody answers the phone/I need it by then/who will pay for that/this cannot be right/I have kept the receipt
"""
SLOTS: dict[str, list[str]] = {}
for line in WORDS.split("\n")[1:-1]:
    slot, _, fillings = line.partition(" ")
    SLOTS.setdefault(slot, []).extend(fillings.split("/"))
SENTENCES = (
    "{when} {who} {did} the {how} {what} {where}.",
    "I asked {who} about the {how} {what}, and {who} {did} it {when}.",
    "Order {number}: a {how} {what} that {who} {did} {where}.",
    "{so}, since {who} {did} the {what} {when}.",
    "My {how} {what} was {where} until {who} {did} it.",
    "For {number} euros I got a {how} {what} and a {how} {what}.",
    "{so}?",
)
VOCABULARY = sorted({word for items in SLOTS.values() for item in items for word in item.split()})


def planted(index: int) -> str | None:
    """Which kind of copy the text of this number is; None if it is its own."""
    return list(KINDS)[index // 10 % len(KINDS)] if index % 10 == 9 and index > 100 else None


def original(index: int) -> int:
    """The number of the text that a planted one is a copy of."""
    chosen = random.Random(f"original {index}").randrange(index)
    return chosen - (planted(chosen) is not None)


def text(index: int) -> str:
    """The text of this number: about 40 words, the same on every machine."""
    if (kind := planted(index)) is None:
        return written(random.Random(index))
    words = text(original(index)).split()
    drawn = random.Random(f"copy {index}")
    for place in drawn.sample(range(len(words)), round(KINDS[kind] * len(words))):
        words[place] = drawn.choice(VOCABULARY)
    return " ".join(words).upper()


def written(drawn: random.Random) -> str:
    """Sentences until there are 36 words."""
    said = ""
    while said.count(" ") < 36:
        sentence = drawn.choice(SENTENCES)
        while "{" in sentence:
            slot = sentence[sentence.index("{") : sentence.index("}") + 1]
            filled = str(drawn.randrange(100_000)) if slot == "{number}" else drawn.choice(SLOTS[slot[1:-1]])
            sentence = sentence.replace(slot, filled, 1)
        said += f" {sentence}"
    return said[1:]


def shingles(said: str, n: int) -> frozenset[str]:
    """The set that defines the truth here, of strings."""
    words = near_duplicates.fold(said)
    return frozenset(" ".join(words[i : i + n]) for i in range(max(1, len(words) - n + 1)))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity."""
    return len(one & other) / len(one | other)


Pairs = set[tuple[int, int]]


class Peer(NamedTuple):
    """Something that finds pairs: fed in batches, then asked."""

    add: Callable[[list[str], int], None]
    pairs: Callable[[], Pairs]


def ours(spec: NearDuplicatesSpec) -> Peer:
    """The method as a run uses it."""
    twins = near_duplicates.Twins(spec)
    return Peer(
        lambda texts, start: twins.add(texts, [str(start + i) for i in range(len(texts))]),
        lambda: {(int(pair.first), int(pair.later)) for pair in twins.pairs()},
    )


def datasketch(spec: NearDuplicatesSpec) -> Peer:
    """MinHash and MinHashLSH, each text asked before it is added."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=near_duplicates.PERMUTATIONS, params=near_duplicates.bands(spec.jaccard))
    texts: list[str] = []
    found: Pairs = set()

    def add(batch: list[str], start: int) -> None:
        texts.extend(batch)
        sets = ([word.encode() for word in shingles(said, spec.shingle_words)] for said in batch)
        hashed = MinHash.generator(sets, num_perm=near_duplicates.PERMUTATIONS)
        for number, sketch in enumerate(hashed, start):
            found.update((first, number) for first in index.query(sketch))
            index.insert(number, sketch, check_duplication=False)

    def pairs() -> Pairs:
        n = spec.shingle_words
        return {(a, b) for a, b in found if likeness(shingles(texts[a], n), shingles(texts[b], n)) >= spec.jaccard}

    return Peer(add, pairs)


PEERS: dict[str, Callable[[NearDuplicatesSpec], Peer]] = {"ours": ours, "datasketch": datasketch}


def measure(name: str, rows: int, spec: NearDuplicatesSpec) -> dict[str, object]:
    """One row of the table."""
    peer = PEERS[name](spec)
    seconds = 0.0
    for start in range(0, rows, 10_000):
        texts = [text(index) for index in range(start, min(start + 10_000, rows))]
        before = time.process_time()
        peer.add(texts, start)
        seconds += time.process_time() - before
    before = time.process_time()
    pairs = peer.pairs()
    seconds += time.process_time() - before
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "method": name, "seconds": seconds, "memory": memory, "pairs": len(pairs)} | judge(
        pairs, rows, spec
    )


def judge(pairs: Pairs, rows: int, spec: NearDuplicatesSpec) -> dict[str, object]:
    """Precision, recall by kind, and what a brute-force comparison of a few texts says was missed."""

    def alike(one: int, other: int) -> bool:
        return (
            likeness(shingles(text(one), spec.shingle_words), shingles(text(other), spec.shingle_words)) >= spec.jaccard
        )

    checked = random.Random(0).sample(sorted(pairs), min(CHECKED, len(pairs)))
    copies = [index for index in range(rows) if planted(index)]
    copies = random.Random(1).sample(copies, min(CHECKED, len(copies)))
    made = Counter(planted(index) for index in copies)
    true = [index for index in copies if alike(original(index), index)]
    reached = Counter(planted(index) for index in true)
    found = Counter(planted(index) for index in true if (original(index), index) in pairs)
    return {
        "precision": sum(alike(*pair) for pair in checked) / max(1, len(checked)),
        "recall": {kind: [found[kind], reached[kind], made[kind]] for kind in KINDS},
        "missed": list(missed(pairs, rows, spec)),
    }


def missed(pairs: Pairs, rows: int, spec: NearDuplicatesSpec) -> tuple[int, int]:
    """Of pairs of a sampled and any text that reach the threshold: how many ``pairs`` lacks, and how many there are."""
    copies = [index for index in range(rows) if planted(index)]
    chosen = {*random.Random(2).sample(range(rows), SAMPLED // 2), *random.Random(3).sample(copies, SAMPLED // 2)}
    sample = {index: shingles(text(index), spec.shingle_words) for index in chosen}
    true = {
        (min(one, other), max(one, other))
        for other in range(rows)
        for said in [shingles(text(other), spec.shingle_words)]
        for one, words in sample.items()
        if one != other and likeness(words, said) >= spec.jaccard
    }
    return len(true - pairs), len(true)


def scale(given: argparse.Namespace) -> None:
    """Print the table, each row from a process of its own."""
    found = ("precision", "recall: found / truly alike (of planted)", "missed")
    print("|", " | ".join(("texts", "method", "CPU-s", "texts/CPU-s", "peak MiB", "pairs", *found)), "|")
    print("|---" * 9 + "|")
    for rows in given.rows:
        for name in [given.only] if given.only else list(PEERS):
            command = [
                sys.executable,
                __file__,
                "worker",
                str(rows),
                name,
                str(given.shingle_words),
                str(given.jaccard),
            ]
            row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            recall = "; ".join(f"{kind}: {a} / {b} ({c})" for kind, (a, b, c) in row["recall"].items())
            print(
                f"| {rows:,} | {name} | {row['seconds']:.1f} | {rows / row['seconds']:,.0f} | {row['memory']:,.0f} "
                f"| {row['pairs']:,} | {row['precision']:.4f} | {recall} | {row['missed'][0]} of {row['missed'][1]} |",
                flush=True,
            )


def redacted(spec: RunSpec) -> list[Record]:
    """The demo records as curation meets them, but for what the raw suite would have set aside."""
    from assay.privacy.detection import detector
    from assay.privacy.replacement import redaction

    rows = [
        record
        for source in spec.sources
        for record in sources.read(
            source.model_copy(update={"uri": sources.locate(source.uri, RECIPE.parent)}), b"no key, for nobody exists"
        )
    ]
    refused = {id for id, flaw in flaws().items() if flaw["caught_by"] == "validate-raw"}
    rows = [record for record in rows if record.id not in refused]
    return redaction.redact(rows, spec.redaction, detector.Detector(spec.redaction).find)[0]


def flaws() -> dict[str, dict[str, str]]:
    """Planted flaws by row."""
    lines = (RECIPE.parent / "data" / "flaws.jsonl").read_text().splitlines()
    return {flaw["record"]: flaw for flaw in map(json.loads, lines)}


def demo(given: argparse.Namespace) -> None:
    """Print what each method finds of the planted flaws, then a table of thresholds."""
    spec = recipes.parse(RECIPE.read_bytes(), RECIPE.name)
    kinds = {id: flaw["kind"] for id, flaw in flaws().items()}
    rows = redacted(spec)
    asked = {record.id: splitting.side(record, spec.split) == "test" for record in rows}
    exact = {dropped.id for dropped in deduplication.find([rows], asked)}
    texts = {record.id: said(record) for record in rows if asked[record.id]}
    texts |= contamination.benchmark_texts((RECIPE.parent / spec.evaluation.general_ability.uri).read_bytes())
    index = contamination.Index(texts, spec.curation.contamination.words)
    quoting = {d.id for d in contamination.find([rows], index, asked, spec.curation.contamination)}
    rest = [record for record in rows if record.id not in exact]
    print("exact duplicates:", tally(exact, kinds), "\n\nquotations:", tally(quoting, kinds), "\n")
    planted_here = sum(kinds.get(record.id) == "near_duplicate" for record in rest)
    print("| shingle | Jaccard | near duplicates found | others dropped | disagreements | suspects among held-out |")
    print("|---|---|---|---|---|---|")
    for n in (1, 2, 3):
        for jaccard in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
            tried = NearDuplicatesSpec(shingle_words=n, jaccard=jaccard, on_found="drop")
            found = near_duplicates.find([rest], asked, spec.prompt.label, tried)
            others = {d.id for d in found.dropped if kinds.get(d.id) != "near_duplicate"}
            opposed = sum(s.kind == "disagreement" and not asked[s.id] for s in found.suspects)
            print(
                f"| {n} | {jaccard} | {len(found.dropped) - len(others)} of {planted_here} | {tally(others, kinds)} "
                f"| {opposed} | {sum(asked[s.id] for s in found.suspects)} |"
            )
            show(found.dropped[: given.show], kinds, rest)


def show(dropped: tuple[object, ...], kinds: dict[str, str], rows: list[Record]) -> None:
    """Print clean rows that would go, which is fine only because they are synthetic."""
    said = {record.id: " ".join(record.prompt.split()) for record in rows}
    for row in dropped:
        if isinstance(row, near_duplicates.Dropped) and row.id not in kinds:
            twin = row.reason.split()[3].rstrip(":")
            print(f"\n    {row.reason}\n    {row.id}: {said[row.id]}\n    {twin}: {said[twin]}")


def tally(ids: set[str], kinds: dict[str, str]) -> str:
    """How many of which kind."""
    counts = Counter(kinds.get(id, "clean") for id in ids)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())) or "none"


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, dest="command")
    of_demo = commands.add_parser("demo")
    of_demo.add_argument("--show", type=int, default=0, help="clean rows to print of each line")
    of_scale = commands.add_parser("scale")
    of_scale.add_argument("rows", type=int, nargs="+")
    of_scale.add_argument("--only", choices=PEERS)
    of_scale.add_argument("--shingle-words", type=int, default=NearDuplicatesSpec().shingle_words)
    of_scale.add_argument("--jaccard", type=float, default=NearDuplicatesSpec().jaccard)
    worker = commands.add_parser("worker")
    worker.add_argument("rows", type=int)
    worker.add_argument("name", choices=PEERS)
    worker.add_argument("shingle_words", type=int)
    worker.add_argument("jaccard", type=float)
    given = parser.parse_args()
    if given.command == "worker":
        spec = NearDuplicatesSpec(shingle_words=given.shingle_words, jaccard=given.jaccard)
        print(json.dumps(measure(given.name, given.rows, spec)))
    else:
        {"demo": demo, "scale": scale}[given.command](given)


if __name__ == "__main__":
    main()
