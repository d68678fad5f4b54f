"""Each method learns what its two files say, of any architecture; merged, they are the model that was trained."""

import json
from pathlib import Path

import pytest

from assay.errors import BaseModelError, RecipeError, TrainingError
from assay.model import adapter, architecture, changes, costs, weights
from assay.tuning import TrainingSpec
from tests import tiny_model

BASE = "0" * 64
LOW_RANK = ("lora", "rslora", "dora")
WIDE = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
ARCHITECTURES = {
    "llama": (WIDE, ("q_proj", "down_proj")),
    "mistral": (WIDE, ("v_proj", "up_proj")),
    "qwen2": (WIDE, ("q_proj", "k_proj")),
    "qwen3": (WIDE | {"head_dim": 8}, ("o_proj", "gate_proj")),
    "gemma2": (WIDE | {"head_dim": 8}, ("q_proj", "down_proj")),
    "gemma3_text": (WIDE | {"head_dim": 8}, ("q_proj", "down_proj")),
    "phi": (WIDE | {"num_key_value_heads": 4}, ("dense", "fc2")),
    "gpt2": ({"vocab_size": 300, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}, ("c_attn", "c_proj")),
    "gpt_neox": (WIDE, ("query_key_value", "dense_4h_to_h")),
    "mixtral": (WIDE | {"num_local_experts": 4, "num_experts_per_tok": 2}, ("q_proj", "o_proj")),
}
"""Model types of transformers, each with its shape and two kinds of its matrices."""


def recipe(method: str, modules: tuple[str, ...] = ("q_proj", "down_proj"), **more) -> TrainingSpec:
    """A small recipe."""
    low_rank = {} if method == "full" else {"rank": 4, "alpha": 8}
    rates = {"learning_rate": 1e-2, "epochs": 1, "batch_size": 4, "max_length": 64, "seed": 1}
    return TrainingSpec(method=method, target_modules=modules, **low_rank | rates | more)


def build(kind: str, folder: Path, **more) -> Path:
    """A model of some type with random weights, as a prepared base."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    config = CONFIG_MAPPING[kind](**ARCHITECTURES[kind][0] | {"bos_token_id": 1, "eos_token_id": 2} | more)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama, in float32, head and embeddings tied."""
    folder = tmp_path_factory.mktemp("adapter")
    weights.prepare(tiny_model.build(folder / "tiny"), "float32", folder / "base")
    return folder / "base"


@pytest.fixture(scope="module")
def halved(base: Path) -> Path:
    """The same in bfloat16."""
    weights.prepare(base, "bfloat16", base.parent / "halved")
    return base.parent / "halved"


def tokens():
    """Four rows of eight."""
    import torch

    return torch.arange(32).reshape(4, 8) * 7 % 200 + 3


def taught(base: Path, spec: TrainingSpec, steps: int = 3):
    """A model after some steps of an optimiser on what the recipe frees."""
    import torch

    model = adapter.attach(base, spec)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=spec.learning_rate)
    ids = tokens()
    for _ in range(steps):
        model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids)["loss"].backward()
        optimiser.step()
        optimiser.zero_grad()
    return model


def logits(model):
    """What a model says, past the forward that only gives a loss."""
    import torch

    bare = architecture.base_of(model).eval()
    with torch.no_grad():
        return type(bare).forward(bare, input_ids=tokens()).logits.float()


def merged(base: Path, learned: Path, out: Path, dtype: str = "float32"):
    """The folder that is released, loaded as anyone would."""
    from transformers import AutoModelForCausalLM

    weights.merge(base, learned, out, dtype)
    return AutoModelForCausalLM.from_pretrained(out, dtype="auto")


@pytest.mark.parametrize("method", [*LOW_RANK, "full"])
def test_the_merged_model_says_what_the_trained_one_said(base: Path, tmp_path: Path, method: str):
    """In float32 nothing but the order of sums is left between them, and the base says something else."""
    from transformers import AutoModelForCausalLM

    model = taught(base, recipe(method))
    adapter.save(model, "tiny", BASE, tmp_path / "out")
    trained, released = logits(model), logits(merged(base, tmp_path / "out", tmp_path / "merged"))

    assert (released - trained).abs().max() < 1e-4
    assert (logits(AutoModelForCausalLM.from_pretrained(base)) - trained).abs().max() > 0.01


