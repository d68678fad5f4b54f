"""Baseline and candidate are timed in turn, on the same requests."""

import pytest

from assay import evaluations
from assay.errors import ModelError
from assay.model import adapter
from assay.outcomes import Timing
from assay.spec import PromptSpec
from assay.trials import BenchmarkSpec, EvaluationSpec
from tasks import alternating
from tasks.places import checkout, store
from tests.tasks.small_training import SPEC, SYSTEM

EVALUATION = EvaluationSpec(
    max_new_tokens=4,
    batch_size=4,
    latency_requests=6,
    general_ability=BenchmarkSpec(name="general", uri="items.jsonl"),
)


def unheard(_: dict) -> None:
    """Progress is not told."""


def test_each_request_is_asked_of_both_and_who_comes_first_changes():
    """What slows the machine evenly slows both alike."""
    asked: list[str] = []

    def timer(arm):
        def timed(place, id):
            asked.append(f"{arm}{id}")
            return Timing(id=id, first_ms=1, total_ms=2, tokens=1, prompt_tokens=1)

        return timed

    found = alternating.in_turn([timer("A"), timer("B")], ["x", "y"], 3, unheard)

    assert asked[: 2 * alternating.WARM_UP] == ["Ax", "Bx", "Ay", "By", "Ax", "Bx"]
    assert asked[2 * alternating.WARM_UP :] == ["Ax", "Bx", "By", "Ay", "Ax#2", "Bx#2"]
    assert [[timing.id for timing in arm] for arm in found] == [["x", "y", "x#2"]] * 2


def test_both_models_are_timed_on_the_same_requests(given, tmp_path):
    """Paired, request by request."""
    base = given.inputs["base"]
    model = adapter.attach(checkout(base), SPEC)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.add_(0.01)  # As if something was learned.
    adapter.save(model, "base", given.inputs["base_digest"], tmp_path / "adapter")
    job = {
        "base": base.model_dump(mode="json"),
        "adapter": store().put_tree("adapter", tmp_path / "adapter").model_dump(mode="json"),
        "test": given.inputs["validation"].model_dump(mode="json"),
        "dtype": "float32",
        "prompt": PromptSpec(system=SYSTEM, output_schema="schema.json", label="intent").model_dump(mode="json"),
        "spec": EVALUATION.model_dump(mode="json"),
    }

    alternating.time_requests(job, tmp_path, unheard)

    read = [(tmp_path / f"{name}.jsonl").read_bytes() for name in ("baseline", "candidate")]
    baseline, candidate = (evaluations.from_jsonl(data, Timing) for data in read)
    assert [timing.id for timing in baseline] == [timing.id for timing in candidate]
    assert len({timing.id for timing in baseline}) == 6
    for timing in (*baseline, *candidate):
        assert 0 < timing.first_ms <= timing.total_ms
        assert 1 <= timing.tokens <= 4
        assert timing.prompt_tokens > 4


def test_timing_of_no_record_is_refused():
    """There is nothing to time."""
    with pytest.raises(ModelError, match="no record"):
        alternating.drawn([], EVALUATION)
