"""The sentences that messages are made of, read from the text files beside this module.

Two disjoint stocks exist, *seen* and *unseen*; held-out messages are built of the latter only. A
slot such as ``{order}`` is filled later. The mark in front of a core sentence is its priority.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Wording = Literal["seen", "unseen"]
Priority = Literal["low", "normal", "high"]

FOLDER = Path(__file__).parent / "wordings"
PRIORITIES: dict[str, Priority] = {"low": "low", "normal": "normal", "high": "high"}
MARKS: dict[str, Priority] = {"!": "high", "?": "low"}


@dataclass(frozen=True, slots=True)
class Core:
    """The sentence that carries the request."""

    intent: str
    priority: Priority
    """``normal`` means that a cue beside the sentence may still raise or lower it."""

    text: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A whole message in another language than English."""

    intent: str
    priority: Priority
    text: str


@cache
def cores(wording: Wording) -> dict[str, tuple[Core, ...]]:
    """Core sentences by intent."""
    return {intent: tuple(_core(intent, line) for line in lines) for intent, lines in sections(f"cores_{wording}")}


@cache
def parts(wording: Wording) -> dict[str, tuple[str, ...]]:
    """Greetings, closings, contexts, cues, details and the rest, by section."""
    return dict(sections(f"parts_{wording}"))


@cache
def fillers(wording: Wording) -> dict[str, tuple[str, ...]]:
    """Words for the slots that tell nothing about anybody; products differ between the stocks."""
    words = dict(sections("fillers"))
    unseen = words.pop("product_unseen")
    return words if wording == "seen" else {**words, "product": unseen}


@cache
def foreign() -> tuple[Foreign, ...]:
    """Messages for the flaw ``other_language``."""
    rows = (line.split(" | ", 2) for line in _lines("foreign"))
    return tuple(Foreign(intent, PRIORITIES[priority], text) for intent, priority, text in rows)


def intents() -> tuple[str, ...]:
    """All intents, in the order of the file."""
    return tuple(cores("seen"))


def _core(intent: str, line: str) -> Core:
    mark, _, rest = line.partition(" ")
    return Core(intent, MARKS[mark], rest) if mark in MARKS else Core(intent, "normal", line)


def sections(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Sections of one of the files, with their lines."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in _lines(name):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            found[section] = []
        else:
            found[section].append(line)
    yield from ((section, tuple(lines)) for section, lines in found.items())


def _lines(name: str) -> list[str]:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("# ")]
