"""Two versions that answered one question are compared by the real gate, told on a page, and filed."""

import json
from pathlib import Path

import pytest

from assay.model import weights
from flows.compare_versions import compare_versions
from tasks import comparing, ledgers, registry, runs, telling
from tasks.comparing import LEDGER
from tasks.places import folder
from tests import tiny_model
from tests.assay.evaluation.memorisation.audits import audit
from tests.assay.reporting.test_report import ARMS, content
from tests.flows import small
from tests.tasks import registered
from tests.tasks.test_judging import filed, records


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small recipe, whose gate judges; its base is named and not there, since no model is asked anything."""
    monkeypatch.setattr(tiny_model, "build", lambda folder: folder)
    monkeypatch.setattr(weights, "digest", lambda _: "0" * 64)
    return small.recipe(tmp_path)


@pytest.fixture
def two(store, prefect, monkeypatch, recipe) -> list[dict]:
    """Two versions that answered two hundred test records, and the run that made the second."""
    rows = registered.versions(store)[:2]
    monkeypatch.setattr(registry, "versions", lambda: rows)
    monkeypatch.setattr(comparing, "time_requests", lambda *_: None)  # These versions are names: there is no weight.
    runs.file(registered.record("abc", 2, str(recipe)))
    test = records(0, 200, shard=200).shards[0]
    for row, arm in zip(rows, ARMS["accepted"], strict=True):
        registered.remember(row, filed(arm), test)
    return rows


def compared(*given: object) -> dict:
    """The record of a comparison."""
    state = compare_versions(*given, return_state=True)
    state.result()
    return ledgers.find(LEDGER, str(state.state_details.flow_run_id))


def test_versions_that_answered_one_question_are_compared_by_the_seconds_gate(two):
    """No model is loaded, no record is read again but those that the page quotes."""
    record = compared("production", "2")
    page = (folder("reports") / record["page"]).read_text()
    told = json.loads((folder("reports") / record["page"]).with_suffix(".json").read_text())

    assert (record["before"]["name"], record["after"]["name"]) == ("triage 1", "triage 2")
    assert record["metrics"]["candidate"]["exact_match"] == 0.995
    assert record["metrics"]["candidate"]["latency_p50_ms"] == 800.0
    assert {each["name"] for each in record["criteria"]} >= {"target", "general_ability", "latency"}
    assert "Comparison of <strong>triage 2</strong> (after) with <strong>triage 1</strong> (before)" in page
    assert "answered the same question before" in page
    assert "Where is [ORDER_ID_1]?" in page
    assert told["of"] == {"kind": "versions", "before": "triage 1", "after": "triage 2"}
    assert told["decision"] == record["verdict"]


def test_what_the_store_lost_is_not_quoted_and_all_else_is_told(two, store):
    """Records may be erased after they were asked; the numbers stand."""
    gone = records(0, 200, shard=200).shards[0]
    Path(store.root, gone.digest[:2], gone.digest).unlink()
    record = compared("1", "2")

    assert record["metrics"]["candidate"]["exact_match"] == 0.995
    assert "(no text)" in (folder("reports") / record["page"]).read_text()


def test_the_content_is_filed_so_that_it_can_be_told_again(two):
    """In any form, as `assay show --markdown` does."""
    record = compared("1", "2")
    content = telling.Artifact(kind=telling.KIND, digest=record["content_digest"])

    assert telling.read(content).versions.after == "triage 2"
    assert telling.summaries(content)["md"].startswith(b"### ")


def test_the_seconds_own_leak_audit_is_judged_and_shown(two, recipe):
    """A comparison audits nothing itself, and the gate demands it all the same."""
    audited = content("accepted").model_copy(update={"leaks": audit()})
    filed = {"pages": {"content_digest": telling.file(audited).digest}}
    demands = {"leak_audit": {"mode": "cheap"}, "gate.max_leak_rate": 0.1, "gate.max_exposure": 1.0}
    runs.file(registered.record("abc", 2, str(recipe), **demands) | filed)
    record = compared("1", "2")

    told = telling.read(telling.Artifact(kind=telling.KIND, digest=record["content_digest"]))
    assert told.leaks == audit()
    assert {"leak_generations", "leak_exposure"} <= {each["name"] for each in record["criteria"]}
