"""Measure what twelve checks cost: a gate over shards, Great Expectations alone, and polars by hand.

    python -m bench.measure_validation 10000 100000 1000000
    python -m bench.measure_validation 1000000 --only ours --repeats 1

The records are made here: 316 characters of text, twelve columns of which the checks read ten, and 0.1 % or 10 % of
rows that break one check each. A gate reads them as shards of records; the others read the same as one flat Parquet
file, which is less work. *gx* is Great Expectations as its documentation has it: the whole set in a pandas frame, an
ephemeral context, a suite, the default result format (SUMMARY, which lists no row); *gx, boolean* says only whether
each check holds. *polars* is written for these checks, and is the floor.

All must find what was planted, or there is no table. Each measurement has a process of its own, which judges a hundred
rows first so that no import is counted, and includes reading the Parquet. *Before* is the process's memory then, and
*peak* the most that it ever took. Wall times mean little on a busy machine. Figures are medians.
"""

import argparse
import gc
import itertools
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from assay.records import Record

Row = dict[str, str | None]
Counts = dict[str, int]

LETTERS = 316
SHARDS = {"shards": 20_000, "small shards": 200}
"""Folder → rows a shard."""

TEXT = """
a about account after again and answer arrived asked back before boiler box broken but button called cannot card
change charged cracked customer date day delivery door email for from gate glass hall heater help hour I in invoice is
it kettle lamp last late lid lost map mirror missing money month my neighbour never new no not of on once order over
paid parcel part pipe please price promised receipt refund return screw second sent should still strap summer switch
that the then there this three timer to today torn twice two valve wait was week when where which why wire with
without wrong you
"""
WORDS = TEXT.split()
FORMS = {
    "subject": "^[0-9a-f]{16}$",
    "address": r"[\w.+-]+@[\w-]+\.[a-z]{2,}",
    "created": "%Y-%m-%dT%H:%M:%SZ",
}
LICENCES, CONSENTS, CHANNELS = ["cleared"], ["yes"], ["email", "phone", "web"]
INTENTS, PRIORITIES, REFUSED = ["refund", "cancel", "login", "invoice"], ["low", "normal", "high"], ["scraped"]
SCHEMA: dict[str, object] = {
    "type": "object",
    "required": ["intent", "priority", "order_id"],
    "properties": {
        "intent": {"enum": INTENTS},
        "priority": {"enum": PRIORITIES},
        "order_id": {"type": ["string", "null"], "pattern": "^\\[ORDER_ID_[0-9]+\\]$"},
    },
}


class Check(NamedTuple):
    """One of the twelve, by the name that a suite gives it."""

    expect: str
    column: str | None = None
    parameters: Mapping[str, Any] = MappingProxyType({})


CHECKS = {
    "rows": Check("table_row_count_to_be_between", None, {"min_value": 50}),
    "unique": Check("column_values_to_be_unique", "id"),
    "subject": Check("column_values_to_match_regex", "subject", {"regex": FORMS["subject"]}),
    "source": Check("column_values_to_not_be_in_set", "source", {"value_set": REFUSED}),
    "length": Check("column_value_lengths_to_be_between", "prompt", {"min_value": 3, "max_value": 6000}),
    "address": Check("column_values_to_not_match_regex", "prompt", {"regex": FORMS["address"]}),
    "schema": Check("column_values_to_satisfy_json_schema", "completion", {"schema": "output"}),
    "licence": Check("column_values_to_be_in_set", "licence", {"value_set": LICENCES}),
    "consent": Check("column_values_to_be_in_set", "consent", {"value_set": CONSENTS}),
    "created": Check("column_values_to_match_strftime_format", "created", {"strftime_format": FORMS["created"]}),
    "channel": Check("column_values_to_be_in_set", "channel", {"value_set": CHANNELS}),
    "product": Check("column_values_to_not_be_null", "product"),
}
FLAWS: dict[str, Row] = {
    "unique": {},
    "subject": {"subject": "nobody"},
    "source": {"source": "scraped"},
    "length": {"prompt": ""},
    "address": {"prompt": "please write to nobody.at.all@box.example instead"},
    "schema": {"completion": '{"intent": "refund", "priority": "at once"'},
    "licence": {"licence": "unknown"},
    "consent": {"consent": "no"},
    "created": {"created": "2026-02-31T10:00:00Z"},
    "channel": {"channel": "pigeon"},
    "product": {"product": None},
}
"""Check → what makes a row break it and no other; a row that is not unique has the id of the row before it."""


def rows(count: int, flawed: float) -> Iterator[tuple[Row, str]]:
    """So many rows, the same on every machine, and the check that each breaks, or nothing."""
    drawn, flaws = random.Random(f"{count} rows"), 0
    before = ""
    for number in range(count):
        row, breaks = sound(number, drawn), ""
        if before and drawn.random() < flawed:
            breaks = list(FLAWS)[flaws % len(FLAWS)]
            flaws += 1
            row |= {"id": before} if breaks == "unique" else FLAWS[breaks]
        before = str(row["id"])
        yield row, breaks


