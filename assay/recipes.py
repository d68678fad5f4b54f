"""Recipes: YAML into a :class:`RunSpec`, or a list of what is wrong and where.

``settings`` change single values by their dotted path, as ``assay run --set training.epochs=2`` does;
a change makes another recipe, so it is part of every key it touches.
"""

from collections.abc import Mapping
from typing import Any, cast

import yaml
from pydantic import ValidationError

from assay.errors import RecipeError
from assay.spec import RunSpec


def parse(data: bytes, name: str, settings: Mapping[str, object] | None = None) -> RunSpec:
    """Read a recipe.

    Args:
        data: The YAML file's bytes.
        name: Of the file, for messages.
        settings: Dotted path → new value; a list item is named by its index.

    Raises:
        RecipeError: it is not YAML, or lacks a key, has an unknown one, or a value out of range; one line each.
    """
    try:
        tree = yaml.load(data.decode("utf-8"), _Loader)  # noqa: S506  # a SafeLoader
    except UnicodeDecodeError as error:
        raise RecipeError(f"{name}: found a byte that is not UTF-8 at offset {error.start}; expected UTF-8.") from None
    except (yaml.YAMLError, ValueError) as error:  # The second: a date such as 2026-02-30.
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        found = getattr(error, "problem", None) or "a value that cannot be read"
        raise RecipeError(f"{name}{line}: found no valid YAML ({found}); mend the file.") from None
    if not isinstance(tree, dict):
        raise RecipeError(f"{name}: found {type(tree).__name__}; expected a mapping of recipe keys.")
    tree = _unshared(tree)
    for path, value in (settings or {}).items():
        _put(tree, path, value, name)
    try:
        return RunSpec.model_validate(tree)
    except ValidationError as error:
        raise RecipeError("\n".join(_line(name, problem) for problem in error.errors())) from None


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once: a reader sees the first, a plain loader would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Refuse a mapping that names a key twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key `{key.value}` stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _unshared(value: Any) -> Any:  # noqa: ANN401
    """``value`` with every YAML alias copied, so that a setting changes the place that it names and no other."""
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


def _put(tree: dict[str, Any], path: str, value: object, name: str) -> None:
    node: Any = tree
    *parents, last = path.split(".")
    try:
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node[part]
        if isinstance(node, list):
            node[int(last)] = value
        else:
            cast("dict[str, object]", node)[last] = value
    except (KeyError, IndexError, ValueError, TypeError):
        raise RecipeError(
            f"{name}: cannot set {path}: there is no such place. Give the dotted path of a value in the recipe."
        ) from None


def _line(name: str, problem: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or "recipe"
    match problem["type"]:
        case "extra_forbidden":
            what = "unknown key; remove it, or see `assay.spec` for the keys there are"
        case "missing":
            what = "missing; expected a value"
        case _:
            what = str(problem["msg"])[0].lower() + str(problem["msg"])[1:]
    return f"{name}: {place}: {what}"
