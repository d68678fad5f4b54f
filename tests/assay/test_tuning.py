"""A recipe's training section holds what its method needs and nothing that it would not read."""

import pytest
from pydantic import ValidationError

from assay.tuning import PriceSpec, ReplaySpec, SelectionSpec, TrainingSpec

COMMON = {"learning_rate": 1e-3, "epochs": 1, "batch_size": 8, "max_length": 128}
LOW_RANK = {"rank": 8, "alpha": 16, "target_modules": ["q_proj"]}
REPLAY = {"name": "general", "prompts": "prompts.jsonl", "licence": "CC0-1.0", "share": 0.2}


@pytest.mark.parametrize("method", ["lora", "rslora", "dora", "qlora"])
@pytest.mark.parametrize("missing", ["rank", "alpha", "target_modules"])
def test_a_low_rank_method_needs_all_that_says_how(method: str, missing: str):
    """None of them has a default that would suit every model."""
    TrainingSpec.model_validate({"method": method, **COMMON, **LOW_RANK})
    with pytest.raises(ValidationError, match=missing):
        TrainingSpec.model_validate(
            {"method": method, **COMMON, **{name: value for name, value in LOW_RANK.items() if name != missing}}
        )


@pytest.mark.parametrize("given", [{"rank": 8}, {"alpha": 16}, {"dropout": 0.1}])
def test_full_tuning_refuses_what_only_an_adapter_reads(given: dict):
    """A field without effect would still be in the recipe, and be believed."""
    with pytest.raises(ValidationError, match="no adapter"):
        TrainingSpec.model_validate({"method": "full", **COMMON, **given})


@pytest.mark.parametrize("given", [{}, {"target_modules": ["mlp"]}, {"last_layers": 2}])
def test_full_tuning_takes_all_weights_or_those_named(given: dict):
    """Modules and layers are a choice there, not a need."""
    assert TrainingSpec.model_validate({"method": "full", **COMMON, **given}).method == "full"


@pytest.mark.parametrize(
    "given",
    [
        {"method": "prefix"},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"epochs": 0},
        {"batch_size": 0},
        {"last_layers": 0},
        {"warmup_share": 1.1},
        {"neftune_noise": -1},
        {"layout": "ragged"},
        {"optimizer": "sgd"},
    ],
)
def test_a_value_out_of_range_or_an_unknown_key_is_refused(given: dict):
    """A spelling mistake must not train with a default."""
    with pytest.raises(ValidationError):
        TrainingSpec.model_validate({"method": "lora", **COMMON, **LOW_RANK, **given})


def test_what_is_off_unless_asked_for_is_off():
    """Noise, dropout, compiling, early stopping and answering change a model, or cost."""
    spec = TrainingSpec.model_validate({"method": "lora", **COMMON, **LOW_RANK})

    assert (spec.neftune_noise, spec.dropout, spec.compile) == (0, 0, False)
    assert spec.selection == SelectionSpec(metric="held_out_loss", keep="last", patience=None, answers=0)


@pytest.mark.parametrize("metric", ["exact_match", "field_accuracy"])
def test_a_metric_of_the_task_needs_answers(metric: str):
    """Nothing else could be counted."""
    assert SelectionSpec(metric=metric, answers=20).metric == metric
    with pytest.raises(ValidationError, match="answers"):
        SelectionSpec(metric=metric)


@pytest.mark.parametrize("share", [0, 1])
def test_replay_is_a_share_of_what_is_learned_and_never_none_or_all(share: float):
    """Without replay the section is left out; with nothing else no task is learned."""
    assert ReplaySpec.model_validate(REPLAY).share == 0.2
    with pytest.raises(ValidationError, match="share"):
        ReplaySpec.model_validate(REPLAY | {"share": share})


def test_a_price_and_a_path_are_in_no_key():
    """What a device costs and where prompts lie move no weight."""
    from assay.artifacts import canonical

    assert canonical(PriceSpec(device_hour=2.5, currency="EUR", as_of="2026-01-01")) == {"__type__": "PriceSpec"}
    assert "prompts" not in canonical(ReplaySpec.model_validate(REPLAY))
