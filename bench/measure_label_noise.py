"""Measure which wrong labels are listed, beside random order, plain confidence and cleanlab's defaults.

    python bench/measure_label_noise.py
    python bench/measure_label_noise.py --scale 100000

Draws support-triage tickets anew for each seed and share of wrong labels (``bench.generate_support_triage``), reads
them as a recipe would, and lists suspects among the training rows. *uniform*: a label becomes any other, as the
generator plants it. *pair*: a label becomes the next one in the alphabet, as when two are confused.

Every peer lists as many rows as ours does. *at k* is the share of wrong labels among the first k, k being their number.
Peers: *confidence* is lowest self-confidence by our own probabilities (subjects kept together, mean of partitions);
*cleanlab* is ``find_label_issues`` with its defaults on five plain folds of the same features and classifier, then
the rest by self-confidence. What cleanlab lists by itself stands in rows of its own.

Also: outliers among all rows, before any suite; balance; and with ``--scale`` the time and memory of so many rows.
"""

import argparse
import json
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from cleanlab.filter import find_label_issues
from sklearn.model_selection import StratifiedKFold

from assay.data import balance, label_noise, outliers, sources
from assay.records import Record, label_of
from assay.spec import BalanceSpec, ColumnsSpec, LabelNoiseSpec, OutliersSpec, SourceSpec
from bench.generate_support_triage.corpus import generate

FIELD = "intent"
SPEC = LabelNoiseSpec()
COLUMNS = ColumnsSpec(prompt="message", completion="answer", subject="customer", id="ticket", attributes=("channel",))


class Corpus(NamedTuple):
    """Rows, which of them are locked, and each flawed row's kind."""

    rows: list[Record]
    locked: dict[str, bool]
    flaws: dict[str, str]

    @property
    def wrong(self) -> set[str]:
        """Ids of rows under a wrong label."""
        return {id for id, kind in self.flaws.items() if kind == "flipped_label"}

    @property
    def shards(self) -> Iterator[list[Record]]:
        """As the pipeline cuts them."""
        return sources.shards(self.rows, sources.SHARD_ROWS)


def draw(seed: int, share: float) -> Corpus:
    """Tickets and held-out rows, read from files."""
    with TemporaryDirectory() as folder:
        for name, content in generate(seed, 1000, 322, share).files.items():
            (Path(folder) / name).write_bytes(content)
        told = [json.loads(line) for line in (Path(folder) / "flaws.jsonl").read_text().splitlines()]
        rows = [
            row
            for name, side in (("tickets", None), ("heldout", "test"))
            for row in sources.read(
                SourceSpec(
                    name=name,
                    uri=f"{folder}/{name}.jsonl",
                    format="jsonl",
                    columns=COLUMNS,
                    licence="CC0-1.0",
                    lawful_basis="synthetic",
                    side=side,
                ),
                b"bench",
            )
        ]
    return Corpus(rows, {row.id: row.side == "test" for row in rows}, {flaw["record"]: flaw["kind"] for flaw in told})


def confused(seed: int, share: float) -> Corpus:
    """As :func:`draw`, but a wrong label is always the next one in the alphabet."""
    clean = draw(seed, 0)
    names = sorted({label_of(row, FIELD) or "" for row in clean.rows if clean.locked[row.id]})
    pairs = dict(zip(names, [*names[1:], names[0]], strict=True))
    able = [row.id for row in clean.rows if not clean.locked[row.id] and label_of(row, FIELD) in pairs]
    wrong = set(Random(seed).sample(able, round(share * 1000)))
    rows = [_relabelled(row, pairs) if row.id in wrong else row for row in clean.rows]
    return clean._replace(rows=rows, flaws=clean.flaws | dict.fromkeys(wrong, "flipped_label"))


def _relabelled(row: Record, pairs: dict[str, str]) -> Record:
    return replace(row, completion=json.dumps({**json.loads(row.completion), FIELD: pairs[str(label_of(row, FIELD))]}))


class Listed(NamedTuple):
    """Ids in order, and how many of them are listed."""

    ids: list[str]
    length: int


def ours(corpus: Corpus) -> Listed:
    """What the pipeline lists of training rows; then, for precision at k, the rest by doubt."""
    listed = [s.id for s in label_noise.find(corpus.shards, corpus.locked, FIELD, SPEC).suspects]
    cut, label_noise.LISTED = label_noise.LISTED, 0.0
    every = [s.id for s in label_noise.find(corpus.shards, corpus.locked, FIELD, SPEC).suspects]
    label_noise.LISTED = cut
    return Listed([i for i in every if not corpus.locked[i]], sum(not corpus.locked[i] for i in listed))


class Model(NamedTuple):
    """Rows as the peers see them."""

    ids: Any
    labels: Any
    grouped: Any
    """Out-of-fold probabilities, subjects kept together."""

    plain: Any
    """The same without keeping subjects together, one partition."""


