"""What a page shows of too much: the first few, one of each kind, and differences with their bounds."""

from dataclasses import replace

import pytest

from assay.evaluation import comparison
from assay.evaluation.comparison import intervals
from assay.outcomes import Choice, TextLoss, Timing
from assay.records import Dropped
from assay.reporting.excerpts import RARE, changes, examples, passage
from tests.assay.reporting.test_report import ARMS, GATE, answer


def test_reasons_of_one_kind_are_counted_together():
    """A duplicate of one record and a duplicate of another left for one reason; failed checks keep their names."""
    rows = [Dropped(f"T-{i}", "deduplicate", f"exact duplicate of T-{i + 50}") for i in range(40)]
    rows += [Dropped("T-99", "validate", "fails RAW-1, RAW-2")]
    told = passage("deduplicate", 100, 59, rows)

    assert [(reason.said, reason.rows) for reason in told.reasons] == [
        ("exact duplicate of …", 40),
        ("fails RAW-1, RAW-2", 1),
    ]
    assert told.reasons[0].examples[0] == ("T-0", "exact duplicate of T-50")
    assert len(told.reasons[0].examples) == 12


def test_examples_show_each_label_before_any_label_twice():
    """Eight of many, spread over the labels, in the order of the test set."""
    before = [answer(i, right=False) for i in (0, 2, 4, 6, 8, 10, 12, 14, 16, 1)]
    after = [answer(i, right=True) for i in (0, 2, 4, 6, 8, 10, 12, 14, 16, 1)]
    shown = examples([a.id for a in before], {}, before, after, won=True)

    assert [example.id for example in shown[:3]] == ["T-0000", "T-0001", "T-0002"]
    assert len(shown) == 8
    assert shown[0].wrong == ("the format",)
    assert examples([], {}, before, after, won=False) == ()


def test_changes_are_bounded_where_they_are_means_over_items():
    """The interval beside a metric is that of the gate; an F1 and a latency have none."""
    before, after = ARMS["accepted"]
    told = changes(before, after, "exact_match", GATE.confidence, intervals.difference)
    metrics = {change.name: change for change in told["metrics"]}
    gain = comparison.compare(before, after, GATE).criterion("target")

    assert (metrics["exact_match"].lower, metrics["exact_match"].upper) == (gain.lower, gain.upper)
    assert metrics["label_f1"].lower is None
    assert metrics["general_ability"].n == 800
    assert {change.name: change.n for change in told["slices"]["channel"]} == {"email": 196, RARE: 4}
    assert sum(change.n for change in told["abilities"]) == 800


def test_what_else_both_were_asked_is_among_the_changes():
    """Probes with an interval, texts as one perplexity, and times as their quantiles."""
    before, after = (
        replace(
            arm,
            probes=[Choice(id=f"p{i}", group="g", kind="harmful", correct=i < right, margin=0.1) for i in range(40)],
            texts=[TextLoss(id="t", group="g", nats=nats, tokens=10)],
            timings=[
                Timing(id=f"r{i}", first_ms=10.0, total_ms=100.0 * (1 + i), tokens=5, prompt_tokens=80)
                for i in range(3)
            ],
        )
        for arm, right, nats in zip(ARMS["accepted"], (30, 32), (20.0, 30.0), strict=True)
    )
    told = changes(before, after, "exact_match", GATE.confidence, intervals.difference)
    metrics = {change.name: change for change in told["metrics"]}
    latency = {change.name: change.after for change in told["latency"]}

    assert (metrics["safety"].before, metrics["safety"].n) == (0.75, 40)
    assert metrics["safety"].lower is not None
    assert metrics["perplexity"].after == pytest.approx(20.0855, abs=1e-3)
    assert (latency["request_p50_ms"], latency["requests"]) == (200.0, 3.0)
    assert latency["request_p95_ms"] == pytest.approx(290.0)
