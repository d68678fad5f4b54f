"""Relabelling: another value for one field of a JSON answer, every other byte as it was.

The model learns the answer's text, so its blanks, the order of its keys and its way of writing letters beyond ASCII
must not depend on whether a person has corrected it.
"""

import json
from json.decoder import JSONDecoder

_BLANKS = " \t\n\r"


def relabelled(completion: str, field: str, label: str) -> str | None:
    """``completion`` with ``label`` as its ``field``; None if it is no JSON object that has the field.

    A field that holds a number or a truth value gets one if ``label`` is one.
    """
    try:
        span = _span(completion, field)
    except (ValueError, IndexError, RecursionError):
        return None
    if span is None:
        return None
    start, end, present = span
    value = label if isinstance(present, str) or present is None else _typed(label)
    return completion[:start] + json.dumps(value, ensure_ascii="\\u" in completion) + completion[end:]


def _typed(label: str) -> object:
    try:
        return json.loads(label, parse_constant=str)
    except ValueError:
        return label


def _span(text: str, field: str) -> tuple[int, int, object] | None:
    """Start, end and value of ``field``; of the last if there are several, which is the one that a parser takes."""
    if not isinstance(json.loads(text), dict):
        return None
    decoder = JSONDecoder()
    found = None
    at = _after_blanks(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        start = _after_blanks(text, _after_blanks(text, at) + 1)
        value, at = decoder.raw_decode(text, start)
        found = (start, at, value) if key == field else found
        at = _after_blanks(text, at)
        at = _after_blanks(text, at + 1) if text[at] == "," else at
    return found


def _after_blanks(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at