def model(corpus: Corpus) -> Model:
    """Probabilities by the same features and classifier as ours."""
    read: Any = label_noise._read([list(corpus.rows)], corpus.locked, FIELD)  # noqa: SLF001
    names = label_noise._classes(zip(read.labels, read.subjects, read.locked, strict=True), SPEC.folds)  # noqa: SLF001
    rows = read.where(np.array([label in names for label in read.labels]) & ~read.locked)
    labels = np.array([names.index(label) for label in rows.labels])
    features: Any = label_noise._weighted((rows.words, rows.letters), ~rows.locked)  # noqa: SLF001
    plain = np.zeros((len(labels), len(names)))
    for rest, fold in StratifiedKFold(5, shuffle=True, random_state=0).split(features, labels):
        plain[fold] = label_noise._predicted(features[rest], labels[rest], features[fold], len(names))  # noqa: SLF001
    grouped = label_noise._out_of_fold(features, labels, rows.subjects, SPEC)  # noqa: SLF001
    return Model(rows.ids, labels, grouped, plain)


def random_order(made: Model, seed: int) -> list[str]:
    """Any; by a seed of its own, or it would repeat the draw of :func:`confused`."""
    return Random(f"random order {seed}").sample([str(id) for id in made.ids], len(made.ids))


def confidence(made: Model, probabilities: Any) -> list[str]:  # noqa: ANN401
    """The least sure of its own label first."""
    own = probabilities[np.arange(len(made.labels)), made.labels]
    return [str(id) for id in made.ids[np.argsort(own, kind="stable")]]


def cleanlab_lists(made: Model, probabilities: Any, **how: str) -> list[str]:  # noqa: ANN401
    """What cleanlab would have reviewed, worst first."""
    found = find_label_issues(made.labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1, **how)
    return [str(id) for id in made.ids[found]]


class Score(NamedTuple):
    """Of one way on one corpus."""

    listed: float
    precision: float
    recall: float
    at_k: float


def score(order: Sequence[str], length: int, wrong: set[str]) -> Score:
    """Precision and recall of the first ``length``, and precision of the first k."""
    hits = len(wrong.intersection(order[:length]))
    k = len(wrong)
    at_k = len(wrong.intersection(order[:k])) / k if k else 0.0
    return Score(length, hits / length if length else 0.0, hits / k if k else 0.0, at_k)


def ways(corpus: Corpus, seed: int) -> dict[str, Score]:
    """Everyone's score."""
    mine, made = ours(corpus), model(corpus)
    alone = {
        "cleanlab alone, plain folds": cleanlab_lists(made, made.plain),
        "cleanlab alone, our probabilities": cleanlab_lists(made, made.grouped),
        "cleanlab alone, our probabilities, `both`": cleanlab_lists(made, made.grouped, filter_by="both"),
    }
    first = alone["cleanlab alone, plain folds"]
    rest = [id for id in confidence(made, made.plain) if id not in set(first)]
    orders = {
        "**ours**": mine.ids,
        "random": random_order(made, seed),
        "confidence": confidence(made, made.grouped),
        "cleanlab, plain folds": first + rest,
    }
    equal = {name: score(order, mine.length, corpus.wrong) for name, order in orders.items()}
    own = {name: score(ids, len(ids), corpus.wrong)._replace(at_k=float("nan")) for name, ids in alone.items()}
    return equal | own


def labels(seeds: Sequence[int]) -> None:
    """The table of label noise."""
    print("| wrong labels | way | listed | precision | recall | at k |\n|---|---|---:|---:|---:|---:|")
    kinds: tuple[tuple[str, Callable[[int, float], Corpus]], ...] = (("uniform", draw), ("pair", confused))
    for kind, make in kinds:
        for share in (0.05, 0.1):
            scores: defaultdict[str, list[Score]] = defaultdict(list)
            for seed in seeds:
                for name, found in ways(make(seed, share), seed).items():
                    scores[name].append(found)
            for name, found in scores.items():
                mean = Score(*(fmean(column) for column in zip(*found, strict=True)))
                at_k = "-" if np.isnan(mean.at_k) else f"{mean.at_k:.2f}"
                print(
                    f"| {share:.0%} {kind} | {name} | {mean.listed:.0f} | {mean.precision:.2f} | {mean.recall:.2f} | "
                    f"{at_k} |"
                )


