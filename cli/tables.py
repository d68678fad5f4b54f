"""How the command line draws steps, progress and numbers."""

import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tasks.steps import StepState

QUIET_EVERY = 15.0
"""Seconds between two progress lines where the output is not a terminal."""

DRAWN_EVERY = 0.1
"""Seconds between two drawings of a bar: more often than that is a flicker."""

ASIDE = frozenset({"held_out", "checkpoint", "resumed"})
"""Events that say something in passing, and not how far a step is."""

_MINUTE, _HOUR = 60, 3600


@dataclass(slots=True)
class _Pace:
    """How fast one step of a task counts, since this process first heard of it."""

    began: float
    first: int
    """What it had counted then: a resumed run begins in the middle."""

    last: int
    of: int
    tokens: float = 0.0
    seconds: float = 0.0
    """Tokens read, and seconds of training, of which that was told first."""

    def left(self, now: float) -> float | None:
        """Seconds until all is counted, at the pace so far."""
        done = self.last - self.first
        return (now - self.began) / done * (self.of - self.last) if done > 0 else None

    def rate(self, event: Mapping[str, Any]) -> float | None:
        """Tokens a second, of what was read in the meantime."""
        if not {"tokens", "seconds"} <= event.keys():
            return None
        seconds = event["seconds"] - self.seconds
        return (event["tokens"] - self.tokens) / seconds if seconds > 0 else None


