"""Differences: how far apart two sets of weights are that should be the same.

Of each matrix the largest absolute difference of two weights over its largest absolute weight: relative to single
weights, those near zero would drown everything. One matrix is in memory at a time.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Difference:
    """What two folders of weights differ in."""

    matrices: int
    differing: int
    """Of those that both have."""

    largest: float
    """Relative difference; 0 if none differs, inf where one is not finite."""

    where: str
    """Matrix that it stands in."""

    unmatched: tuple[str, ...]
    """Matrices that only one of them has, or that have another shape or type in each."""


def between(one: Path, other: Path) -> Difference:
    """Compare the safetensors of two folders, matrix by matrix."""
    found: dict[str, float] = {}
    with ExitStack() as opened:
        a, b = (_matrices(folder, opened) for folder in (one, other))
        unmatched = set(a) ^ set(b)
        for name in sorted(set(a) & set(b)):
            left, right = a[name].get_tensor(name), b[name].get_tensor(name)
            if left.shape != right.shape or left.dtype != right.dtype:
                unmatched.add(name)
            else:
                found[name] = relative(left, right)
    where = max(found, key=lambda name: found[name], default="")
    return Difference(
        matrices=len(found),
        differing=sum(value > 0 for value in found.values()),
        largest=found.get(where, 0.0),
        where=where if found.get(where) else "",
        unmatched=tuple(sorted(unmatched)),
    )


def relative(one: "torch.Tensor", other: "torch.Tensor") -> float:
    """Largest absolute difference over the largest absolute weight of either."""
    import torch

    if one.numel() == 0 or torch.equal(one, other):
        return 0.0
    a, b = one.double(), other.double()
    size = max(float(a.abs().max()), float(b.abs().max()))
    apart = float((a - b).abs().max()) / size if size else 0.0
    return apart if math.isfinite(apart) else math.inf


def _matrices(folder: Path, opened: ExitStack) -> dict[str, Any]:
    return dict(_named(folder, opened))


def _named(folder: Path, opened: ExitStack) -> Iterator[tuple[str, Any]]:
    from safetensors import safe_open

    for path in sorted(folder.rglob("*.safetensors")):
        file = opened.enter_context(cast("Any", safe_open(str(path), framework="pt")))
        for name in file.keys():  # noqa: SIM118  # it is no mapping
            yield name, file
