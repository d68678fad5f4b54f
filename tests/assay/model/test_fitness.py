"""A recipe that cannot be trained is refused from the base's configuration alone, whatever the architecture."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.errors import RecipeError, TrainingError
from assay.model import adapter, costs, fitness, rows
from assay.tuning import TrainingSpec
from tests.assay.model.test_adapter import ARCHITECTURES, build, recipe


@dataclass(frozen=True)
class Row:
    """What is asked of an example."""

    input_ids: tuple[int, ...]
    prompt_length: int
    truncated: bool = False


EXAMPLES = [Row(tuple(range(3, 13 + n)), 6, n == 0) for n in range(8)]
TOKENS = sum(10 + n for n in range(8))


def configured(kind: str, folder: Path, **more) -> Path:
    """The configuration of some type of model, and no weights."""
    from transformers import CONFIG_MAPPING

    CONFIG_MAPPING[kind](**ARCHITECTURES[kind][0] | {"bos_token_id": 1, "eos_token_id": 2} | more).save_pretrained(
        folder
    )
    return folder


def examine(folder: Path, spec: TrainingSpec, examples=EXAMPLES, held_out=EXAMPLES[:2]) -> dict:
    """As the step does."""
    return fitness.examine(folder, examples, held_out, spec)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama's configuration."""
    return configured("llama", tmp_path_factory.mktemp("fitness") / "llama")


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_what_is_planned_is_what_is_then_trained(kind: str, method: str, tmp_path: Path):
    """Parameters and operations counted without weights are those of the model with them."""
    base, spec = build(kind, tmp_path / "base"), recipe(method, ARCHITECTURES[kind][1])
    model = adapter.attach(base, spec)

    planned = examine(base, spec)

    assert planned["trainable_parameters"] == sum(p.numel() for p in model.parameters() if p.requires_grad)
    counted = costs.operations(model, planned["tokens"], planned["learned_tokens"], planned["steps"])
    assert (planned["operations"], planned["operations_of_full_tuning"]) == (counted["done"], counted["full"])
    assert planned["memory_bytes"] == costs.memory(model, spec)


def test_steps_and_tokens_are_those_of_the_rows(llama: Path):
    """Three epochs of eight rows, in batches of five."""
    planned = examine(llama, recipe("lora", epochs=3, batch_size=5))

    assert (planned["steps"], planned["examples"], planned["longest"], planned["truncated"]) == (5, 8, 17, 1)
    assert (planned["tokens"], planned["learned_tokens"]) == (3 * TOKENS, 3 * (TOKENS - 8 * 6))
    assert planned["warnings"] == []


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2", "gemma3_text"])
@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"max_length": 65}, "at most the model's 64"),
        ({"modules": ("no_such",)}, r"no \['no_such'\] in .*, expected some of"),
        ({"last_layers": 3}, "found 3, expected at most 2"),
        ({"batch_size": 9}, "found 9, expected at most 8"),
    ],
)
def test_what_a_base_does_not_have_is_refused_with_what_it_has(kind: str, asked: dict, says: str, tmp_path: Path):
    """No weights are there to be loaded."""
    base = configured(kind, tmp_path / kind)

    with pytest.raises(RecipeError, match=says):
        examine(base, recipe("lora", **{"modules": ARCHITECTURES[kind][1]} | asked))


def test_modules_that_the_last_layers_lack_leave_nothing_to_train(llama: Path):
    """The embeddings stand outside of every layer."""
    with pytest.raises(RecipeError, match="no trainable parameter"):
        examine(llama, recipe("full", modules=("embed_tokens",), last_layers=1))


