"""Advice: whether to fine-tune, for a pull request and for a machine; the page of :mod:`~assay.reporting.approaches`.

Both are made of what was decided, hold no text of a record, and say what is not known. Whatever is quoted is escaped.
"""

import json
from collections.abc import Iterator
from typing import Any

from assay.reporting import wording
from assay.reporting.approaches import ADVICE, Arm, Content, Rate, not_known
from assay.reporting.markdown import escaped

SCHEMA = "assay-decision/1"

_DIGITS = 12


def markdown(content: Content) -> str:
    """A decision as GitHub and its like read it."""
    parts = [
        [f"### {ADVICE[content.recommendation.advice][0]}: {escaped(content.name)}", ""],
        [escaped(content.recommendation.sentence), ""],
        [*_table(content), ""],
        [escaped(content.curve.sentence), ""] if content.curve else [],
        _listed("What would change it", content.recommendation.would_change),
        _listed("Not known", tuple(not_known(content))),
        [f"<sub>Locked requests: sha256 `{content.locked[:_DIGITS]}`; again with `{_code(content.command)}`.</sub>"],
    ]
    return "".join(f"{line}\n" for part in parts for line in part)


def machine(content: Content) -> dict[str, Any]:
    """A decision as JSON values; what is not known is null.

    Shares are in 0 … 1, durations in ms, ``per_thousand`` is what a thousand requests cost in the price's currency.
    """
    return {
        "schema": SCHEMA,
        **content.recommendation.model_dump(mode="json"),
        "metric": content.metric,
        "records": content.records,
        "locked": content.locked,
        "margin": content.margin,
        "ways": [{**arm.model_dump(mode="json"), "per_thousand": content.amount(arm)} for arm in content.arms],
        "learning_curve": content.curve.model_dump(mode="json") if content.curve else None,
        "training_hours": content.training_hours,
        "price": content.price.model_dump(mode="json") if content.price else None,
        "environment": content.environment,
        "not_known": list(not_known(content)),
        "command": content.command,
    }


def summaries(content: Content) -> dict[str, bytes]:
    """Both by the ending of their file; equal content gives equal bytes."""
    told = json.dumps(machine(content), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    return {"md": markdown(content).encode(), "json": told.encode() + b"\n"}


def _table(content: Content) -> Iterator[str]:
    metric = escaped(wording.metric(content.metric))
    yield f"| Way | {metric} | Keeps the form | Prompt tokens | p50, p95 | 1,000 requests |"
    yield "|---|---:|---:|---:|---:|---:|"
    yield from (_row(content, arm) for arm in content.arms)


def _row(content: Content, arm: Arm) -> str:
    speed, amount, cost = arm.speed, content.amount(arm), wording.UNKNOWN
    if content.price and amount is not None:
        cost = f"{wording.money(amount)} {content.price.currency}"
    out = " (its answers lack the form)" if arm.name in content.recommendation.ruled_out else ""
    cells = (
        arm.name + out,
        _rate(arm.target),
        _rate(arm.format_adherence),
        wording.count(arm.prompt_tokens),
        f"{wording.duration_ms(speed.p50_ms)}, {wording.duration_ms(speed.p95_ms)}" if speed else wording.UNKNOWN,
        cost,
    )
    mark = "**" if arm.name == content.recommendation.arm else ""
    first, *rest = map(escaped, cells)
    return f"| {mark}{first}{mark} | {' | '.join(rest)} |"


def _rate(rate: Rate) -> str:
    return f"{wording.share(rate.value)} ({wording.share(rate.lower)} to {wording.share(rate.upper)})"


def _listed(title: str, lines: tuple[str, ...]) -> list[str]:
    return [f"**{title}:**", "", *(f"- {escaped(line)}" for line in lines), ""] if lines else []


def _code(text: str) -> str:
    """A text that may stand between two backticks, on one line."""
    return " ".join(text.replace("`", "'").split())
