"""Answers depend on the model and the prompts, and on nothing that batching does."""

import itertools
import shutil

import pytest

from assay.errors import BaseModelError, ModelError
from assay.evaluation import generation
from tests import tiny_model

SYSTEM = "<|im_start|>system\nReply with JSON.<|im_end|>\n<|im_start|>user\n"
ASKED = ("Where is my parcel?", "Refund order 77 please, it was charged twice.", "Hi", "Password reset never comes!")


def silent(done: int, total: int) -> None:
    """Report to nobody."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of two layers."""
    return tiny_model.build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def loaded(folder):
    """Its weights, made five times as large: the answers of a fresh model hardly vary."""
    import torch

    model, tokenizer = generation.load(folder, "float32", 1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    return model, tokenizer


@pytest.fixture(scope="module")
def prompts(loaded):
    """Prompts of four lengths behind one system turn."""
    _, tokenizer = loaded
    return [tokenizer.encode(f"{SYSTEM}{text}<|im_end|>\n<|im_start|>assistant\n") for text in ASKED]


def naive(model, prompt: list[int], limit: int) -> list[int]:
    """Greedy decoding as one would write it first: everything read anew for every token."""
    import torch

    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(limit):
            token = int(model(torch.tensor([ids])).logits[0, -1].argmax())
            if token in generation.ends(model):
                break
            ids.append(token)
    return ids[len(prompt) :]


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_batched_answers_equal_answers_one_by_one(loaded, prompts, batch_size):
    """Padding, positions and the shared prefix must not be seen by the model."""
    model, tokenizer = loaded

    answers = generation.answer(model, tokenizer, prompts, 12, batch_size, silent)

    expected = [tokenizer.decode(naive(model, prompt, 12), skip_special_tokens=True) for prompt in prompts]
    assert answers == expected
    assert len(set(answers)) > 1


def test_prompts_that_share_nothing_are_answered_alike(loaded):
    """Without a common beginning there is no prefix to share."""
    model, tokenizer = loaded
    prompts = [tokenizer.encode(text) for text in ASKED]

    answers = generation.answer(model, tokenizer, prompts, 8, 4, silent)

    assert answers == [tokenizer.decode(naive(model, p, 8), skip_special_tokens=True) for p in prompts]


def test_a_prompt_that_begins_another_keeps_its_last_token_to_itself(loaded, prompts):
    """The last token has to be read with the row: its output is the first token of the answer."""
    model, tokenizer = loaded
    nested = [prompts[0][:5], prompts[0], prompts[0][:5]]

    answers = generation.answer(model, tokenizer, nested, 6, 3, silent)

    assert answers == [tokenizer.decode(naive(model, p, 6), skip_special_tokens=True) for p in nested]


def test_the_answer_stops_before_the_end_of_the_turn(loaded, prompts, monkeypatch):
    """The end of turn is the padding token too; only the model's own one ends an answer."""
    model, tokenizer = loaded
    said = naive(model, prompts[1], 12)
    end = said[3]
    monkeypatch.setattr(model.generation_config, "eos_token_id", [2, end])

    answers = generation.answer(model, tokenizer, prompts, 12, 4, silent)

    assert answers[1] == tokenizer.decode(list(itertools.takewhile(lambda t: t != end, said)))


def test_progress_is_told_after_each_batch_and_ends_at_the_total(loaded, prompts):
    """So that a page can show it."""
    told: list[tuple[int, int]] = []

    generation.answer(*loaded, prompts, 2, 3, lambda done, total: told.append((done, total)))

    assert told == [(3, 4), (4, 4)]


def test_batches_are_made_of_neighbours_in_length_in_one_way_only():
    """Ties go by place in the input, so that two evaluations batch alike."""
    assert generation._batches([[1, 1], [1], [1, 1], [1]], 3) == [[1, 3, 0], [2]]


def test_nothing_is_answered_with_nothing(loaded):
    """An empty side is the caller's to refuse."""
    assert generation.answer(*loaded, [], 4, 2, silent) == []


@pytest.mark.parametrize(
    ("prompt", "message"), [([], "prompt 1 has no token"), ([5] * 250, "prompt 1 has 250 tokens .* window is 256")]
)
def test_a_prompt_that_cannot_be_answered_is_refused(loaded, prompt, message):
    """A truncated prompt would be another question."""
    with pytest.raises(ModelError, match=message):
        generation.answer(*loaded, [[5], prompt], 12, 2, silent)


def test_latency_is_positive_ordered_and_counts_the_requests(loaded, prompts):
    """A first token cannot come after the last."""
    found = generation.latency(loaded[0], prompts, 4, 5)

    assert found["requests"] == 5
    assert 0 < found["first_token_p50_ms"] <= found["request_p50_ms"] <= found["request_p95_ms"]
    assert found["first_token_p50_ms"] <= found["first_token_p95_ms"]
    assert 1 <= found["tokens_per_request"] <= 4
    assert found["tokens_per_second"] > 0


def test_latency_of_no_prompt_is_refused(loaded):
    """There is nothing to time."""
    with pytest.raises(ModelError, match="no prompt"):
        generation.latency(loaded[0], [], 4, 5)


def test_weights_are_read_in_the_type_asked_for(folder):
    """Both arms use the recipe's type."""
    model, _ = generation.load(folder, "bfloat16", 1)

    assert str(model.dtype) == "torch.bfloat16"
    assert not model.training


def test_a_folder_without_a_model_is_refused(tmp_path):
    """The message names the folder and what was expected in it, not where it is."""
    with pytest.raises(BaseModelError, match=r"cannot be loaded .* expected config\.json") as refusal:
        generation.load(tmp_path / "absent", "float32", 1)
    assert str(tmp_path) not in str(refusal.value)


def test_weights_cut_short_are_refused(folder, tmp_path):
    """A copy that was interrupted is not a model."""
    altered = shutil.copytree(folder, tmp_path / "altered")
    weights = (altered / "model.safetensors").read_bytes()
    (altered / "model.safetensors").write_bytes(weights[: len(weights) // 2])

    with pytest.raises(BaseModelError, match="cannot be loaded"):
        generation.load(altered, "float32", 1)


def test_pickled_weights_are_not_read(folder, tmp_path):
    """A pickle is a program."""
    import torch

    altered = shutil.copytree(folder, tmp_path / "altered")
    (altered / "model.safetensors").unlink()
    torch.save({}, altered / "pytorch_model.bin")

    with pytest.raises(BaseModelError, match="safetensors"):
        generation.load(altered, "float32", 1)