class Steps:
    """Prints a line for each step as it ends; steps that are mapped over shards share one.

    On a terminal a bar moves below them; elsewhere a line comes now and then. Steps of several threads may report.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._same: list[StepState] = []
        self._bar = ""
        self._said = -QUIET_EVERY
        self._paces: dict[tuple[str, str], _Pace] = {}
        self._held_out: dict[str, float] = {}
        self._lock = threading.RLock()

    def ended(self, state: "StepState") -> None:
        """Take in a step that ended."""
        with self._lock:
            if self._same and self._same[0].task != state.task:
                self._flush()
            self._same.append(state)
            if state.task != "redact":
                self._flush()

    def progressed(self, task: str, event: dict[str, Any]) -> None:
        """Take in a progress event of the step that is running."""
        with self._lock:
            if "held_out_loss" in event:
                self._held_out[task] = event["held_out_loss"]
            if not event.get("of") or event.get("event") in ASIDE:
                return
            now, is_last = time.monotonic(), event["step"] >= event["of"]
            pace = self._counted(task, event, now)
            every = DRAWN_EVERY if self._out.isatty() else QUIET_EVERY
            if now - self._said < every and not (is_last and self._out.isatty()):
                return
            self._said = now
            step, of = event["step"], event["of"]
            drawn = _bar(step / of, self._out)
            self._draw(f"  {task:<21} {drawn} {step}/{of} {self._details(task, event, pace, now)}")

    def close(self) -> None:
        """Print what is still held back."""
        with self._lock:
            self._flush()
            if self._bar:
                print(self._wiped(""), end="", file=self._out, flush=True)

    def _draw(self, line: str) -> None:
        """Over the bar before, in one go and only if it differs, so that nothing flickers."""
        if not self._out.isatty():
            print(line, file=self._out, flush=True)
            return
        width = shutil.get_terminal_size().columns - 1
        line = line[:width].rstrip()
        if line != self._bar:
            print(f"\r{line:<{len(self._bar)}}", end="", file=self._out, flush=True)
            self._bar = line

    def _wiped(self, line: str) -> str:
        """``line`` where the bar was, if there is one."""
        if self._bar:
            line, self._bar = f"\r{'':<{len(self._bar)}}\r{line}", ""
        return line

    def _flush(self) -> None:
        if not self._same:
            return
        first = self._same[0]
        name = first.task if len(self._same) == 1 else f"{first.task} x{len(self._same)}"
        words = sorted({state.state for state in self._same}, reverse=True)
        word = words[0] if len(words) == 1 else ", ".join(f"{self._count(w)} {w}" for w in words)
        seconds = max(state.seconds for state in self._same)
        time_taken = f"{seconds:8.1f} s" if seconds else f"{'':10}"
        reason = next((state.reason for state in self._same if state.reason), "")
        line = f"  {name:<21} {word:<10}{time_taken}  {_shortened(reason)}".rstrip()
        print(self._wiped(line), file=self._out, flush=True)
        self._paces = {key: pace for key, pace in self._paces.items() if key[0] != first.task}
        self._held_out.pop(first.task, None)
        self._same.clear()

    def _count(self, word: str) -> int:
        return sum(state.state == word for state in self._same)

    def _counted(self, task: str, event: Mapping[str, Any], now: float) -> _Pace:
        """The pace of what the event counts; it begins anew if that began anew."""
        key, step = (task, str(event.get("event", ""))), event["step"]
        pace = self._paces.get(key)
        if pace is None or step < pace.last or event["of"] != pace.of:
            pace = _Pace(now, step, step, event["of"], event.get("tokens", 0.0), event.get("seconds", 0.0))
            self._paces[key] = pace
        pace.last = step
        return pace

    def _details(self, task: str, event: Mapping[str, Any], pace: _Pace, now: float) -> str:
        held_out, rate, left = self._held_out.get(task), pace.rate(event), pace.left(now)
        said = [
            str(event.get("event", "")),
            f"loss {event['loss']:.3f}" if "loss" in event else "",
            f"held-out {held_out:.3f}" if held_out is not None else "",
            f"{rate:,.0f} tokens/s" if rate is not None else "",
            f"{_duration(left)} left" if left is not None else "",
        ]
        return "  ".join(filter(None, said))


def spent(cost: Mapping[str, Any]) -> list[str]:
    """What training took, a line for each kind of thing; ``cost`` as a run filed it."""
    read, learned, rate = f"{cost['tokens']:,} tokens", cost["learned_tokens"], cost["tokens_per_second"]
    tokens = [
        read,
        f"{learned:,} of them learned" if learned is not None else "",
        f"{rate:,.0f} a second" if rate else "",
    ]
    spared = cost["operations_spared"]
    share = "" if spared is None else f", {1 - spared:.1%} of what learning every weight takes"
    lines = [
        ", ".join(filter(None, tokens)),
        f"{cost['operations']:.2g} operations{share}" if cost["operations"] else "",
        f"{cost['device_hours']:.3g} device-hours on {_devices(cost['devices'])}{_memory(cost)}",
        _price(cost),
        _repeats(cost),
    ]
    return [line for line in lines if line]


def _devices(number: int) -> str:
    return "one device" if number == 1 else f"{number} devices"


def _memory(cost: Mapping[str, Any]) -> str:
    on_device = f", {cost['device_peak_bytes'] / 1e9:.1f} GB on the device" if cost["device_peak_bytes"] else ""
    return f", peak memory {cost['peak_bytes'] / 1e9:.1f} GB{on_device}" if cost["peak_bytes"] else ""


def _price(cost: Mapping[str, Any]) -> str:
    if (price := cost["price"]) is None:
        return "no price in the recipe"
    amount, hour = _amount(cost["amount"]), _amount(price["device_hour"])
    return f"{amount} {price['currency']}, at {hour} a device-hour (price of {price['as_of']})"


def _repeats(cost: Mapping[str, Any]) -> str:
    if not (number := cost["repeats"]):
        return ""
    worth = f", {_amount(cost['repeats_amount'])} {cost['price']['currency']}" if cost["price"] else ""
    return f"and {cost['repeats_device_hours']:.3g} device-hours for {number} more with other seeds{worth}"


def _amount(value: float) -> str:
    return f"{value:,.2f}" if value >= 1 or not value else f"{value:.2g}"


def before_and_after(baseline: dict[str, float], candidate: dict[str, float]) -> str:
    """Metrics of both models side by side."""
    rows = [(name, baseline[name], candidate[name]) for name in baseline if name in candidate]
    lines = [f"{'':<24}{'before':>10}{'after':>10}{'change':>10}"]
    lines += [f"{name:<24}{a:>10.3f}{b:>10.3f}{b - a:>+10.3f}" for name, a, b in rows]
    return "\n".join(lines)


def verdict(record: Mapping[str, Any]) -> str:
    """The gate's word, its sentence, and why; what got worse and nothing judges, where a record says it."""
    word, told = record["verdict"], record["sentence"]
    lines = [f"verdict   {word.upper()}: {told.removeprefix(f'{word.capitalize()}: ')}"]
    lines += [f"          - {reason}" for reason in record["reasons"]]
    lines += [f"worse     {line}; judged by no criterion" for line in record.get("unjudged", ())]
    return "\n".join(lines)


def unusual(record: dict[str, Any]) -> list[str]:
    """What looked unusual in a recipe before it was trained, though nothing forbade it; nothing in older records."""
    return list(record.get("fitness", {}).get("warnings", []))


def columns(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows with their columns aligned."""
    table = list(rows)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))] if table else []
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def _bar(share: float, out: TextIO, width: int = 24) -> str:
    full = int(share * width)
    is_utf = (out.encoding or "").lower().startswith("utf")
    return "█" * full + "░" * (width - full) if is_utf else f"{share:4.0%}"


def _duration(seconds: float) -> str:
    """90 as ``1 min 30 s``; of hours no seconds."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def _shortened(text: str, limit: int = 90) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
