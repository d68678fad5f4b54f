"""Conversations are in order, and tokens teach the answer and its end."""

import numpy as np
import pytest

from expectations.examples import excludes_prompt, has_tokens, includes_end_of_turn, is_valid_chat, is_whole

OFF = -100


def turns(*roles, content="words"):
    """A conversation by its roles."""
    return [{"role": role, "content": content} for role in roles]


@pytest.mark.parametrize(
    ("roles", "passes"),
    [
        (("user", "assistant"), True),
        (("system", "user", "assistant", "user", "assistant"), True),
        ((), False),
        (("system",), False),
        (("assistant",), False),
        (("user",), False),
        (("user", "assistant", "user"), False),
        (("user", "user", "assistant"), False),
        (("user", "system", "assistant"), False),
        (("system", "system", "user", "assistant"), False),
        (("user", "tool", "assistant"), False),
    ],
)
def test_roles_take_turns_and_end_on_the_assistant(roles, passes):
    """A system turn comes first or not at all."""
    assert is_valid_chat(turns(*roles)) is passes


def test_a_blank_turn_is_no_turn():
    """Not even if it holds a zero-width character."""
    assert not is_valid_chat([*turns("user"), *turns("assistant", content="\u200b ")])


def test_the_tightest_bound_holds():
    """The model's window limits what the suite allows."""
    assert has_tokens([1, 2, 3], 2, 9, 3)
    assert not has_tokens([1, 2, 3], 2, 9, 2)
    assert not has_tokens([1], 2)


@pytest.mark.parametrize(
    ("labels", "prompt_tokens", "passes"),
    [
        ([OFF, OFF, 5, 6], 2, True),
        ([OFF, 4, 5, 6], 2, False),
        ([OFF, OFF, OFF, OFF], 2, False),
        ([OFF, OFF], 2, False),
        ([OFF, OFF, 5, 6], 3, False),
        ([], 0, False),
    ],
)
def test_the_prompt_is_read_and_the_answer_learned(labels, prompt_tokens, passes):
    """Nothing of the first, something of the second; lists and arrays alike."""
    assert excludes_prompt(labels, prompt_tokens) is passes
    assert excludes_prompt(np.array(labels, dtype=np.int32), np.int32(prompt_tokens)) is passes


@pytest.mark.parametrize(
    ("labels", "truncated", "passes"),
    [
        ([OFF, 5, 2], False, True),
        ([OFF, 5, 2, OFF], False, True),
        ([OFF, 5, 6], False, False),
        ([OFF, 2, 6], False, False),
        ([OFF, OFF], False, False),
        ([OFF, 5, 6], True, True),
        ([OFF, 5, 6], np.bool_(True), True),  # noqa: FBT003
    ],
)
def test_the_end_of_the_turn_is_learned_last(labels, truncated, passes):
    """Unless the example was cut short."""
    assert includes_end_of_turn(np.array(labels), truncated, [2, 3]) is passes


@pytest.mark.parametrize("cell", [None, 0, "false", float("nan")])
def test_only_true_and_false_say_whether_an_example_is_whole(cell):
    """Anything else was not looked at."""
    with pytest.raises(TypeError):
        is_whole(cell)
