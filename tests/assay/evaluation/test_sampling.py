"""An answer is drawn from the model's own distribution, by numbers of its own."""

import bisect
import itertools
import json
import random
from collections import Counter

import pytest

from assay.errors import ModelError, RecipeError
from assay.evaluation import generation, sampling
from tests import tiny_model

ASKED = ("Where is my parcel?", "Refund order 77 please, it was charged twice.", "Hi", "Password reset never comes!")


def silent(done: int, total: int) -> None:
    """Report to nobody."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A model of two layers with lively weights."""
    import torch

    model, tokenizer = generation.load(tiny_model.build(tmp_path_factory.mktemp("tiny")), "float32", 1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    return model, tokenizer


@pytest.fixture(scope="module")
def prompts(loaded):
    """Four prompts of four lengths."""
    return [loaded[1].encode(text) for text in ASKED]


def draw(model, prompts, streams, **how):
    """Answers, by the arguments that a test names."""
    plain = {"stop": (2,), "temperature": 1.0, "max_new_tokens": 12, "batch_size": 4, "report": silent} | how
    return sampling.draw(model, prompts, streams, **plain | {"stop": frozenset(plain["stop"])})


def naive(model, prompt: list[int], stream: str, stop: set[int]) -> sampling.Drawn:
    """Drawing as one would write it first: everything read anew for every token, probabilities added up one by one."""
    import torch

    dice, said = random.Random(stream), sampling.Drawn()
    with torch.inference_mode():
        for _ in range(12):
            chances = model(torch.tensor([prompt + said.tokens])).logits[0, -1].double().softmax(-1)
            token = bisect.bisect(list(itertools.accumulate(chances.tolist())), dice.random())
            if token in stop:
                said.ended = True
                break
            said.tokens.append(token)
    return said


@pytest.mark.parametrize("size", [1, 3, 4])
def test_batched_answers_equal_answers_one_by_one(loaded, prompts, size):
    """Padding, positions, and rows that leave the batch before others must not be seen by the model."""
    model, _ = loaded
    streams = [f"s{n}" for n in range(len(prompts))]
    ends = set(range(0, len(model.lm_head.weight), 5))  # One token in five ends an answer, so that lengths differ.

    answers = draw(model, prompts, streams, stop=ends, batch_size=size)

    assert answers == [naive(model, p, s, ends) for p, s in zip(prompts, streams, strict=True)]
    assert len({len(answer.tokens) for answer in answers}) > 2


def test_the_same_name_draws_the_same_answer_and_another_name_another(loaded, prompts):
    """So a run can be repeated, and a prompt asked twice is not answered twice alike."""
    once, again, other = (draw(loaded[0], prompts[:1], [name])[0] for name in ("a", "a", "b"))

    assert once == again
    assert once.tokens != other.tokens


def test_tokens_come_as_often_as_the_model_finds_them_likely(loaded, prompts):
    """Nothing is cut off the distribution, and nothing weighs more in it."""
    import torch

    model, _ = loaded
    times = 800
    with torch.inference_mode():
        likely = (model(torch.tensor([prompts[0]])).logits[0, -1].double() / 2).softmax(-1)

    drawn = draw(
        model, prompts[:1] * times, [str(n) for n in range(times)], temperature=2.0, max_new_tokens=1, batch_size=times
    )

    seen = Counter(answer.tokens[0] for answer in drawn)
    for token in likely.topk(3).indices.tolist():
        expected = times * float(likely[token])
        assert abs(seen[token] - expected) < 4 * (expected + 1) ** 0.5


def test_a_low_temperature_says_the_likeliest(loaded, prompts):
    """In the limit it is greedy."""
    greedy = generation.answer(*loaded, prompts, 6, 4, silent)

    cold = draw(loaded[0], prompts, ["x"] * 4, temperature=1e-4, max_new_tokens=6)

    assert [loaded[1].decode(answer.tokens, skip_special_tokens=True) for answer in cold] == greedy


def test_an_answer_ended_by_the_limit_has_not_ended(loaded, prompts):
    """What was cut off is told from what was finished."""
    (cut,) = draw(loaded[0], prompts[:1], ["a"], stop=(), max_new_tokens=3)
    (ended,) = draw(loaded[0], prompts[:1], ["a"], stop=cut.tokens[1:2], max_new_tokens=3)

    assert (len(cut.tokens), cut.ended) == (3, False)
    assert (ended.tokens, ended.ended) == (cut.tokens[:1], True)


def test_nothing_is_answered_with_nothing(loaded):
    """There is no batch to compose."""
    assert draw(loaded[0], [], []) == []


@pytest.mark.parametrize(("prompt", "message"), [([], "prompt 1 has no token"), ([5] * 250, "window is 256")])
def test_a_prompt_that_cannot_be_answered_is_refused(loaded, prompt, message):
    """A truncated prompt would be another question."""
    with pytest.raises(ModelError, match=message):
        draw(loaded[0], [[5], prompt], ["a", "b"])


def test_progress_is_told_after_each_batch_and_ends_at_the_total(loaded, prompts):
    """So that a page can show it."""
    told: list[tuple[int, int]] = []

    draw(loaded[0], prompts, list("abcd"), batch_size=3, report=lambda done, of: told.append((done, of)))

    assert told == [(3, 4), (4, 4)]


def test_repetition_is_the_share_of_runs_that_stood_there_before():
    """All new is 0, all one token near 1; a short answer is not called repetitive."""
    assert sampling.repetition(range(50)) == 0
    assert sampling.repetition([7] * 50) == pytest.approx(1 - 1 / 47)
    assert sampling.repetition(list(range(20)) * 2) == pytest.approx(1 - 20 / 37)
    assert sampling.repetition([7] * 18) == 0


def test_prompts_are_read_line_by_line():
    """Blank lines are no prompts."""
    lines = [json.dumps({"id": id, "prompt": f"say {id}"}) for id in ("a", "b")]

    found = sampling.parse("\n\n".join(lines).encode())

    assert [(each.id, each.prompt) for each in found] == [("a", "say a"), ("b", "say b")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "prompts: found no line; expected one prompt at least"),
        (" \n\n", "prompts: found no line"),
        ('{"id": "a", "prompt": "x"}\n{"id": "b"}\n', r"prompts line 2: found a mistake in prompt \(.*; expected"),
        ('{"prompt": "x"}', "prompts line 1: found a mistake in id"),
        ('{"id": "a", "prompt": "  "}', "prompts line 1: found a mistake in prompt .*blank"),
        ('{"id": "a", "prompt": 3}', "prompts line 1: found a mistake in prompt"),
        ('{"id": "a", "prompt": "x", "answer": "y"}', "prompts line 1: found a mistake in answer"),
        ("not json", "prompts line 1: found a mistake in the line"),
        ("[1]", "prompts line 1: found a mistake in the line"),
        ('{"id": "a", "prompt": "x"}\n\n{"id": "a", "prompt": "y"}', "prompts line 3: found the id of line 1 again"),
    ],
)
def test_a_line_that_is_no_prompt_is_refused_by_its_number(data, message):
    """The message says what to mend, and quotes nothing."""
    with pytest.raises(RecipeError, match=message) as refusal:
        sampling.parse(data.encode())

    assert "not json" not in str(refusal.value)


def test_bytes_that_are_no_text_are_refused():
    """A file named by mistake may be anything."""
    with pytest.raises(RecipeError, match="prompts line 1"):
        sampling.parse(b"\xff\xfe\x00")
