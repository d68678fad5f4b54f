"""Puts the hand-written and the generated items together into the benchmark.

Within a group the wrong choices are shuffled and the gold position runs through 0, 1, ... in turn, so
that a model which always picks one position scores chance. Groups are then interleaved in proportion
to their size: any prefix of the file is a fair sample of the whole, whatever an evaluator's `limit`.
"""

import itertools
import random

from bench.generate_general_ability import agreement, recall, tables
from bench.generate_general_ability.item import Draft, Item


def _numbered(group: list[Draft], rng: random.Random) -> list[tuple[float, Item]]:
    """The items of one group in random order, each with its place in the file as a share of the group."""
    shuffled = rng.sample(group, len(group))
    turns: dict[int, itertools.count[int]] = {}
    placed = []
    for number, draft in enumerate(shuffled, start=1):
        wrong = tuple(rng.sample(draft.wrong, len(draft.wrong)))
        width = len(wrong) + 1
        position = next(turns.setdefault(width, itertools.count())) % width
        right_apart = Draft(draft.slug, draft.group, draft.kind, draft.context, draft.right, wrong)
        placed.append(((number - 0.5) / len(shuffled), right_apart.placed(number, position)))
    return placed


def items(seed: int) -> list[Item]:
    """The whole benchmark in the order in which it is filed.

    Raises:
        ValueError: two items with the same context and choices; the message quotes the second.
    """
    groups: dict[str, list[Draft]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    for draft in (*tables.drafts(), *agreement.drafts(seed), *recall.drafts(seed)):
        content = (draft.context, frozenset((draft.right, *draft.wrong)))
        if content in seen:
            raise ValueError(
                f"{draft.group}: found a second {draft.context!r} {draft.right!r}, expected one: delete it"
            )
        seen.add(content)
        groups.setdefault(draft.slug, []).append(draft)
    placed = [pair for slug in sorted(groups) for pair in _numbered(groups[slug], random.Random(f"{seed} {slug}"))]
    return [item for _, item in sorted(placed, key=lambda pair: (pair[0], pair[1].id))]
