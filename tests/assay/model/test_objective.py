"""Every shortcut of training gives the numbers of the plain way."""

from pathlib import Path

import pytest
import torch

from assay.model import adapter, frozen, objective, packing, updates
from assay.model.rows import Row, pad
from assay.tuning import TrainingSpec
from tests import tiny_model

SPEC = TrainingSpec(
    method="lora",
    rank=4,
    alpha=8,
    target_modules=("q_proj", "v_proj", "down_proj"),
    last_layers=2,
    learning_rate=1e-3,
    epochs=2,
    batch_size=4,
    max_length=128,
)
COMMON = tuple(range(40, 52))
ROWS = [Row((*COMMON, *range(60 + 3 * n, 70 + 5 * n), 7, 8, 9 + n, 2), len(COMMON) + 10 + 2 * n) for n in range(5)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four layers in float32, where rounding hides nothing."""
    return tiny_model.build(tmp_path_factory.mktemp("objective") / "tiny", layers=4)


@pytest.fixture
def model(base: Path):
    """Adapted in its last two layers, with updates that are not zero."""
    made = adapter.attach(base, SPEC)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    return made.train()


def learned(model, way: objective.Objective, batch: dict) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients."""
    model.zero_grad()
    with way.installed():
        loss = model(**batch)["loss"]
        loss.backward()
    return float(loss.detach()), {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def plain(model) -> tuple[float, dict[str, torch.Tensor]]:
    """What transformers itself computes of padded rows."""
    model.zero_grad()
    batch = pad(ROWS)
    labels = torch.cat([torch.full((len(ROWS), 1), -100), batch["shift_labels"][:, :-1]], 1)
    loss = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels).loss
    loss.backward()
    return float(loss.detach()), {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def assert_equal(found, expected):
    """Up to what float32 rounds."""
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    for name, gradient in expected[1].items():
        assert torch.allclose(found[1][name], gradient, rtol=1e-3, atol=1e-6), name


@pytest.mark.parametrize("lay", [pad, packing.pack, lambda rows: packing.pack(rows, shares=False)])
@pytest.mark.parametrize("loss", ["plain", "fused"])
def test_packing_sharing_and_the_fused_loss_move_no_gradient(model, lay, loss: str):
    """Against transformers' own loss over padded rows."""
    way = objective.Objective(model.get_base_model())
    way.is_fused = loss == "fused"

    assert_equal(learned(model, way, lay(ROWS)), plain(model))


def test_the_fused_loss_is_the_same_in_chunks(model, monkeypatch: pytest.MonkeyPatch):
    """However few logits exist at once."""
    monkeypatch.setattr(objective, "CHUNK", 2000)
    way = objective.Objective(model.get_base_model())
    way.is_fused = True

    assert_equal(learned(model, way, packing.pack(ROWS)), plain(model))


def test_the_fused_product_moves_no_gradient(model):
    """And every low-rank layer of the model is plain enough for it."""
    expected = plain(model)

    with updates.fused(model) as products:
        with products.meet():
            alone = plain(model)
        together = plain(model)

    assert len(products.layers) == 6
    assert len({id(group) for group in products._groups.values()}) == 4  # query and value of a layer share theirs
    assert_equal(alone, expected)
    assert_equal(together, expected)


def test_layers_passed_over_move_no_gradient(model, tmp_path: Path):
    """What the lower two say of each row was computed before, in other company."""
    way = objective.Objective(model.get_base_model())
    below = frozen.below(model)
    with way.installed(), torch.no_grad():
        frozen.states(below, ROWS, lambda batch: model(**batch), tmp_path, "run")
    way.frozen = below

    assert below.first == 2
    assert_equal(learned(model, way, packing.pack(ROWS) | {"places": [0, 1, 2, 3, 4]}), plain(model))


def test_states_are_read_again_only_by_their_own_run_and_only_whole(model, tmp_path: Path):
    """Another identity, or a byte that changed, and they are computed anew."""
    way, below = objective.Objective(model.get_base_model()), frozen.below(model)
    asked = []

    def ask(batch: dict) -> None:
        asked.append(batch)
        model(**batch)

    def collect(identity: str) -> int:
        asked.clear()
        with way.installed(), torch.no_grad():
            frozen.states(below, ROWS, ask, tmp_path, identity)
        return len(asked)

    assert [collect("one"), collect("one"), collect("two"), collect("two")] == [1, 0, 1, 0]
    file = tmp_path / frozen.FILE
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert collect("two") == 1


def test_nothing_is_passed_over_if_the_first_layer_learns(base: Path):
    """All layers, or the embeddings, as in full tuning."""
    every = SPEC.model_copy(update={"last_layers": None})
    whole = TrainingSpec(method="full", learning_rate=1e-4, epochs=2, batch_size=4, max_length=128)

    assert frozen.below(adapter.attach(base, every)) is None
    assert frozen.below(adapter.attach(base, whole)) is None


def test_rests_too_long_to_multiply_out_go_through_torchs_attention(model, monkeypatch: pytest.MonkeyPatch):
    """Then no prefix is shared, and the numbers are the same."""
    monkeypatch.setattr(packing, "EXPLICIT", 8)
    batch = packing.pack(ROWS)

    assert batch["layout"].prefix == 0
    assert_equal(learned(model, objective.Objective(model.get_base_model()), batch), plain(model))


def test_no_example_sees_another(model):
    """Other tokens in one example leave every other's logits as they were, to the bit."""
    way = objective.Objective(model.get_base_model())
    other = [Row((*COMMON, *range(200, 210), 7, 8, 9, 2), len(COMMON) + 10), *ROWS[1:]]

    def logits(rows):
        batch = packing.pack(rows)
        layout, wanted = batch.pop("layout"), batch.pop("shift_labels") != -100
        with way.installed(), torch.no_grad():
            return way.outputs(wanted, layout, None, {"input_ids": batch["input_ids"],
                               "position_ids": batch["position_ids"]}, with_head=True)  # fmt: skip

    before, after = logits(ROWS), logits(other)

    assert not torch.equal(before[:4], after[:4])
    assert torch.equal(before[4:], after[4:])


def test_a_packed_row_holds_what_is_common_once(model):
    """And a label is what its place should predict."""
    batch = packing.pack(ROWS)
    layout = batch["layout"]

    assert layout.prefix == len(COMMON)
    assert batch["input_ids"].shape[1] == sum(len(row.input_ids) for row in ROWS) - 4 * len(COMMON)
    assert batch["position_ids"][0, : len(COMMON) + 3].tolist() == list(range(len(COMMON) + 3))
    first = batch["input_ids"][0, len(COMMON) : len(ROWS[0].input_ids)].tolist()
    assert first == list(ROWS[0].input_ids[len(COMMON) :])
    wanted = batch["shift_labels"][0]
    assert wanted[wanted != -100].tolist() == [i for row in ROWS for i in row.input_ids[row.prompt_length :]]


def test_the_token_that_first_predicts_is_never_shared():
    """Equal prompts with different completions share all but their last token."""
    same = [Row((1, 2, 3, 4, 10 + n, 2), 4) for n in range(3)]

    assert packing.shared(same) == 3
    assert packing.pack(same)["shift_labels"][0].tolist().count(-100) == 3 + 3


def test_the_plain_way_is_back_afterwards(model):
    """Generation and saving meet the base as it was."""
    way = objective.Objective(model.get_base_model())
    before = plain(model)

    learned(model, way, packing.pack(ROWS))

    assert "forward" not in model.get_base_model().__dict__
    assert model.config._attn_implementation != packing.NAME
    assert_equal(plain(model), before)


def architecture(name: str):
    """A tiny model of another kind, with random weights."""
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "pad_token_id": 0}
    more = {"num_key_value_heads": 2, "intermediate_size": 64, "head_dim": 8, "max_position_embeddings": 256}
    window = {"sliding_window": 9} if name in {"mistral", "gemma2", "gemma3_text"} else {}
    if name in {"mamba", "gpt2"}:
        more = {}
    torch.manual_seed(0)
    config = AutoConfig.for_model(name, **sizes, **more, **window)
    config._attn_implementation = "eager"
    return AutoModelForCausalLM.from_config(config).float()


@pytest.mark.parametrize("name", ["qwen2", "qwen3", "mistral", "gemma2", "gemma3_text", "phi3", "gpt2"])
def test_architectures_that_attend_by_their_own_rules_are_packed_all_the_same(name: str):
    """Windows of nine tokens, soft limits, scaled embeddings, positions that are learned."""
    made = architecture(name)
    way = objective.Objective(made)
    with way.installed():
        taken = objective.choose(made, way, ROWS, "packed")

    assert taken["name"] == "packed", taken["why"]


def test_an_architecture_without_attention_is_padded_and_the_record_says_why():
    """A state-space model has no borders to respect: packed, it would carry one example into the next."""
    made = architecture("mamba")
    way = objective.Objective(made)
    with way.installed():
        taken = objective.choose(made, way, ROWS, "packed")

    assert taken["name"] == "padded"
    assert taken["why"].startswith("MambaForCausalLM cannot be packed: 0 of 2 layers attend, expected all")


def test_a_model_that_limits_its_logits_keeps_its_own_loss():
    """Gemma 2 caps them after the head, which the fused loss would not know."""
    made = architecture("gemma2")
    made.config.final_logit_softcapping = 0.05
    made.requires_grad_(requires_grad=False)
    way = objective.Objective(made)
    with way.installed():
        taken = objective.choose(made, way, ROWS, "packed")

    assert not taken["fused"]
