"""Comparing: two registered versions held against one another under a gate, and a page that says so.

The page lies at ``ASSAY_HOME/reports/comparisons/MODEL-A-MODEL-B-VERDICT.html``, with Markdown and JSON beside it; the
record is filed in the ledger ``comparisons``, however it ended. Nothing is trained, registered or promoted here.
"""

import datetime as dt
from pathlib import Path
from typing import Any

from prefect import Flow, runtime
from prefect.client.schemas.objects import FlowRun, State

from assay.artifacts import Artifact, Dataset, Evaluated, Timed, digest_of
from assay.evaluation.comparison import intervals
from assay.evaluations import Verdict
from assay.leakage import LeakAudit
from assay.reporting import asked, cost, curves, excerpts, gathering, hard, reliability, serving, wording
from assay.reporting.content import Content, Versions
from tasks import endings, ledgers, shards, telling
from tasks.contestants import Judge, Pair, Version
from tasks.inputs import Inputs
from tasks.judging import arm
from tasks.pages import lay_out_index
from tasks.places import place_page, store
from tasks.publishing import harmless, link
from tasks.steps import step
from tasks.timing import time_requests

VERSION = 1  # Raise on any change here that could change a page: it is part of its key.

LEDGER = "comparisons"

ON_FILE = "Both had answered the same question before, by the digest of all that was asked; those answers are compared."
ASKED = "Both were asked the {records:,} test records of recipe {name} and all else that it asks, in the same way."
DIFFERS = "Judged by the recipe as it is now, which differs from that of {version}."


@step(
    "tasks.comparing", excerpts, gathering, asked, reliability, serving, cost, curves, hard, intervals, wording,
)  # fmt: skip
def contrast(
    names: dict[str, str],
    card: dict[str, Any],
    test: Dataset,
    baseline: Evaluated,
    candidate: Evaluated,
    verdict: Artifact,
    timed: Timed | None = None,
    leaks: Artifact | None = None,
) -> Artifact:
    """File all that a page says of two versions.

    Args:
        names: ``before``, ``after``, and ``asked``: how both came to be asked the same.
        card: The recipe whose gate judged.
        test: Records that both were asked.
        baseline: What the first answered.
        candidate: What the second did.
        verdict: The gate's word on it.
        timed: How long the same requests took both.
        leaks: What the audit of the second's own run found, if it is on file.
    """
    told = Verdict.model_validate_json(store().get(verdict))
    before = arm(baseline, timed.baseline if timed else None)
    after = arm(candidate, timed.candidate if timed else None)
    prompts = _prompts(test, {*told.wins, *told.losses})
    target = told.criterion("target").metric
    content = Content(
        recipe=card,
        verdict=told,
        versions=Versions.model_validate(names),
        **excerpts.changes(before, after, target, told.confidence, intervals.difference),
        asked=telling.beside(before, after, told, card.get("evaluation", {}).get("metrics", {})),
        leaks=LeakAudit.model_validate_json(store().get(leaks)) if leaks else None,
        wins=excerpts.examples(told.wins, prompts, before.answers, after.answers, won=True),
        losses=excerpts.examples(told.losses, prompts, before.answers, after.answers, won=False),
        identity={
            "recipe": digest_of(card),
            "test records": digest_of([shard.digest for shard in test.shards]),
            f"{names['before']} as asked": told.baseline,
            f"{names['after']} as asked": told.candidate,
            "verdict": verdict.digest,
        },
        environment=after.evaluation.environment,
    )
    return telling.file(content)


def named(first: Version, second: Version, asked: Pair, judge: Judge) -> dict[str, str]:
    """What a page calls two versions, and how both came to be asked the same."""
    spec = judge.given.spec
    how = ASKED.format(records=shards.count(asked.test), name=spec.name) if asked.is_anew else ON_FILE
    changed = f" {DIFFERS.format(version=second.name)}" if judge.differs else ""
    return {"before": first.name, "after": second.name, "asked": how + changed}


def timed_in_turn(before: Version, after: Version, test: Dataset, given: Inputs) -> Timed | None:
    """How long requests of both took, in turn; nothing if the records that were asked are in the store no more."""
    if not all(store().holds(shard) for shard in test.shards):
        return None
    spec = given.spec
    how = (given.questions.schema_, spec.base.dtype, spec.prompt, spec.evaluation, given.questions.releases)
    timed: Timed = time_requests(after.base, after.adapter, test, *how, before.adapter, before.base)
    return timed


def publish_comparison(first: Version, second: Version, content: Artifact, page: Artifact) -> Artifact:
    """File a comparison, lay out its page, and link that from the run."""
    run, told = str(runtime.flow_run.id), telling.read(content)
    ending = f"{told.identity['verdict'][:12]}.html"
    record: dict[str, Any] = {
        "run": run,
        "ended": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "before": first.told(),
        "after": second.told(),
        "recipe": told.recipe.get("name"),
        "asked": told.versions.asked if told.versions else "",
        **telling.judged(told),
        "page": f"comparisons/{first.model}-{first.number}-{second.model}-{second.number}-{ending}",
        "page_digest": page.digest,
        "content_digest": content.digest,
    }
    ledgers.file(LEDGER, record)
    with harmless():
        link("comparison", lay_out(record), f"{second.name} beside {first.name}")
        lay_out_index()
    return content


def lay_out(record: dict[str, Any]) -> Path:
    """Lay out the page of a comparison, with Markdown and JSON beside it."""
    telling.lay_out(record["page"], Artifact(kind=telling.KIND, digest=record["content_digest"]))
    return place_page(record["page"], store().get(Artifact(kind="report", digest=record["page_digest"])))


def build() -> None:
    """Lay the pages of all comparisons out anew, as far as there is one and the store still holds it."""
    for record in ledgers.every(LEDGER):
        if "page" not in record:
            continue
        filed = (("report", record["page_digest"]), (telling.KIND, record["content_digest"]))
        if all(store().holds(Artifact(kind=kind, digest=digest)) for kind, digest in filed):
            lay_out(record)


def stopped(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a comparison that came to no verdict, and why."""
    given = flow_run.parameters
    record = ledgers.begun(str(flow_run.id), given.get("recipe"), given.get("settings"))
    endings.looked(flow, flow_run, state)
    versions = {"first": given["first"], "second": given["second"]}
    ledgers.file(LEDGER, record | versions | {"error": ledgers.reason(state)})
    with harmless():
        lay_out_index()


def _prompts(test: Dataset, wanted: set[str]) -> dict[str, str]:
    """Of the records that a page may show, as far as the store still holds them."""
    held = Dataset(shards=tuple(shard for shard in test.shards if store().holds(shard)))
    return {record.id: record.prompt for shard in shards.each(held) for record in shard if record.id in wanted}
