"""``assay compare``: any two registered versions held against one another under a gate."""

import argparse
import json
import sys
import time
from typing import Any, TextIO

ABOUT = """\
Hold version B against version A, as a run holds its candidate against its base.

A and B are versions by number, by where they stand (production, staging, candidate), or by the beginning of the id of
the run that made them. If both have answered the same question before, by the digest of all that was asked, those
answers are compared; if not, both are asked anew by B's recipe. With --recipe, or --set of anything but the gate and
the price, both are always asked anew, by that recipe. The gate is that recipe's.
The page lies below reports/comparisons in ASSAY_HOME, with Markdown and JSON beside it.
"""


def add(commands: Any) -> argparse.ArgumentParser:  # noqa: ANN401  # argparse names no public type
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="hold one registered version against another; exit status as of run",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", metavar="A", help="the baseline: a number, a stage, `candidate`, or a run")
    parser.add_argument("second", metavar="B", help="the one that may take its place")
    parser.add_argument("--model", help="registered name; may be left out if there is only one")
    parser.add_argument("--recipe", metavar="RECIPE", help="ask both by this recipe; default: B's own")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings",
        help="change one value of the recipe by its dotted path, such as gate.min_gain=0; may be repeated",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one line of JSON on standard output, last")
    return parser


def compare(chosen: argparse.Namespace) -> str:
    """Compare two versions, print what was found, and return the verdict."""
    from cli.running import followed, parse_settings
    from tasks import contestants

    started = time.monotonic()
    changed = parse_settings(chosen.settings)

    contestants.both(chosen.first, chosen.second, chosen.model)  # Before a server is started.
    from flows.compare_versions import compare_versions
    from tasks import comparing, ledgers

    out = sys.stderr if chosen.json else sys.stdout
    print(f"assay compare {chosen.first} {chosen.second}", file=out)
    given = (chosen.first, chosen.second, chosen.model, chosen.recipe, changed)
    state = followed(compare_versions, given, out)
    record = ledgers.find(comparing.LEDGER, str(state.state_details.flow_run_id))
    page = comparing.lay_out(record)
    seconds = round(time.monotonic() - started, 1)
    tell(record, out)
    print(f"page      {page}\ntime      {seconds:.1f} s", file=out)
    if chosen.json:
        print(json.dumps(line(record) | {"page": str(page), "wall_seconds": seconds}))
    return str(record["verdict"])


def show(record: dict[str, Any]) -> None:
    """Print what two versions showed beside one another, as the comparison itself printed that."""
    from tasks import comparing

    print(f"compared  {record['run']}\nended     {record['ended']}\nrecipe    {record['recipe'] or '-'}")
    if "error" in record:
        print(f"before    {record['first']}\nafter     {record['second']}\nfailed    {record['error']}")
        return
    tell(record, sys.stdout)
    print(f"page      {comparing.lay_out(record)}")


def row(record: dict[str, Any]) -> tuple[str, ...]:
    """A comparison in the list of all that was done: id, end, both versions, verdict."""
    began = record["run"][:8], str(record["ended"])[:19]
    if "error" in record:
        return *began, str(record["first"]), str(record["second"]), "failed"
    return *began, *(record[side]["name"] for side in ("before", "after")), str(record["verdict"])


def tell(record: dict[str, Any], out: TextIO) -> None:
    """Print what was compared, both models' numbers, and the gate's word."""
    from cli.tables import before_and_after, verdict

    print(f"\nbefore    {record['before']['name']}\nafter     {record['after']['name']}", file=out)
    print(f"asked     {record['asked']}\n", file=out)
    print(before_and_after(record["metrics"]["baseline"], record["metrics"]["candidate"]), file=out)
    print(f"\n{verdict(record)}", file=out)


def line(record: dict[str, Any]) -> dict[str, Any]:
    """A comparison for a machine."""
    names = ("run", "before", "after", "verdict", "reasons", "criteria", "metrics")
    return {name: record[name] for name in names}