def sound(number: int, drawn: random.Random) -> Row:
    """A row that breaks nothing."""
    order = f"[ORDER_ID_{drawn.randrange(9)}]" if drawn.random() < 0.5 else None
    answer = {"intent": drawn.choice(INTENTS), "priority": drawn.choice(PRIORITIES), "order_id": order}
    day, second = divmod(number * 37 % (28 * 86_400), 86_400)
    return {
        "id": f"t-{number:08}",
        "subject": f"{drawn.randrange(5_000):016x}",
        "source": "tickets",
        "prompt": " ".join(drawn.choices(WORDS, k=80))[:LETTERS],
        "completion": json.dumps(answer),
        "licence": "cleared",
        "consent": "yes",
        "created": f"2026-01-{day + 1:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z",
        "channel": drawn.choice(CHANNELS),
        "product": drawn.choice(["kettle", "lamp", "mirror"]),
        "language": "en",
        "region": drawn.choice(["eu", "uk"]),
    }


def record(row: Row) -> "Record":
    """The record that says the same."""
    from assay.records import Record, Turn

    said = dict(row)
    return Record(
        id=said.pop("id") or "",
        subject=said.pop("subject") or "",
        bucket=0,
        source=said.pop("source") or "",
        context=(Turn("user", said.pop("prompt") or ""),),
        completion=said.pop("completion") or "",
        attributes={name: cell for name, cell in said.items() if cell is not None},
    )


