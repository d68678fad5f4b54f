"""Further metrics: those that a recipe names by the path of a class.

``metrics: {politeness: "shop.measures:Politeness"}`` loads ``Politeness`` of the installed module ``shop.measures``: a
subclass of ``evaluate.Metric``, taken by name and never from a hub or a cache, kept in memory. It is asked once, with
all answers and all expected answers as texts and with those of ``per_item``, ``schema``, ``names`` and ``label`` that
its ``_compute`` takes. It answers with a mapping that has the list ``items``, or whose only list it is: one score an
item, in 0 … 1, more is better. A mean alone is refused, as a paired test has nothing to pair then.

What such a class does is its author's business; what it raises may quote an answer, so only the kind of error is told.
The code is part of what was asked: :func:`identity` names it.
"""

import hashlib
import importlib
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import RecipeError

OURS = frozenset({"exact_match", "format_adherence", "field_accuracy", "label_f1", "general_ability"})
"""Names that a further metric cannot have."""

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)

Metric = type[Any]
"""A subclass of ``evaluate.Metric``."""


def load(metrics: Mapping[str, str]) -> dict[str, Metric]:
    """The classes that ``metrics`` (name → ``package.module:Class``) names.

    Raises:
        RecipeError: a name or a path is none, or there is no such module or class, or it is no ``evaluate.Metric``.
    """
    return {name: _class(name, path) for name, path in metrics.items()}


def identity(metrics: Mapping[str, str]) -> dict[str, str]:
    """Name → sha256 of the source of the module in which the metric's class stands.

    Raises:
        RecipeError: as :func:`load`.
    """
    return {
        name: hashlib.sha256(Path(inspect.getfile(found)).read_bytes()).hexdigest()
        for name, found in load(metrics).items()
    }


def ask(
    metrics: Mapping[str, Metric], said: Sequence[str], expected: Sequence[str], given: Mapping[str, Any], folder: str
) -> list[dict[str, float]]:
    """Scores of each pair by name.

    Args:
        metrics: From :func:`load`.
        said: Answers.
        expected: What they should be.
        given: Further arguments, handed to a metric that takes them.
        folder: Into which the library may write, though nothing of it is kept.

    Raises:
        RecipeError: a metric fails, or does not give one score in 0 … 1 for each pair.
    """
    columns = {name: _scores(name, found, said, expected, given, folder) for name, found in metrics.items()}
    return [{name: scores[place] for name, scores in columns.items()} for place in range(len(said))]


def _class(name: str, path: str) -> Metric:
    import evaluate

    if not _NAME.fullmatch(name) or name in OURS:
        raise RecipeError(
            f"evaluation.metrics: found the name {name!r}; expected lower-case letters, digits and underscores, and "
            f"none of {', '.join(sorted(OURS))}. Rename it."
        )
    if not _PATH.fullmatch(path):
        raise RecipeError(f"evaluation.metrics.{name}: found {path!r}; expected package.module:Class. Correct it.")
    module, _, wanted = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), wanted, None)
    except Exception as error:  # noqa: BLE001 — importing runs somebody else's code
        raise RecipeError(
            f"evaluation.metrics.{name}: module {module} cannot be imported ({type(error).__name__}). Install it "
            "beside Assay, or correct the path."
        ) from None
    if not (inspect.isclass(found) and issubclass(found, evaluate.Metric)):
        raise RecipeError(
            f"evaluation.metrics.{name}: module {module} has no class {wanted} that is an evaluate.Metric. Derive it "
            "from one, or correct the path."
        )
    return found


def _scores(  # noqa: PLR0913, PLR0917 — a metric, its name, and what it is asked
    name: str, metric: Metric, said: Sequence[str], expected: Sequence[str], given: Mapping[str, Any], folder: str
) -> list[float]:
    arguments = _taken(metric, {"per_item": True, **given})
    try:
        computed = metric(keep_in_memory=True, cache_dir=folder).compute(
            predictions=list(said), references=list(expected), **arguments
        )
    except Exception as error:  # noqa: BLE001 — its message may quote an answer
        raise RecipeError(
            f"evaluation.metrics.{name}: {metric.__name__} failed with {type(error).__name__}. Try it on a few texts "
            "by hand."
        ) from None
    return [_score(name, value) for value in _items(name, computed, len(said))]


def _taken(metric: Metric, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``arguments`` that the metric's ``_compute`` has a place for."""
    takes = inspect.signature(metric._compute).parameters.values()  # noqa: SLF001 — what subclasses of Metric define
    if any(each.kind is each.VAR_KEYWORD for each in takes):
        return dict(arguments)
    names = {each.name for each in takes}
    return {name: value for name, value in arguments.items() if name in names}


def _items(name: str, computed: object, n: int) -> Sequence[Any]:
    """The list of scores in what a metric computed."""
    lists = {}
    if isinstance(computed, Mapping):
        lists = {
            key: value for key, value in computed.items() if hasattr(value, "__len__") and not isinstance(value, str)
        }
    found = lists.get("items", next(iter(lists.values())) if len(lists) == 1 else None)
    if found is None or len(found) != n:
        said = "no list of scores" if found is None else f"{len(found)} scores"
        raise RecipeError(
            f"evaluation.metrics.{name}: found {said} for {n} answers; expected one each, under the key items. Let "
            "_compute take per_item, and answer it with them."
        )
    return list(found)


def _score(name: str, value: Any) -> float:  # noqa: ANN401 — whatever a metric gives
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 <= found <= 1:
        raise RecipeError(
            f"evaluation.metrics.{name}: found a score that is not a number in 0 … 1; expected one, more being better. "
            "Scale it."
        )
    return found
