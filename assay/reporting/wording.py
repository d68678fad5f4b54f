"""Wording: numbers and names as people read them.

Shares are per cent, their differences percentage points, thousands are set apart by a narrow space, and what is not
known is a dash. Metrics have names; a metric that has none here is called what the recipe calls it.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

VERSION = 3

UNKNOWN = "\u2013"
_THIN = "\u202f"
_HOUR, _MINUTE = 3600, 60

METRICS = {
    "exact_match": ("Exact match", "the whole answer is the expected one"),
    "format_adherence": ("Format adherence", "the answer parses and satisfies the JSON schema"),
    "field_accuracy": ("Field accuracy", "mean share of the answer's fields that are right"),
    "label_f1": ("Macro F1 of the label", "every label counts alike, however rare"),
    "held_out_loss": ("Held-out loss", "nats per learned token, on records that nothing was learned from"),
    "general_ability": ("General ability", "what the model could do before, and should still"),
    "perplexity": ("Perplexity of held-out text", "how surprised a model is by text it never saw; less is better"),
    "safety": ("Harmful refused", "refuses what it should"),
    "over_refusal": ("Harmless answered", "does not refuse the harmless like of a harmful request"),
    "accuracy": ("General ability", "what the model could do before, and should still"),
    "latency_p50_ms": ("Median latency", "of a whole request"),
    "latency_p95_ms": ("95th percentile of latency", "of a whole request"),
    "request_p50_ms": ("Median latency", "of a whole request"),
    "request_p95_ms": ("95th percentile of latency", "of a whole request"),
    "first_token_p50_ms": ("Median time to the first token", ""),
    "first_token_p95_ms": ("95th percentile of time to the first token", ""),
    "tokens_per_second": ("Tokens per second", "new tokens over all the time"),
    "tokens_per_request": ("Tokens per request", "an answer that says less is quicker"),
    "prompt_tokens_per_request": ("Prompt tokens per request", "what is read before the first token"),
    "requests": ("Requests timed", ""),
}

DOORWAYS = {
    "pass": ("Passed", "good", "\u2713", "Every check holds. All rows go on."),
    "pass_with_warnings": (
        "Passed with warnings",
        "odd",
        "!",
        "All rows go on. Checks that warn, or that somebody waived, did not hold.",
    ),
    "quarantine": (
        "Passed without the rows set aside",
        "odd",
        "!",
        "Rows that failed a check stay behind, filed under their id. The rest go on.",
    ),
    "stop": ("Stopped", "bad", "\u2715", "No row goes on. The run ends here."),
}
"""Decision at a doorway → its word, the class of its colour, a sign, and what follows."""

SEVERITIES = {"stop": "stops the run", "quarantine": "sets the row aside", "warn": "warns"}


def metric(name: str) -> str:
    """A metric's name for people."""
    return METRICS[name][0] if name in METRICS else humanised(name)


def meaning(name: str) -> str:
    """What a metric says, or nothing if it is not one of ours."""
    return METRICS[name][1] if name in METRICS else ""


def humanised(name: str) -> str:
    """``max_new_tokens`` as ``Max new tokens``."""
    return re.sub(r"[_\s]+", " ", name).strip().capitalize()


def scaled(value: float | None, name: str) -> str:
    """A metric's value in its unit, which its name tells: ms, nats, a number, or else a share."""
    if name.endswith("_ms"):
        return duration_ms(value)
    if name.endswith("_loss"):
        return loss(value)
    return number(value) if _is_number(name) else share(value)


def changed(value: float | None, name: str) -> str:
    """The difference of two values of a metric in its unit."""
    if name.endswith("_ms"):
        return _signed(value, duration_ms)
    return _signed(value, number) if _is_number(name) else points(value)


def share(value: float | None) -> str:
    """0.123 as ``12.3 %``."""
    return f"{round(100 * value, 6):.1f}{_THIN}%" if _known(value) else UNKNOWN


def percent(value: float | None) -> str:
    """A share to three figures, however small: 0.00125 as ``0.125 %``."""
    return f"{100 * value:.3g}{_THIN}%" if _known(value) else UNKNOWN


def points(value: float | None) -> str:
    """A difference of shares in percentage points, signed: 0.123 as ``+12.3``."""
    return _signed(value, lambda size: f"{round(100 * size, 6):.1f}")


