"""``assay decide``: whether to fine-tune, prompt or retrieve, from ways that answer one locked set of test records.

The data steps and the training are those of ``assay run``, so after a run they come from the cache.
"""

import json
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from cli.running import followed, parse_settings
from cli.tables import columns

if TYPE_CHECKING:
    from assay.reporting.approaches import Arm, Content, Rate


def decide(recipe: str, settings: list[str], *, as_json: bool) -> None:
    """Compare the ways of a recipe, print each step as it ends, and then the ways and what is advised."""
    started = time.monotonic()
    changed = parse_settings(settings)
    from assay.reporting import advice
    from tasks import approaches, deciding, ledgers
    from tasks.inputs import open_recipe

    spec = open_recipe(recipe, changed).spec  # Whatever is wrong with the recipe is said before a server is started.
    found = approaches.ways(approaches.wanted(spec), bound=spec.evaluation.constrained)
    from flows.compare_approaches import compare_approaches

    out = sys.stderr if as_json else sys.stdout
    print(f"assay decide {recipe}: {len(found)} ways", file=out)
    state = followed(compare_approaches, (recipe, changed), out)
    record = ledgers.find(deciding.LEDGER, str(state.state_details.flow_run_id))
    page = deciding.lay_out(record)
    seconds = round(time.monotonic() - started, 1)
    content = deciding.weighed(record)
    tell(content, out)
    print(f"page      {page}\ndecision  {record['run'][:8]}: `assay show {record['run'][:8]}`", file=out)
    print(f"time      {seconds:.1f} s", file=out)
    if as_json:
        print(json.dumps(advice.machine(content) | {"run": record["run"], "page": str(page), "wall_seconds": seconds}))


def show(record: dict[str, Any]) -> None:
    """Print what a decision came to, as the command itself printed it."""
    print(f"decision  {record['run']}\nended     {record['ended']}\nrecipe    {record['recipe']}")
    if "weighed" not in record:
        print(f"failed    {record['error']}")
        return
    from tasks import deciding

    tell(deciding.weighed(record), sys.stdout)
    print(f"page      {deciding.lay_out(record)}")


def row(record: dict[str, Any]) -> tuple[str, ...]:
    """A decision in the list of all that was done: id, end, recipe, ways, advice."""
    told = "failed" if "error" in record else f"{record['advice'].replace('_', ' ')}: {record['arm'] or '-'}"
    return record["run"][:8], str(record["ended"])[:19], str(record["recipe"]), str(record.get("ways", "-")), told


def tell(content: "Content", out: TextIO) -> None:
    """Print every way, then what is advised, why, and what would change it."""
    head = ("WAY", content.metric.upper(), "FORMAT", "OVER ZERO-SHOT", "PROMPT", "P50", "P95", "1000 REQUESTS")
    print(f"\n{columns([head, *(_row(content, arm) for arm in content.arms)])}", file=out)
    told = content.recommendation
    print(f"\nadvice    {told.sentence}", file=out)
    for place, said in enumerate(told.evidence):
        print(f"{'' if place else 'because':<10}{said}", file=out)
    for place, said in enumerate(told.would_change):
        print(f"{'' if place else 'change':<10}{said}", file=out)
    if content.curve:
        print(f"examples  {content.curve.sentence}", file=out)
    print(f"asked     {content.records} test records, locked as {content.locked[:12]}", file=out)


def _row(content: "Content", arm: "Arm") -> tuple[str, ...]:
    over, speed, amount = arm.over_first, arm.speed, content.amount(arm)
    price = f"{amount:.2g} {content.price.currency}" if content.price and amount is not None else "-"
    return (
        arm.name,
        _share(arm.target),
        _share(arm.format_adherence),
        f"{100 * over.mean:+.1f} ({100 * over.lower:+.1f} to {100 * over.upper:+.1f})" if over else "-",
        f"{arm.prompt_tokens:.0f}",
        f"{speed.p50_ms:.0f} ms" if speed else "-",
        f"{speed.p95_ms:.0f} ms" if speed else "-",
        price,
    )


def _share(rate: "Rate") -> str:
    return f"{100 * rate.value:.1f} % ({100 * rate.lower:.1f} to {100 * rate.upper:.1f})"
