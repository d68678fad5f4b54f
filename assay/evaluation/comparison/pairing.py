"""Pairing: whether two evaluations answer one question, and their items side by side."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import JsonValue

from assay.errors import IncomparableError
from assay.evaluations import Evaluation
from assay.outcomes import Answer, Choice, TextLoss, Timing

VERSION = 2

_SHOWN = 3
"""Ids named in a refusal."""

Item = TypeVar("Item", Answer, Choice, TextLoss, Timing)


def refuse_unlike(before: Evaluation, after: Evaluation) -> None:
    """Raise :class:`IncomparableError` if the evaluations are of one model, or name each component that differs."""
    if before.model == after.model:
        raise IncomparableError(
            f"both evaluations are of model {before.model[:12]}: expected two models. Was the adapter merged?"
        )
    expected, found = _flat(before.question), _flat(after.question)
    unlike = [name for name in sorted(expected.keys() | found.keys()) if expected.get(name) != found.get(name)]
    if unlike:
        parts = "; ".join(
            f"{n}: found {found.get(n, 'nothing')}, expected {expected.get(n, 'nothing')}" for n in unlike
        )
        raise IncomparableError(f"candidate and baseline were asked different questions: {parts}. Evaluate both alike.")


def paired(before: Sequence[Item], after: Sequence[Item], what: str) -> list[tuple[Item, Item]]:
    """Both arms' items side by side, in the baseline's order, or :class:`IncomparableError`."""
    first, second = ({item.id: item for item in items} for items in (before, after))
    if not before or len(first) != len(before) or len(second) != len(after):
        raise IncomparableError(
            f"found {len(before)} and {len(after)} {what}s with {len(first)} and {len(second)} different ids: expected "
            "at least one, each once. Evaluate both models anew."
        )
    if unlike := sorted(id for id in first.keys() | second.keys() if _key(first.get(id)) != _key(second.get(id))):
        raise IncomparableError(
            f"{len(unlike)} {what}s differ between the evaluations, such as {', '.join(unlike[:_SHOWN])}: expected "
            "the same items in both. Evaluate both models on one test side."
        )
    return [(item, second[item.id]) for item in before]


def _key(item: Item | None) -> tuple[str, ...]:
    match item:
        case Answer():
            return item.subject, item.expected
        case Choice():
            return (item.group,)
        case TextLoss():
            return item.group, str(item.tokens)
        case Timing():
            return (str(item.prompt_tokens),)
        case _:
            return ()


def _flat(value: JsonValue, name: str = "") -> dict[str, str]:
    """Leaves of a JSON value by dotted name, as short JSON."""
    if isinstance(value, Mapping) and value:
        return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{name}.{key}".lstrip(".")).items()}
    return {name: json.dumps(value, sort_keys=True)}