def between(lower: float | None, upper: float | None, name: str = "") -> str:
    """An interval of a difference, in the unit of the metric ``name``."""
    if not (_known(lower) and _known(upper)):
        return UNKNOWN
    return f"{changed(lower, name)} to {changed(upper, name)}"


def count(value: float | None) -> str:
    """12345 as ``12 345``."""
    return f"{value:,.0f}".replace(",", _THIN) if _known(value) else UNKNOWN


def number(value: float | None) -> str:
    """A quantity without a unit, to three figures or to the whole."""
    if not _known(value):
        return UNKNOWN
    return count(value) if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004


def money(value: float | None) -> str:
    """An amount to the hundredth, or to two figures if it is less than one."""
    if not _known(value):
        return UNKNOWN
    if 0 < value < 1e-4:  # noqa: PLR2004
        return "under 0.0001"
    return f"{value:,.2f}".replace(",", _THIN) if value >= 1 or not value else f"{value:.2g}"


def loss(value: float | None) -> str:
    """Nats to four figures: what training still moves is in the last ones."""
    return f"{value:.4g}" if _known(value) else UNKNOWN


def big(value: float | None) -> str:
    """A large number as a power of ten."""
    if not _known(value) or abs(value) < 1e6:  # noqa: PLR2004
        return count(value)
    power = math.floor(math.log10(abs(value)))
    raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{value / 10**power:.2g}{_THIN}\u00d7{_THIN}10{raised}"


def duration_ms(value: float | None) -> str:
    """Milliseconds, or seconds from ten on."""
    if not _known(value):
        return UNKNOWN
    return f"{value / 1000:.1f}{_THIN}s" if value >= 10_000 else f"{value:.0f}{_THIN}ms"  # noqa: PLR2004


def duration(seconds: float | None) -> str:
    """90 as ``1 min 30 s``."""
    if not _known(seconds):
        return UNKNOWN
    if seconds < _MINUTE:
        return f"{seconds:.1f}{_THIN}s"
    whole = round(seconds)
    parts = ((whole // _HOUR, "h"), (whole % _HOUR // _MINUTE, "min"), (whole % _MINUTE, "s"))
    return " ".join(f"{value}{_THIN}{unit}" for value, unit in parts if value)


def moment(written: str) -> str:
    """``2026-11-20T06:59:45+00:00`` as ``2026-11-20 06:59 UTC``; what is no such moment stays as it is."""
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(\+00:00|Z|[+-]\d{2}:\d{2})?", written)
    if found is None:
        return written
    zone = found[3] or ""
    return f"{found[1]} {found[2]} {'UTC' if zone in {'+00:00', 'Z'} else zone}".rstrip()


def size(octets: float | None) -> str:
    """Bytes as ``2.9 GB``."""
    if not _known(octets):
        return UNKNOWN
    for power, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if octets >= power:
            return f"{octets / power:.1f}{_THIN}{unit}"
    return f"{octets:.0f}{_THIN}B"


def leaves(value: Any, name: str = "") -> list[tuple[str, str]]:  # noqa: ANN401
    """The leaves of a JSON value with their dotted names, as text."""
    if isinstance(value, Mapping) and value:
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{name}.{key}".lstrip("."))]
    if isinstance(value, (list, tuple)):
        return [(name, ", ".join(text for item in value for _, text in leaves(item)) or "none")]
    said = (
        {None: "none", True: "yes", False: "no"}.get(value, value) if isinstance(value, (bool, type(None))) else value
    )
    return [(name, number(said) if isinstance(said, float) else str(said))]


def is_digest(text: object) -> bool:
    """Whether a text is a sha256 in hexadecimal."""
    return isinstance(text, str) and re.fullmatch(r"(sha256:)?[0-9a-f]{64}", text) is not None


def _is_number(name: str) -> bool:
    begins, ends = ("tokens_", "prompt_tokens_", "requests"), ("_per_second", "_loss", "perplexity", "ratio")
    return name.startswith(begins) or name.endswith(ends)


def _signed(value: float | None, said: Callable[[float], str]) -> str:
    if not _known(value):
        return UNKNOWN
    text = said(abs(value))
    sign = "+" if value > 0 else "\u2212"
    return f"{sign}{text}" if re.search(r"[1-9]", text) else text


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
