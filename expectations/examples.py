"""What one training example must be: a conversation that ends on the answer, and tokens that teach it.

Only the answer is learned (completion-only loss): a label of -100 is not learned, which is what PyTorch's
cross-entropy ignores. The token that ends a turn must be among what is learned, or the model never stops.
"""

from collections.abc import Collection, Mapping, Sequence

from expectations.cells import is_not_blank

IGNORED = -100
"""The label of a token that is not learned."""


def is_valid_chat(cell: Sequence[Mapping[str, str]]) -> bool:
    """Whether turns go user, assistant, … and end on the assistant; a system turn may come first; none is blank."""
    turns = list(cell)
    if turns and turns[0]["role"] == "system":
        roles = [turn["role"] for turn in turns[1:]]
    else:
        roles = [turn["role"] for turn in turns]
    alternating = roles == ["user", "assistant"] * (len(roles) // 2)
    return bool(roles) and alternating and all(is_not_blank(turn["content"]) for turn in turns)


def has_tokens(
    cell: Sequence[int], min_value: int | None = None, max_value: int | None = None, limit: int | None = None
) -> bool:
    """Whether there are ``min_value`` to ``max_value`` tokens, and no more than ``limit``.

    Raises:
        TypeError: the cell is a text, of which one would count the letters.
    """
    if isinstance(cell, str | bytes):
        raise TypeError("expected tokens")
    count = len(cell)
    most = min(bound for bound in (max_value, limit, count) if bound is not None)
    return (min_value or 0) <= count <= most


def excludes_prompt(cell: Sequence[int], prompt_tokens: int) -> bool:
    """Whether no label of the first ``prompt_tokens`` positions is learned, and one after them is."""
    import numpy as np

    learned = np.asarray(cell) != IGNORED
    prompt = _count(prompt_tokens)
    return not learned[:prompt].any() and bool(learned[prompt:].any())


def includes_end_of_turn(cell: Sequence[int], truncated: object, end_of_turn: Collection[int]) -> bool:
    """Whether the last label that is learned ends the turn; a truncated example need not."""
    import numpy as np

    if not is_whole(truncated):
        return True
    labels = np.asarray(cell)
    learned = labels[labels != IGNORED]
    return bool(len(learned)) and int(learned[-1]) in end_of_turn


def is_whole(cell: object) -> bool:
    """Whether an example was not truncated.

    Raises:
        TypeError: the cell is neither true nor false.
    """
    import numpy as np

    if not isinstance(cell, bool | np.bool_):
        raise TypeError("expected true or false")
    return not cell


def _count(cell: object) -> int:
    import numpy as np

    if not isinstance(cell, int | np.integer) or isinstance(cell, bool) or cell < 0:
        raise TypeError("expected a count")
    return int(cell)
