"""How the command line draws steps, progress and numbers."""

import shutil
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tasks.steps import StepState

QUIET_EVERY = 15.0
"""Seconds between two progress lines where the output is not a terminal."""


class Steps:
    """Prints a line for each step as it ends; steps that are mapped over shards share one."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._same: list[StepState] = []
        self._bar = False
        self._said = 0.0
        self._began: dict[str, tuple[float, int]] = {}

    def ended(self, state: "StepState") -> None:
        """Take in a step that ended."""
        if self._same and self._same[0].task != state.task:
            self._flush()
        self._same.append(state)
        if state.task != "redact":
            self._flush()

    def progressed(self, task: str, event: dict[str, Any]) -> None:
        """Take in a progress event of the step that is running."""
        if not event.get("of"):
            return
        terminal = self._out.isatty()
        if not terminal and time.monotonic() - self._said < QUIET_EVERY:
            return
        self._said = time.monotonic()
        step, of = event["step"], event["of"]
        line = f"  {task:<22}{_bar(step / of)} {step}/{of} {self._details(task, event)}"
        if terminal:
            width = shutil.get_terminal_size().columns
            print(f"\r{line[: width - 1]:<{width - 1}}", end="", file=self._out, flush=True)
            self._bar = True
        else:
            print(line, file=self._out, flush=True)

    def close(self) -> None:
        """Print what is still held back."""
        self._flush()

    def _flush(self) -> None:
        if not self._same:
            return
        if self._bar:
            print(f"\r{'':<{shutil.get_terminal_size().columns - 1}}\r", end="", file=self._out)
            self._bar = False
        first = self._same[0]
        name = first.task if len(self._same) == 1 else f"{first.task} x{len(self._same)}"
        words = sorted({state.state for state in self._same}, reverse=True)
        word = words[0] if len(words) == 1 else ", ".join(f"{self._count(w)} {w}" for w in words)
        seconds = max(state.seconds for state in self._same)
        time_taken = f"{seconds:8.1f} s" if seconds else f"{'':10}"
        reason = next((state.reason for state in self._same if state.reason), "")
        print(f"  {name:<22}{word:<10}{time_taken}  {_shortened(reason)}".rstrip(), file=self._out, flush=True)
        self._same.clear()

    def _count(self, word: str) -> int:
        return sum(state.state == word for state in self._same)

    def _details(self, task: str, event: dict[str, Any]) -> str:
        what = f"{task}/{event.get('event')}"
        began, first = self._began.setdefault(what, (time.monotonic(), event["step"]))
        done = event["step"] - first
        left = (time.monotonic() - began) / done * (event["of"] - event["step"]) if done > 0 else None
        eta = f"  {left:.0f} s left" if left is not None else ""
        loss = f"  loss {event['loss']:.3f}" if "loss" in event else ""
        return f"{event.get('event', '')}{loss}{eta}"


def before_and_after(baseline: dict[str, float], candidate: dict[str, float]) -> str:
    """Metrics of both models side by side."""
    rows = [(name, baseline[name], candidate[name]) for name in baseline if name in candidate]
    lines = [f"{'':<24}{'before':>10}{'after':>10}{'change':>10}"]
    lines += [f"{name:<24}{a:>10.3f}{b:>10.3f}{b - a:>+10.3f}" for name, a, b in rows]
    return "\n".join(lines)


def columns(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows with their columns aligned."""
    table = list(rows)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))] if table else []
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def _bar(share: float, width: int = 24) -> str:
    full = round(share * width)
    return "█" * full + "░" * (width - full) if sys.stdout.encoding.lower().startswith("utf") else f"{share:4.0%}"


def _shortened(text: str, limit: int = 90) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