@pytest.mark.parametrize("method", [*LOW_RANK, "full"])
def test_what_is_learned_in_float32_over_bfloat16_is_rounded_once(halved: Path, tmp_path: Path, method: str):
    """The released weights are in the base's dtype; learned ones are float32 whatever that is."""
    import torch

    model = taught(halved, recipe(method), steps=2) if method == "full" else adapter.attach(halved, recipe(method))
    held = {p.dtype for p in model.parameters() if p.requires_grad}
    if method != "full":
        for name, parameter in model.named_parameters():
            if ".lora_B." in name:
                torch.nn.init.normal_(parameter, std=0.1)
    adapter.save(model, "tiny", BASE, tmp_path / "out")
    released = merged(halved, tmp_path / "out", tmp_path / "merged", "bfloat16")

    assert held == {torch.float32}
    assert released.dtype == torch.bfloat16 == architecture.computes_in(model)
    assert (logits(released) - logits(model)).abs().max() < 0.05


@pytest.mark.parametrize("method", [*LOW_RANK, "full"])
def test_equal_weights_are_equal_bytes(base: Path, tmp_path: Path, method: str):
    """Two files, and nothing in them of where or when."""
    for name in ("one", "two"):
        adapter.save(taught(base, recipe(method), steps=1), "tiny", BASE, tmp_path / name)

    one, two = ({f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in ("one", "two"))
    expected = (changes.CONFIG, changes.WEIGHTS) if method == "full" else (adapter.CONFIG, adapter.WEIGHTS)
    assert sorted(one) == sorted(expected)
    assert one == two
    assert json.loads(one[expected[0]])["revision"] == BASE


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("method", ["dora", "full"])
def test_any_causal_language_model_is_taught_saved_and_merged(kind: str, method: str, tmp_path: Path):
    """The method with most parts and the one with none, over matrices of every layout that transformers has."""
    base = build(kind, tmp_path / "base")
    spec = recipe(method, ARCHITECTURES[kind][1])
    model = taught(base, spec, steps=2)
    adapter.save(model, kind, BASE, tmp_path / "out")
    size = adapter.update_size(model)

    assert (logits(merged(base, tmp_path / "out", tmp_path / "merged")) - logits(model)).abs().max() < 1e-3
    assert architecture.kind(size["module"]) in spec.target_modules
    assert (size["matrices"] > 0, size["unmoved"]) == (True, 0)
    assert 0 < costs.operations(model, 10, 3)["done"] < costs.operations(model, 10, 3)["full"]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3_text", "mixtral"])
def test_full_tuning_of_every_weight_moves_tied_ones_together(kind: str, tmp_path: Path):
    """Embeddings and head stay one weight where the base has them as one, and two where it has two."""
    base = build(kind, tmp_path / "base")
    model = taught(base, recipe("full", modules=()), steps=2)
    adapter.save(model, kind, BASE, tmp_path / "out")
    released = merged(base, tmp_path / "out", tmp_path / "merged")

    assert (logits(released) - logits(model)).abs().max() < 1e-3
    one = released.get_input_embeddings().weight is released.get_output_embeddings().weight
    assert one == (kind in {"gpt2", "gemma3_text"})
    assert not released.get_input_embeddings().weight.equal(
        type(released).from_pretrained(base).get_input_embeddings().weight
    )


def test_last_layers_alone_are_learned_in_full_with_all_that_stands_in_them(base: Path):
    """Embeddings, the last norm and the head stay as they were."""
    model = adapter.attach(base, recipe("full", modules=(), last_layers=1))
    free = {name for name, p in model.named_parameters() if p.requires_grad}

    assert free == {name for name, _ in model.named_parameters() if ".layers.1." in name}


def test_a_tied_head_that_is_named_is_learned_with_the_embeddings(base: Path):
    """They are one weight, whichever of its names the recipe says."""
    model = adapter.attach(base, recipe("full", modules=("lm_head",)))

    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["model.embed_tokens.weight"]


def test_only_what_changed_is_filed(halved: Path, tmp_path: Path):
    """What rounding leaves as it was is the base's own."""
    model = adapter.attach(halved, recipe("full"))
    model.model.layers[0].self_attn.q_proj.weight.data[0, 0] += 1
    model.model.layers[1].self_attn.q_proj.weight.data[0, 0] += 1e-9
    adapter.save(model, "tiny", BASE, tmp_path / "out")

    assert json.loads((tmp_path / "out" / changes.CONFIG).read_text())["weights"] == [
        "model.layers.0.self_attn.q_proj.weight"
    ]


@pytest.mark.parametrize("method", [*LOW_RANK, "full"])
def test_what_learned_nothing_is_not_filed(base: Path, tmp_path: Path, method: str):
    """It would be evaluated as the base, and pass."""
    with pytest.raises(TrainingError, match=r"expected (a learned one|some)"):
        adapter.save(adapter.attach(base, recipe(method)), "tiny", BASE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", [*LOW_RANK, "full"])
def test_what_is_not_finite_is_not_filed(base: Path, tmp_path: Path, method: str):
    """One NaN in one weight."""
    model = taught(base, recipe(method), steps=1)
    next(p for p in model.parameters() if p.requires_grad).data.view(-1)[0] = float("nan")

    with pytest.raises(TrainingError, match="not finite"):
        adapter.save(model, "tiny", BASE, tmp_path / "out")


def test_changed_weights_meet_only_the_base_that_they_are_of(base: Path, tmp_path: Path):
    """A weight of another name or shape is refused, and nothing is left behind."""
    adapter.save(taught(base, recipe("full"), steps=1), "tiny", BASE, tmp_path / "out")

    with pytest.raises(BaseModelError, match="does not fit"):
        weights.merge(build("llama", tmp_path / "other"), tmp_path / "out", tmp_path / "merged", "float32")
    assert not (tmp_path / "merged").exists()


def test_the_size_of_an_update_is_its_norm_over_that_of_the_weight(base: Path):
    """Moving one matrix by a tenth of itself is a tenth, by full tuning and by an adapter alike."""
    import torch

    full = adapter.attach(base, recipe("full"))
    full.model.layers[1].mlp.down_proj.weight.data *= 1.1
    size = adapter.update_size(full)

    assert size["max"] == pytest.approx(0.1, rel=1e-4)
    assert (size["module"], size["matrices"], size["unmoved"]) == ("model.layers.1.mlp.down_proj", 4, 3)
    assert size["median"] == 0
    assert adapter.update_size(adapter.attach(base, recipe("full", modules=("norm",))))["module"] == "model.norm"

    for method, scale in (("lora", 8 / 4), ("rslora", 8 / 4**0.5)):
        model = adapter.attach(base, recipe(method))
        module = architecture.base_of(model).model.layers[0].self_attn.q_proj
        torch.nn.init.ones_(module.lora_B["default"].weight)
        update = (scale * module.lora_B["default"].weight @ module.lora_A["default"].weight).detach()
        expected = float(update.norm() / module.get_base_layer().weight.norm())
        assert adapter.update_size(model)["max"] == pytest.approx(expected, rel=1e-5)


def test_the_size_of_an_update_with_magnitudes_is_that_of_the_merged_weight(base: Path):
    """Doubling a magnitude doubles its output, which B·A alone does not show."""
    model = adapter.attach(base, recipe("dora"))
    module = architecture.base_of(model).model.layers[0].self_attn.q_proj
    module.lora_magnitude_vector["default"].weight.data *= 2

    assert adapter.update_size(model)["max"] == pytest.approx(1, rel=1e-4)


def test_four_bits_are_refused_where_they_cannot_be_had(base: Path):
    """Before the base is loaded; the message says what to install, or what to choose."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine may have them")
    with pytest.raises(RecipeError, match="choose lora"):
        adapter.attach(base, recipe("qlora"))
