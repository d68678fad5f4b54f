"""YAML as nodes, which know their lines: one document, plain enough that a reader sees all that a parser does.

Anchors and aliases are refused, since a value that stands in one place and counts in another is easily overlooked,
and since they can be nested until memory is full.
"""

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import Node

from assay.errors import ExpectationError

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
"""Lists and mappings within one another; the parser's own time grows with the square."""


def compose(data: bytes, name: str, what: str, expected: str) -> Node:
    """The top node of the file called ``name``, a ``what`` that holds what is ``expected``.

    Raises:
        ExpectationError: ``name:line: what: reason``; it is too large, not UTF-8, not YAML, empty, or has an anchor.
    """
    if len(data) > MAX_BYTES:
        raise ExpectationError(f"{name}:1: {what}: is {len(data)} bytes, expected at most {MAX_BYTES}")
    try:
        content = data.decode()
        _refuse_hidden(content, name, what)
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise ExpectationError(f"{name}:1: {what}: is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        raise ExpectationError(f"{name}:{mark.line + 1 if mark else 1}: {what}: is not YAML: {problem}") from None
    if node is None:
        raise ExpectationError(f"{name}:1: {what}: is empty; it needs {expected}")
    return node


def _refuse_hidden(content: str, name: str, what: str) -> None:
    depth = 0
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None) is not None:
            raise ExpectationError(f"{name}:{line}: {what}: anchors and aliases are not read; write the value out")
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ExpectationError(f"{name}:{line}: {what}: is nested too deeply")
