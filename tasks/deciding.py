"""Deciding: whether to fine-tune, prompt or retrieve, from ways that answered one locked set to a page that says so.

A decision is filed in the ledger ``decisions`` however it ended, and its page lies at
``ASSAY_HOME/reports/decisions/RUN.html``, with Markdown and JSON beside it.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect import Flow, runtime
from prefect.client.schemas.objects import FlowRun, State

from assay import grids
from assay.artifacts import Artifact, Dataset, Trained
from assay.evaluation import learning_curve, recommending
from assay.evaluation.comparison import intervals
from assay.reporting import advice, charts, claims, cost, curves, forest, pages, scatter, wording
from assay.reporting import approaches as reporting
from assay.reporting import training as recorded
from assay.trials import ApproachesSpec, GateSpec
from tasks import endings, ledgers, shards, weighing
from tasks.approaches import Way, share
from tasks.pages import lay_out_index
from tasks.places import place_page, store
from tasks.publishing import harmless, link
from tasks.steps import step

VERSION = 1  # Raise on any change here that could change a decision: it is part of its key.

LEDGER = "decisions"
PAGE = (reporting, pages, scatter, forest, curves, cost, wording, charts, claims)
"""What the page is set with, and what that leans on."""


@step(
    "tasks.deciding", "tasks.weighing", recommending, learning_curve, intervals, *PAGE,
    libraries=("numpy", "scipy", "statsmodels"),
)  # fmt: skip
def weigh(
    about: dict[str, str],
    command: str,
    settings: dict[str, Any],
    ways: list[Way],
    answered: dict[str, Artifact],
    timed: Artifact,
    trained: dict[str, Trained],
    train: Dataset,
    tried: ApproachesSpec,
    gate: GateSpec,
    price: dict[str, Any] | None,
) -> Artifact:
    """Put all that was answered and timed beside one another, and recommend.

    ``trained`` is by share of the training records. The price is a plain value: as a spec it would be in no key.
    """
    panel = weighing.Panel(ways, answered, timed)
    records = {name: _record(each) for name, each in trained.items()}
    metric, confidence = gate.target, gate.confidence
    found = weighing.curve(panel, records, tried, metric, confidence)
    seconds = weighing.device_seconds(records[share(1)])
    arms = tuple(panel.arm(way, metric, confidence) for way in ways)
    terms = weighing.terms(tried, metric, confidence, gate.min_format_adherence, seconds, found)
    content = reporting.Content(
        name=about["name"],
        owner=about["owner"],
        metric=metric,
        records=len(panel.subjects),
        subjects=len(set(panel.subjects)),
        locked=panel.locked,
        training_records=shards.count(train),
        shots=tried.shots,
        retrieved=tried.retrieved,
        margin=tried.margin,
        confidence=confidence,
        min_format_adherence=gate.min_format_adherence,
        volume=tried.volume,
        arms=arms,
        recommendation=reporting.Recommendation.model_validate(weighing.recommendation(panel, arms, terms, metric)),
        curve=found,
        training_hours=seconds / 3600,
        price=cost.Price.model_validate(price) if price else None,
        settings=settings,
        is_bound=all(way.constrained for way in ways),
        environment=panel.environment,
        has_own_prompt=tried.system is not None,
        command=command,
    )
    return store().put("decision", content.model_dump_json(indent=1).encode())


@step("tasks.deciding", *PAGE, libraries=("jinja2",))
def report_decision(weighed: Artifact) -> Artifact:
    """Set a decision as one page."""
    return store().put("decision-page", reporting.page(read(weighed)))


def read(weighed: Artifact) -> reporting.Content:
    """What a decision says."""
    return reporting.Content.model_validate_json(store().get(weighed))


def command(recipe: str, settings: Mapping[str, object] | None) -> str:
    """What decides this again."""
    return f"assay decide {shlex.quote(recipe)}{grids.arguments(settings or {})}"


def publish_decision(recipe: str, settings: Mapping[str, object] | None, weighed: Artifact, page: Artifact) -> Artifact:
    """File a decision, lay out its page, and link that from the run."""
    run, told = str(runtime.flow_run.id), read(weighed)
    record = ledgers.begun(run, recipe, settings) | {
        "advice": told.recommendation.advice,
        "arm": told.recommendation.arm,
        "sentence": told.recommendation.sentence,
        "locked": told.locked,
        "ways": len(told.compared),
        "weighed": weighed.digest,
        "page": f"decisions/{run[:12]}.html",
        "page_digest": page.digest,
    }
    ledgers.file(LEDGER, record)
    with harmless():
        link("decision", lay_out(record), f"{len(told.compared)} ways of {told.name}, compared")
        lay_out_index()
    return weighed


def stopped(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a comparison that came to no decision, and why."""
    given = flow_run.parameters
    record = ledgers.begun(str(flow_run.id), given["recipe"], given.get("settings"))
    endings.looked(flow, flow_run, state)
    ledgers.file(LEDGER, record | {"error": ledgers.reason(state)})
    with harmless():
        lay_out_index()


def weighed(record: Mapping[str, Any]) -> reporting.Content:
    """What was decided, from its record."""
    return read(Artifact(kind="decision", digest=record["weighed"]))


def summaries(record: Mapping[str, Any]) -> dict[str, bytes]:
    """What was decided, for a pull request and for a machine, by the ending of its file."""
    return advice.summaries(weighed(record))


def lay_out(record: Mapping[str, Any]) -> Path:
    """Lay out the page of a decision, with Markdown and JSON beside it."""
    for ending, data in summaries(record).items():
        place_page(str(Path(record["page"]).with_suffix(f".{ending}")), data)
    return place_page(record["page"], store().get(Artifact(kind="decision-page", digest=record["page_digest"])))


def build() -> None:
    """Lay the pages of all decisions out anew, as far as there is one and the store still holds it."""
    for record in ledgers.every(LEDGER):
        if "page" not in record:
            continue
        filed = (("decision-page", record["page_digest"]), ("decision", record["weighed"]))
        if all(store().holds(Artifact(kind=kind, digest=digest)) for kind, digest in filed):
            lay_out(record)


def _record(trained: Trained) -> recorded.Training:
    return recorded.Training.model_validate_json(store().get(trained.record))
