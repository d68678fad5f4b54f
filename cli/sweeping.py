"""``assay sweep``: a recipe trained once for each combination of some settings, and which of them to run.

The data steps run once, each training is cached, and a run of the best finds it there. The test side is asked nothing.
"""

import json
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

import yaml

from assay.errors import RecipeError
from cli.running import followed, parse_settings
from cli.tables import columns

if TYPE_CHECKING:
    from assay.reporting.sweep import Content, Point


def sweep(recipe: str, grid: list[str], settings: list[str], *, as_json: bool) -> None:
    """Sweep a recipe, print each step as it ends, and then the points, best first."""
    started = time.monotonic()
    varied, changed = parse_grid(grid), parse_settings(settings)
    from tasks import points, sweeping, sweeps
    from tasks.inputs import open_recipe

    tried = points.open_grid(recipe, varied, changed)  # Before a server is started.
    open_recipe(recipe, changed)
    from flows.sweep_candidates import sweep_candidates

    out = sys.stderr if as_json else sys.stdout
    print(f"assay sweep {recipe}: {len(tried)} points", file=out)
    state = followed(sweep_candidates, (recipe, varied, changed), out)
    record = sweeps.find(str(state.state_details.flow_run_id))
    page = sweeping.lay_out(record)
    seconds = round(time.monotonic() - started, 1)
    content = sweeping.compared(record)
    tell(content, out)
    print(f"page      {page}\nsweep     {record['run'][:8]}: `assay show {record['run'][:8]}`", file=out)
    print(f"time      {seconds:.1f} s", file=out)
    if as_json:
        print(json.dumps(line(content) | {"run": record["run"], "page": str(page), "wall_seconds": seconds}))


def parse_grid(grid: list[str]) -> dict[str, list[object]]:
    """``KEY=VALUE,VALUE`` as values by key, each as YAML."""
    varied: dict[str, list[object]] = {}
    for given in grid:
        key, sign, values = given.partition("=")
        if not sign or not key or key in varied:
            raise RecipeError(
                f"--grid: found {given!r}; expected KEY=VALUE,VALUE, each key once, such as training.rank=8,16."
            )
        try:
            varied[key] = yaml.safe_load(f"[{values}]")
        except (yaml.YAMLError, ValueError):
            raise RecipeError(
                f"--grid {key}: the values are no YAML; expected some with commas between, such as {key}=8,16."
            ) from None
    return varied


def tell(content: "Content", out: TextIO) -> None:
    """Print every point, best first, and what runs the best."""
    from assay.reporting.sweep import headline, told

    head = ("SETTINGS", "STEP", "HELD-OUT LOSS", "GAP", "TOKENS", "SECONDS", "DEVICE HOURS")
    rows = [head, *(_row(point, told(point.settings)) for point in content.ranked)]
    if content.metric != "held_out_loss":
        values = [content.metric.upper(), *(_number(point.value) for point in content.ranked)]
        rows = [(row[0], value, *row[1:]) for row, value in zip(rows, values, strict=True)]
    print(file=out)
    print(columns(rows), file=out)
    for point in content.ranked:
        if point.failed:
            print(f"\nfailed    {told(point.settings)}: {point.failed}", file=out)
    print(f"\nbest      {content.best}: {headline(content)}", file=out)
    print("          chosen on the validation side; the test side was not asked", file=out)
    print(f"run it    {content.command}", file=out)


def _row(point: "Point", name: str) -> tuple[str, ...]:
    if point.failed:
        return (name, "failed", *("-" for _ in range(5)))
    return (
        name,
        f"{point.chosen_step} of {point.steps}",
        _number(point.held_out_loss),
        _number(point.gap),
        f"{point.tokens:,}",
        f"{point.seconds:.1f}",
        f"{point.device_hours:.3f}",
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def line(content: "Content") -> dict[str, Any]:
    """A sweep for a machine."""
    ranking = content.ranking
    return {
        "metric": content.metric,
        "best": content.winner.settings,
        "lead": ranking.lead,
        "spread": ranking.spread,
        "command": content.command,
        "points": [_as_json(point) for point in content.ranked],
    }


def _as_json(point: "Point") -> dict[str, Any]:
    return {**point.model_dump(mode="json", exclude={"held_out_losses"}), "gap": point.gap}
