"""The two last steps before the registry read references, and what they file can be read by the next one."""

import json

import pytest

from assay.artifacts import Dataset, Evaluated, Redacted, Screened, Splits, Timed, Trained, Validated
from assay.evaluations import Arm, Verdict, to_jsonl
from assay.outcomes import Timing
from assay.privacy.replacement.redaction import Audited, audit_to_parquet
from assay.records import Dropped, Record, Turn, dropped_to_parquet, suspects_to_parquet, to_parquet
from assay.reporting.cost import Cost
from expectations.outcome import Finding, Outcome, to_json
from tasks.judging import account, compare, tell
from tasks.noticing import find_hard
from tasks.places import store
from tasks.telling import report
from tests.assay.reporting.measurements import given
from tests.assay.reporting.test_report import ARMS, GATE
from tests.assay.reporting.trainings import given as trained

CARD = {
    "name": "support-triage",
    "owner": "a team",
    "base": {"digest": "b" * 64},
    "evaluation": {"metrics": {}},
    "prompt": {"label": "intent"},
    "sources": [{"name": "tickets", "uri": "t.jsonl", "licence": "CC0", "lawful_basis": "own", "columns": {}}],
}


def filed(arm: Arm) -> Evaluated:
    """What an evaluate step leaves."""
    return Evaluated(
        summary=store().put("evaluation", arm.evaluation.model_dump_json().encode()),
        answers=store().put("answers", to_jsonl(arm.answers)),
        choices=store().put("choices", to_jsonl(arm.choices)),
    )


def timed() -> Timed:
    """What the step that times both models leaves."""
    took = [Timing(id=f"q{i}", first_ms=9.0, total_ms=90.0 + i, tokens=9, prompt_tokens=40) for i in range(20)]
    filed = store().put("timings", to_jsonl(took))
    return Timed(baseline=filed, candidate=filed)


def records(start: int, stop: int, shard: int = 150) -> Dataset:
    """Records ``start`` to ``stop`` in shards."""
    rows = [
        Record(
            id=f"T-{i:04}", subject="s", bucket=0, source="tickets",
            context=(Turn("user", f"Where is [ORDER_ID_1]? This is message {i}."),), completion="{}",
        )
        for i in range(start, stop)
    ]  # fmt: skip
    parts = [rows[at : at + shard] for at in range(0, len(rows), shard)]
    return Dataset(shards=tuple(store().put("records", to_parquet(part)) for part in parts))


def gone(*ids: int, reason: str = "fails RAW-1"):
    """What a step dropped."""
    return store().put("dropped", dropped_to_parquet([Dropped(f"T-{i:04}", "step", reason) for i in ids]))


def validated(kept: Dataset, *ids: int) -> Validated:
    """What a validate step leaves."""
    finding = Finding(
        id="RAW-1", expect="column_values_to_not_be_blank", asks="to not be blank", column="prompt", why="Why.",
        on_fail="quarantine", allow=0, evaluated=9, failed=len(ids), could_not_run=False, passed=not ids,
        ids=tuple(f"T-{i:04}" for i in ids),
    )  # fmt: skip
    outcome = Outcome(
        suite="raw", version=1, owner="a steward", digest="c" * 64, engine="x", max_quarantine=0.1,
        decision="quarantine" if ids else "pass", reasons=(), rows=9, findings=(finding,),
        quarantined={f"T-{i:04}": ("RAW-1",) for i in ids},
    )  # fmt: skip
    return Validated(records=kept, quarantined=gone(*ids), outcome=store().put("outcome", to_json(outcome)))


def screened(kept: Dataset, *ids: int, reason: str = "none") -> Screened:
    """What a curation step leaves."""
    return Screened(
        kept=kept, dropped=gone(*ids, reason=reason), suspects=store().put("suspects", suspects_to_parquet([]))
    )


def taught(**changed: object) -> Trained:
    """What a train step leaves."""
    return Trained(
        adapter=store().put("adapter", b"weights"),
        record=store().put("training-record", json.dumps(trained() | changed).encode()),
    )


@pytest.mark.usefixtures("home")
def test_what_training_took_is_on_file_for_machines():
    """Hours of all seeds, at the price of the recipe; none where it has none."""
    priced = {"device_hour": 2.0, "currency": "EUR", "as_of": "2026-11-01"}
    found = Cost.model_validate_json(store().get(account.fn(taught(), [taught(seconds=90.0)], priced)))
    free = Cost.model_validate_json(store().get(account.fn(taught(), [], None)))

    assert (found.device_hours, found.amount, found.repeats_amount) == pytest.approx((0.05, 0.1, 0.05))
    assert (free.amount, free.price, free.repeats) == (None, None, 0)


@pytest.mark.usefixtures("home")
def test_the_verdict_on_file_is_the_gates_and_makes_a_page_with_every_count():
    """A record dropped at any step is on the page, whichever way the references went."""
    baseline, candidate = (filed(arm) for arm in ARMS["refused"])
    verdict = compare.fn(baseline, candidate, GATE)
    told = Verdict.model_validate_json(store().get(verdict))
    sides, learned = Splits(train=records(200, 390), validation=records(390, 400), test=records(0, 200)), taught()
    noticed = find_hard.fn(learned, sides.train)
    content = tell.fn(
        CARD | {"repeat_seeds": [7, 8]},
        records(0, 400),
        [validated(records(1, 400), 0), validated(records(2, 400)), validated(records(4, 400))],
        Redacted(
            records=records(2, 400),
            dropped=gone(1, reason="completion has 30000 characters"),
            audit=store().put("audit", audit_to_parquet([Audited("T-0002", {"PERSON": 3}), Audited("T-0003")])),
            captures=store().put("captures", b"[]"),
        ),
        store().put("redaction-judged", json.dumps({"redacting": given()}).encode()),
        [
            screened(records(2, 400)),
            screened(records(3, 400), 2, reason="exact duplicate of T-0003"),
            screened(records(4, 400), 3, reason="quotes evaluation text T-0100: 80%"),
            *(screened(records(4, 400)) for _ in range(3)),
        ],
        sides,
        taught(something_new=1),
        [taught(seconds=90.0), taught()],
        baseline,
        candidate,
        timed(),
        None,
        noticed,
        verdict,
    )
    written = store().get(report.fn(content)).decode()

    assert told.decision == "refused"
    assert (told.baseline, told.candidate) == ("a" * 64, "b" * 64)
    assert ">Refused</h1>" in written
    assert "This is message 199" not in written
    assert "Where is [ORDER_ID_1]? This is message 1." in written
    for said in ("fails RAW-1", "exact duplicate of …", "quotes evaluation text …: …", "completion has … characters"):
        assert said in written
    assert verdict.digest in written
    assert "invented values planted" in written
    assert "not accounted for" not in written
    assert "Held-out loss over 3 seeds" in written
