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


def test_an_answer_does_not_hang_on_what_else_is_asked(loaded, prompts):
    """To the last bit of every logit: among others, in another order, alone, in batches cut otherwise."""
    model, tokenizer = loaded
    more = [[*prompts[0][:-1], extra, prompts[0][-1]] for extra in range(40, 60)]
    whole = logits(model, tokenizer, [*prompts, *more])

    for some in ([*reversed(prompts), *more[::3]], [*more[5:9], *prompts], [prompts[0], prompts[2]]):
        assert generation._shared(some) == generation._shared(prompts)
        assert logits(model, tokenizer, some).items() <= whole.items()


def logits(model, tokenizer, prompts) -> dict[tuple[int, ...], list[bytes]]:
    """Prompt → the bytes of all logits that its tokens were picked by."""
    seen: dict[tuple[int, ...], list[bytes]] = {}
    heard = generation._heard

    def listen(asked, found, rows):
        for at, row in rows.items():
            seen.setdefault(tuple(prompts[row.place]), []).append(found[at].numpy().tobytes())
        return heard(asked, found, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "_heard", listen)
        generation.answer(model, tokenizer, prompts, 6, 4, silent)
    return seen


def test_what_is_known_is_not_computed_and_what_is_new_is_added(loaded, prompts):
    """A larger test set costs its new items only."""
    known: dict[str, str] = {}
    answers = generation.answer(*loaded, prompts[:3], 6, 4, silent, known=known)
    assert len(known) == 3
    told: list[tuple[int, int]] = []

    again = generation.answer(*loaded, prompts, 6, 4, lambda *done: told.append(done), known=known)

    assert again[:3] == answers
    assert len(known) == 4
    assert told == [(3, 4), (4, 4)]
    marked = dict.fromkeys(known, "remembered")
    assert generation.answer(*loaded, prompts, 6, 4, silent, known=marked) == ["remembered"] * 4


@pytest.mark.parametrize("changed", [{"max_new_tokens": 7}, {"batch_size": 3}, {"constrain": "x"}, {"prompts": 2}])
def test_another_way_of_answering_is_not_known(loaded, prompts, changed):
    """Length, batch, constraint and the shared beginning may all move an answer."""
    known: dict[str, str] = {}
    generation.answer(*loaded, prompts, 6, 4, silent, known=known)
    before = set(known)

    constrain = Only("x", range(400)) if "constrain" in changed else None
    asked = [*prompts, [5, 6, 7]] if "prompts" in changed else prompts
    tokens, batch = changed.get("max_new_tokens", 6), changed.get("batch_size", 4)
    generation.answer(*loaded, asked, tokens, batch, silent, known=known, constrain=constrain)

    assert len(known) - len(before) == len(asked)


def test_equal_prompts_are_answered_once(loaded, prompts):
    """The same question has the same answer."""
    known: dict[str, str] = {}

    answers = generation.answer(*loaded, [prompts[0], prompts[1], prompts[0]], 6, 4, silent, known=known)

    assert answers[0] == answers[2]
    assert len(known) == 2


class Only:
    """Lets a few tokens be said, and remembers what it was told."""

    def __init__(self, digest: str, tokens) -> None:
        self.digest, self.tokens, self.told = digest, list(tokens), []

    def __call__(self, said):
        """Called each step."""
        import torch

        self.told.append({place: list(tokens) for place, tokens in said.items()})
        may = torch.zeros(len(said), len(tiny_model.build_tokenizer()), dtype=torch.bool)
        may[:, self.tokens] = True
        return may


def test_only_what_is_allowed_is_said_and_each_row_is_told_of_alone(loaded, prompts):
    """A constraint sees every token of every row, and nothing of rows that fill up."""
    model, tokenizer = loaded
    only = Only("x", [50, 51])

    answers = generation.answer(model, tokenizer, prompts, 3, 4, silent, constrain=only)

    assert all(set(tokenizer.encode(said)) <= {50, 51} for said in answers)
    assert {place for told in only.told for place in told} == set(range(4))
    assert sorted(len(said) for told in only.told for said in told.values()) == [0] * 4 + [1] * 4 + [2] * 4


def test_a_row_that_may_only_end_ends(loaded, prompts):
    """An answer that is complete has no other token left."""
    assert generation.answer(*loaded, prompts, 3, 4, silent, constrain=Only("x", [2])) == [""] * 4


def test_the_model_attends_as_before_afterwards(loaded, prompts):
    """Whoever trains it, or scores with it, finds it as it was."""
    model, _ = loaded
    generation.answer(*loaded, prompts, 2, 4, silent)

    assert model.config._attn_implementation == "sdpa"


def test_layers_with_a_sliding_window_read_no_further(tmp_path):
    """Its answers are the same as one by one, token by token."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    tokenizer = tiny_model.build_tokenizer()
    config = MistralConfig(
        vocab_size=len(tokenizer), num_key_value_heads=2, sliding_window=5, eos_token_id=2, bos_token_id=1, **sizes
    )
    model = MistralForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    prompts = [tokenizer.encode(SYSTEM + text) for text in ASKED]

    answers = generation.answer(model, tokenizer, prompts, 6, 3, silent)

    assert answers == [tokenizer.decode(naive(model, p, 6), skip_special_tokens=True) for p in prompts]


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


def test_a_request_alone_says_what_a_batch_says_and_its_first_token_comes_first(loaded, prompts):
    """Timed is what is scored."""
    model, _ = loaded

    first, total, tokens = generation.request(model, prompts[0], 12)

    said = naive(model, prompts[0], 12)
    assert 0 < first <= total
    assert tokens == min(12, len(said) + 1)


def test_a_request_ends_with_the_end_of_its_turn(loaded, prompts):
    """A model that says less is quicker."""
    assert generation.request(loaded[0], prompts[0], 12, Only("x", [2]))[2] == 1


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
