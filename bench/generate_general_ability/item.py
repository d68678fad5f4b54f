"""One item of the probe, first as a draft (gold answer apart), then as it is filed.

`{"id": "effect-0001", "group": "effect", "kind": "choice", "context": "He dropped the egg on the stone
floor, so", "choices": [" it bounced.", " it broke.", " it floated away."], "gold": 1}`
"""

import dataclasses
import json
from typing import Literal

Kind = Literal["minimal_pair", "cloze", "choice"]


@dataclasses.dataclass(frozen=True)
class Draft:
    """An item before it has a number and before its gold answer has a place among the choices."""

    slug: str
    """Short name of the group, the first half of the id."""
    group: str
    """Name of the group, as a person reads it."""
    kind: Kind
    """How the item is scored."""
    context: str
    """What comes before every choice; empty for a minimal pair."""
    right: str
    """The choice that a sound model should prefer."""
    wrong: tuple[str, ...]
    """The other choices, all different from the right one and from each other."""

    def __post_init__(self) -> None:
        """Refuse an item whose choices are too few, empty or alike.

        Raises:
            ValueError: fewer than two choices, an empty one, or two that are equal.
        """
        choices = (self.right, *self.wrong)
        if len(choices) < 2 or len(set(choices)) < len(choices) or not all(choice.strip() for choice in choices):
            raise ValueError(
                f"{self.group}: found choices {choices}, expected two or more, all different: mend the row"
            )

    def placed(self, number: int, position: int) -> "Item":
        """The item with its number in the group, its gold answer at `position` (counted from 0)."""
        choices = [*self.wrong[:position], self.right, *self.wrong[position:]]
        return Item(f"{self.slug}-{number:04d}", self.group, self.kind, self.context, choices, position)


@dataclasses.dataclass(frozen=True)
class Item:
    """One line of the benchmark: score each choice by log p(choice | context), predict the highest."""

    id: str
    """Slug of the group and a number of four digits."""
    group: str
    """Name of the group, the cluster for standard errors."""
    kind: Kind
    """`minimal_pair` and `cloze` sum log-probabilities; `choice` divides the sum by the characters."""
    context: str
    """What comes before every choice; empty for a minimal pair."""
    choices: list[str]
    """Two to four continuations; each starts with a space unless the context is empty."""
    gold: int
    """Index of the right choice."""

    def line(self) -> str:
        """The item as one line of JSON, without the newline."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)