def test_a_base_that_is_packed_already_is_refused(llama: Path, tmp_path: Path):
    """It cannot be packed again, and packed weights cannot be merged into."""
    config = json.loads((llama / "config.json").read_text())
    packed = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (tmp_path / "config.json").write_text(json.dumps(config | {"quantization_config": packed}))

    with pytest.raises(RecipeError, match="packed"):
        examine(tmp_path, recipe("qlora"))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (Row((3, 4), 2), "1 of 9 examples lack"),
        (Row((3, 4), 0), "1 of 9 examples lack"),
        (Row(tuple(range(3, 68)), 6), "longer than 64"),
    ],
)
def test_a_row_that_cannot_be_learned_is_refused_from_its_length_alone(llama: Path, row: Row, says: str):
    """Rows are read from the files that training takes, without their tokens."""
    shard = rows.to_parquet([*EXAMPLES[:6], row], [str(n) for n in range(7)])

    with pytest.raises(TrainingError, match=says):
        examine(llama, recipe("lora"), list(fitness.laid([shard])))


def test_no_row_at_all_is_refused(llama: Path):
    """A side may be empty after screening."""
    with pytest.raises(TrainingError, match="no training example"):
        examine(llama, recipe("lora"), [])


def test_rows_are_read_as_they_were_filed():
    """Their numbers of tokens, of those that are prompt, and whether they were cut, over all files."""
    shards = [rows.to_parquet(part, [str(n) for n in range(4)]) for part in (EXAMPLES[:4], EXAMPLES[4:])]

    told = [(len(row.input_ids), row.prompt_length, row.truncated) for row in fitness.laid(shards)]

    assert told == [(len(row.input_ids), row.prompt_length, row.truncated) for row in EXAMPLES]


@pytest.mark.parametrize(
    ("method", "asked", "says"),
    [
        ("lora", {"learning_rate": 1e-6}, "mostly trained within"),
        ("full", {"learning_rate": 2e-3}, "mostly trained within"),
        ("lora", {"warmup_share": 0.9}, "most of the run"),
        ("lora", {"rank": 32}, "more numbers than the matrix"),
    ],
)
def test_what_is_unusual_is_said_and_not_refused(llama: Path, method: str, asked: dict, says: str):
    """It may be meant."""
    assert [said for said in examine(llama, recipe(method, **asked))["warnings"] if says in said]


def test_a_base_of_fused_experts_gains_little_by_four_bits(tmp_path: Path):
    """Only matrices are packed."""
    base = configured("mixtral", tmp_path / "mixtral")

    assert "4 bits pack" in examine(base, recipe("qlora", ("q_proj",)))["warnings"][0]


def test_memory_is_counted_by_method(tmp_path: Path):
    """Of a bfloat16 base: 2 bytes of a frozen weight, 4 under full tuning, half a byte and its scales under qlora."""
    base = configured("llama", tmp_path / "llama", dtype="bfloat16")
    planned = {method: examine(base, recipe(method)) for method in ("lora", "qlora", "full")}
    total = planned["lora"]["total_parameters"]
    matrices = 2 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48)

    lora, qlora, full = (planned[method]["memory_bytes"] for method in ("lora", "qlora", "full"))
    learned = planned["lora"]["trainable_parameters"]
    assert lora == {
        "weights": 2 * total + 4 * learned,
        "gradients": 4 * learned,
        "optimizer": 8 * learned,
        "total": 2 * total + 16 * learned,
    }
    assert lora["total"] - qlora["total"] == pytest.approx(matrices * (2 - costs.FOUR_BITS), abs=1)
    assert full["weights"] == 4 * total
    assert full["optimizer"] == 8 * planned["full"]["trainable_parameters"]


def test_a_base_of_eight_billion_weights_is_examined_without_them(tmp_path: Path):
    """The shape of Llama 3.1 8B: its published size, and 16 bytes for each of all weights when all are learned."""
    shape = {
        "vocab_size": 128256,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 131072,
        "dtype": "bfloat16",
    }
    base = configured("llama", tmp_path / "large", **shape)

    assert examine(base, recipe("qlora"))["total_parameters"] == 8_030_261_248
    assert examine(base, recipe("full", modules=()))["memory_bytes"]["total"] == 16 * 8_030_261_248