def false_alarms(seeds: Sequence[int]) -> None:
    """Who is listed where every label is right."""
    print("\n| no wrong labels | ours, training | ours, evaluation | cleanlab, plain folds | `both` | CPU seconds |")
    print("|---|---:|---:|---:|---:|---:|")
    for seed in seeds:
        corpus = draw(seed, 0)
        started = time.process_time()
        listed = [s.id for s in label_noise.find(corpus.shards, corpus.locked, FIELD, SPEC).suspects]
        seconds = time.process_time() - started
        made = model(corpus)
        asked, learned = sum(corpus.locked.values()), len(made.ids)
        shares = (
            sum(not corpus.locked[id] for id in listed) / learned,
            sum(corpus.locked[id] for id in listed) / asked,
            len(cleanlab_lists(made, made.plain)) / learned,
            len(cleanlab_lists(made, made.grouped, filter_by="both")) / learned,
        )
        print(f"| seed {seed} | " + " | ".join(f"{value:.1%}" for value in shares) + f" | {seconds:.1f} |")


def odd_ones(seeds: Sequence[int]) -> None:
    """Outliers by planted kind, with the defaults of a recipe."""
    print("\n| outliers | planted | listed |\n|---|---:|---:|")
    planted: defaultdict[str, int] = defaultdict(int)
    listed: defaultdict[str, int] = defaultdict(int)
    for corpus in (draw(seed, 0.025) for seed in seeds):
        found = {s.id for s in outliers.find(corpus.shards, corpus.locked, OutliersSpec()).suspects}
        for row in corpus.rows:
            kind = corpus.flaws.get(row.id, "none")
            planted[kind] += 1
            listed[kind] += row.id in found
    for kind in sorted(planted, key=lambda kind: (-listed[kind] / planted[kind], kind)):
        print(f"| {kind} | {planted[kind]} | {listed[kind]} |")


def balanced(seeds: Sequence[int]) -> None:
    """Class sizes before and after, with a class made rare."""
    print("\n| balance, ratio 1.5 | largest | smallest | dropped | largest after |\n|---|---:|---:|---:|---:|")
    for seed in seeds:
        corpus = draw(seed, 0)
        names = {label_of(row, FIELD) for row in corpus.rows if corpus.locked[row.id]}
        rows = [row for row in corpus.rows if label_of(row, FIELD) in names]
        rare = [row for row in rows if label_of(row, FIELD) == "loyalty" and not corpus.locked[row.id]]
        rows = [row for row in rows if row not in rare[40:]]
        before = balance.counts([rows], corpus.locked, FIELD)
        gone = {d.id for d in balance.find([rows], corpus.locked, FIELD, BalanceSpec(max_ratio=1.5)).dropped}
        after = balance.counts([[row for row in rows if row.id not in gone]], corpus.locked, FIELD)
        figures = (max(before.values()), min(before.values()), len(gone), max(after.values()))
        print(f"| seed {seed} | " + " | ".join(map(str, figures)) + " |")


def scale(rows: int) -> None:
    """Time and memory of many rows: tickets again and again, a fifth of their words left out by chance.

    One in twenty gets a wrong label after it was copied: copies of a wrong label would vouch for one another.
    """
    corpus = draw(1, 0)
    names = sorted({label_of(row, FIELD) or "" for row in corpus.rows if corpus.locked[row.id]})
    base = [row for row in corpus.rows if not corpus.locked[row.id] and label_of(row, FIELD) in names]
    wrong = {f"{number:08}" for number in Random("wrong").sample(range(rows), rows // 20)}

    def shards() -> Iterator[list[Record]]:
        random = Random(0)
        for start in range(0, rows, 1000):
            numbers = range(start, min(start + 1000, rows))
            shard = [_thinned(base[number % len(base)], number, random) for number in numbers]
            yield [_relabelled(row, _others(row, names, random)) if row.id in wrong else row for row in shard]

    locked: dict[str, bool] = defaultdict(bool)
    for name, method in (
        ("label noise", lambda: label_noise.find(shards(), locked, FIELD, SPEC)),
        ("outliers", lambda: outliers.find(shards(), locked, OutliersSpec())),
    ):
        started = time.process_time()
        found = method()
        hits = len(wrong & {s.id for s in found.suspects})
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {rows:,} rows, {time.process_time() - started:.0f} CPU seconds, {len(found.suspects):,} listed, "
            f"{hits:,} of {len(wrong):,} wrong labels, peak memory {memory:,.0f} MiB"
        )


def _others(row: Record, names: Sequence[str], random: Random) -> dict[str, str]:
    own = str(label_of(row, FIELD))
    return {own: random.choice([name for name in names if name != own])}


def _thinned(row: Record, number: int, random: Random) -> Record:
    said = " ".join(word for word in row.prompt.split() if random.random() > 0.2)
    turn = replace(row.context[0], content=said)
    return replace(row, id=f"{number:08}", subject=f"s{number // 3}", context=(turn,))


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--scale", type=int, help="only measure time and memory of so many rows")
    given = parser.parse_args()
    if given.scale:
        scale(given.scale)
        return
    labels(given.seeds)
    false_alarms(given.seeds)
    odd_ones(given.seeds)
    balanced(given.seeds)


if __name__ == "__main__":
    main()
