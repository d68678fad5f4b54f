"""What training costs is counted by hand here, and by the product from the model."""

import json
from pathlib import Path

import pytest

from assay.model import adapter, architecture, costs, weights
from tests import tiny_model
from tests.assay.model.test_adapter import build, recipe


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama, in float32, head and embeddings tied."""
    folder = tmp_path_factory.mktemp("costs")
    weights.prepare(tiny_model.build(folder / "tiny"), "float32", folder / "base")
    return folder / "base"


LAYER = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128
"""Weights in one layer of the tiny model."""


def test_full_tuning_costs_six_per_weight_and_the_head_only_where_something_is_learned(base: Path):
    """6ND, but for the head; frozen lower layers are spared the way back."""
    head = 64 * json.loads((base / "config.json").read_text())["vocab_size"]
    whole = costs.operations(adapter.attach(base, recipe("full", modules=())), 10, 3)
    upper = costs.operations(adapter.attach(base, recipe("full", modules=(), last_layers=1)), 10, 3)

    assert whole["done"] == 10 * 6 * 2 * LAYER + 3 * 6 * head
    assert upper["done"] == 10 * (6 * LAYER + 2 * LAYER) + 3 * 4 * head
    assert whole["full"] == 10 * 6 * (2 * LAYER + head)


def test_a_head_learned_alone_spares_the_layers_the_way_back(tmp_path: Path):
    """An untied head is above all layers."""
    model = adapter.attach(build("llama", tmp_path / "base"), recipe("full", modules=("lm_head",)))
    body = sum(count for count, _ in architecture.met(model).values())

    assert costs.operations(model, 10, 3)["done"] == 10 * 2 * body + 3 * 6 * 300 * 32


def test_magnitudes_cost_a_product_each_pass_and_with_dropout_a_second_meeting(base: Path):
    """Beside that DoRA costs what LoRA does."""
    plain = costs.operations(adapter.attach(base, recipe("lora")), 10, 3, passes=2)["done"]
    dora = costs.operations(adapter.attach(base, recipe("dora")), 10, 3, passes=2)["done"]
    dropped = costs.operations(adapter.attach(base, recipe("dora", dropout=0.1)), 10, 3, passes=2)["done"]

    product = 2 * 4 * (64 * (64 + 64) + 128 * (128 + 64))  # of q_proj and down_proj, in two layers, in two passes
    assert dora - plain == 2 * 2 * product
    assert dropped - dora == 10 * 4 * 2 * (64 * 64 + 128 * 64)


def test_experts_count_by_the_share_that_a_token_is_sent_to(tmp_path: Path):
    """Two of four."""
    model = adapter.attach(build("mixtral", tmp_path / "base"), recipe("lora", ("q_proj",)))
    experts = {
        name: count for name, (count, _) in architecture.met(architecture.base_of(model)).items() if "experts" in name
    }

    assert sum(experts.values()) == 2 * 2 * 3 * 32 * 48