def write(folder: Path, count: int, flawed: float) -> Counts:
    """Write the set as shards of both sizes and as one flat file; how many rows each check must find."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from assay.records import to_parquet

    planted, tables, batch = Counter[str](), [], []
    for name in SHARDS:
        (folder / name).mkdir(parents=True)
    for number, (row, breaks) in enumerate(rows(count, flawed), start=1):
        planted[breaks] += 2 if breaks == "unique" else 1
        batch.append(row)
        if number % SHARDS["shards"] == 0 or number == count:
            tables.append(pa.Table.from_pylist(batch))
            for name, size in SHARDS.items():
                for start in range(0, len(batch), size):
                    shard = to_parquet(map(record, batch[start : start + size]))
                    (folder / name / f"{number - len(batch) + start:010}.parquet").write_bytes(shard)
            batch = []
    pq.write_table(pa.concat_tables(tables), folder / "flat.parquet", compression="zstd")
    return {check: planted[check] for check in CHECKS}


def ours(folder: Path) -> Counts:
    """The gate, over shards."""
    from expectations import frames, gate, suite

    checks = [
        {
            "id": id,
            "expect": check.expect,
            "why": "It is measured.",
            "on_fail": "quarantine" if check.column else "stop",
        }
        | ({"column": check.column} if check.column else {})
        | ({"parameters": dict(check.parameters)} if check.parameters else {})
        for id, check in CHECKS.items()
    ]
    document = {"suite": "measured", "version": 1, "owner": "nobody", "max_quarantine": "100%", "checks": checks}
    loaded = suite.load(json.dumps(document).encode(), "measured")
    from tasks.shards import together

    files = ((path.read_bytes(), None) for path in sorted(folder.iterdir()))
    shards = (frames.of_records(parts, "intent", columns=loaded.columns) for parts, _ in together(files))
    found = gate.check(shards, loaded, {"output": SCHEMA})
    return {finding.id: -1 if finding.could_not_run else finding.failed for finding in found.findings}


def alone(folder: Path, result_format: str) -> Counts:
    """Great Expectations as its documentation has it; without a count, 1 is a check that does not hold."""
    import pandas as pd

    from expectations.engine import quiet

    with quiet():
        import great_expectations as gx
    frame: pd.DataFrame = pd.read_parquet(folder / "flat.parquet")
    context = gx.get_context(mode="ephemeral")
    batch = (
        context.data_sources.add_pandas("pandas").add_dataframe_asset("set").add_batch_definition_whole_dataframe("all")
    )
    suite = context.suites.add(gx.ExpectationSuite("measured", expectations=expectations()))
    validation = context.validation_definitions.add(gx.ValidationDefinition(name="all", data=batch, suite=suite))
    outcome = validation.run(batch_parameters={"dataframe": frame}, result_format=result_format)
    return {
        result.expectation_config.meta["id"]: result.result.get("unexpected_count", int(not result.success))
        if not result.exception_info.get("raised_exception")
        else -1
        for result in outcome.results
    }


def expectations() -> list[Any]:
    """The twelve as classes of Great Expectations; of ours where it has none, so that both do the same work."""
    from great_expectations import expectations as theirs

    from expectations.customs import RULES, engines

    found = []
    for id, check in CHECKS.items():
        name = "Expect" + check.expect.title().replace("_", "")
        given = {"schema_text": json.dumps(SCHEMA)} if "schema" in check.parameters else dict(check.parameters)
        given |= {"column": check.column} if check.column else {}
        found.append((engines()[name] if name in RULES else getattr(theirs, name))(**given, meta={"id": id}))
    return found


def by_hand(folder: Path) -> Counts:
    """What somebody who knows the checks would write."""
    import polars as pl

    from expectations.cells import satisfies

    column = pl.col
    breaks = {
        "unique": column("id").is_duplicated(),
        "subject": ~column("subject").str.contains(FORMS["subject"]),
        "source": column("source").is_in(REFUSED),
        "length": ~column("prompt").str.len_chars().is_between(3, 6000),
        "address": column("prompt").str.contains(FORMS["address"]),
        "licence": ~column("licence").is_in(LICENCES),
        "consent": ~column("consent").is_in(CONSENTS),
        "created": column("created").str.to_datetime(FORMS["created"], strict=False).is_null(),
        "channel": ~column("channel").is_in(CHANNELS),
        "product": column("product").is_null(),
    }
    flat = pl.scan_parquet(folder / "flat.parquet")
    counted, answers = pl.collect_all(
        [flat.select(pl.len(), **{id: broken.sum() for id, broken in breaks.items()}),
         flat.group_by("completion").agg(pl.len())]
    )  # fmt: skip
    schema = json.dumps(SCHEMA)
    failed = 0
    for text, count in answers.iter_rows():
        try:
            failed += 0 if satisfies(text, schema) else count
        except ValueError:
            failed += count
    found = counted.row(0, named=True)
    return {"rows": int(found.pop("len") < 50), "schema": failed, **found}


METHODS: dict[str, Callable[[Path], Counts]] = {
    "ours": lambda folder: ours(folder / "shards"),
    "ours, 200 rows a shard": lambda folder: ours(folder / "small shards"),
    "gx": lambda folder: alone(folder, "SUMMARY"),
    "gx, boolean": lambda folder: alone(folder, "BOOLEAN_ONLY"),
    "polars": by_hand,
}


def measure(name: str, folder: Path) -> dict[str, Any]:
    """One measurement, in this process."""
    METHODS[name](folder / "small set")
    gc.collect()  # What importing left is not charged to whoever comes next.
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    cpu, wall = time.process_time(), time.perf_counter()
    counts = METHODS[name](folder)
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "before": before / 2**20,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
        "counts": counts,
    }


def apart(*arguments: str) -> Any:  # noqa: ANN401
    """What a process of its own says. It starts from this one, which must stay small: memory's peak is inherited."""
    command = [sys.executable, "-m", "bench.measure_validation", "0", "--worker", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def agree(name: str, found: Counts, planted: Counts) -> None:
    """Raise unless a method found what was planted."""
    told = {check: int(count > 0) for check, count in planted.items()} if name == "gx, boolean" else planted
    if found != told:
        raise SystemExit(f"{name} found {found}; expected {told}")


Measured = tuple[int, float, str]
"""Rows, share of them that is flawed, method."""


def table(options: argparse.Namespace) -> dict[Measured, float]:
    """Print a line for each measured; by how many MiB its process grew."""
    print("| rows | flawed | method | CPU-s | wall s | before, MiB | peak, MiB | growth, MiB |\n" + "|---" * 8 + "|")
    grown: dict[Measured, float] = {}
    for count, flawed in itertools.product(options.rows, options.flawed):
        for name, run in medians(count, flawed, options).items():
            grown[count, flawed, name] = growth = run["peak"] - run["before"]
            seconds = f"{run['cpu']:.2f} | {run['wall']:.2f}"
            memory = f"{run['before']:,.0f} | {run['peak']:,.0f} | {growth:,.0f}"
            print(f"| {count:,} | {100 * flawed:g} % | {name} | {seconds} | {memory} |", flush=True)
    return grown


def medians(count: int, flawed: float, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """What each method took for one set; they take turns, so that a busy minute hits all."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in METHODS if name.startswith(options.only)}
    with tempfile.TemporaryDirectory() as folder:
        planted = apart("write", folder, str(count), str(flawed))
        for name in [*runs] * options.repeats:
            runs[name].append(apart("measure", folder, name))
            agree(name, runs[name][-1].pop("counts"), planted)
    return {name: {key: statistics.median(run[key] for run in some) for key in some[0]} for name, some in runs.items()}


def main() -> int:
    """Print a Markdown table, then how memory grew with the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument(
        "--flawed", type=float, nargs="+", default=[0.001, 0.1], help="shares of rows that break a check"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="methods whose name starts so")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(*options.worker)))
        return 0
    grown = table(options)
    least, most = min(options.rows), max(options.rows)
    print()
    for count, flawed, name in grown:
        if count == most > least:
            more = grown[most, flawed, name] - grown[least, flawed, name]
            each = f"{more * 2**20 / (most - least):,.0f} bytes a row"
            print(f"- {name}, {100 * flawed:g} % flawed: {more:+,.0f} MiB from {least:,} to {most:,} rows, {each}")
    return 0


def work(what: str, folder: str, *given: str) -> object:
    """What the processes apart do."""
    if what == "measure":
        return measure(given[0], Path(folder))
    write(Path(folder) / "small set", 100, 0.1)
    return write(Path(folder), int(given[0]), float(given[1]))


if __name__ == "__main__":
    sys.exit(main())
