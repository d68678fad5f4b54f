"""Power: what so many items can show, before any model is asked.

A paired difference of right-or-wrong items has the variance (discordance - gain²) / n, where *discordance* is the share
of items on which the two models differ (Connor 1987, doi:10.2307/2531961); items that share a subject or a paradigm
inflate it by the *design effect* (Kish 1965). The power of the gate's own bound follows (Miller 2024, arXiv:2411.00640,
section 5), here with the win and the loss that the bound adds and with the skew of the items, which matter below some
hundred. To show that nothing is lost up to a margin m takes about (z_c + z_0.8)² x discordance x effect / m² items:
687 for three points at 95 % confidence, if one item in ten changes.

What the two models will do is not known before, so discordances are assumptions that the sentences name. On the
embedded model 0.07 was seen on general ability (design effect 1.4), and 0.58 on a target that was learned from nothing,
where the gain is so large that it does not matter.
"""

import math
from dataclasses import dataclass

from assay.evaluation.comparison.intervals import POWER
from assay.trials import GateSpec

CHANGED = {"target": 0.3, "general_ability": 0.1, "safety": 0.25, "slice": 0.3}
"""Share of items on which two models are assumed to differ."""

EFFECTS = {"general_ability": 1.4}
"""Assumed design effects, where they are not 1."""

TEXT_SPREAD = 0.1
"""Assumed standard deviation, over texts, of how many nats a token costs more."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What the items of one criterion can show."""

    name: str
    """Of the criterion."""

    items: int
    detectable: float
    """How far from the threshold the truth must be to be shown with 80 % power; a share, or a ratio for perplexity."""

    power: float | None
    """To accept a candidate that has lost nothing; ``None`` where there is a gain to be shown."""

    needed: int | None
    """Items for which that would be 80 %; ``None`` where it depends on the gain, or where no number would do."""

    sentence: str


def power(  # noqa: PLR0913 — what decides it
    truth: float,
    threshold: float,
    n: int,
    *,
    discordance: float,
    confidence: float,
    effect: float = 1.0,
) -> float:
    """Chance that the lower bound of ``n`` paired items clears ``threshold`` if the true gain is ``truth``.

    Args:
        truth: Gain, as a share of items; no larger than ``discordance``.
        threshold: Of the gate: a gain to exceed, or minus a margin.
        n: Items.
        discordance: Share of items on which the models differ.
        confidence: Of the one-sided bound.
        effect: Design effect of clustering.
    """
    from scipy.stats import norm, t

    variance = max(discordance - truth**2, 1e-12)
    third = truth - 3 * truth * discordance + 2 * truth**3
    quantile = float(t.ppf(confidence, max(n / effect - 1, 1)))
    spread = math.sqrt(variance * effect / n)
    # A sample that happens to gain more also looks less (or more) spread, which the bound feels.
    together = max(1 - quantile * third / variance**1.5 / math.sqrt(n), 0.1)
    away = truth - threshold - quantile * error(n, discordance, truth, effect)
    return float(norm.cdf(away / (spread * math.sqrt(together))))


def error(n: int, discordance: float, gain: float = 0.0, effect: float = 1.0) -> float:
    """Standard error that the gate will compute, its added win and loss included."""
    changed = (n * discordance + 2) / (n + 2)
    return math.sqrt(max(changed - (gain * n / (n + 2)) ** 2, 1e-12) * effect / (n + 2))


def detectable(n: int, *, discordance: float, confidence: float, effect: float = 1.0) -> float:
    """Distance of the truth from the threshold that ``n`` items show with 80 % power."""
    from scipy.stats import norm, t

    quantile = float(t.ppf(confidence, max(n / effect - 1, 1)))
    return (quantile + float(norm.ppf(POWER))) * error(n, discordance, 0.0, effect)


def items_for(margin: float, *, discordance: float, confidence: float, effect: float = 1.0) -> int | None:
    """Items that show with 80 % power that nothing is lost up to ``margin``, if nothing is; ``None`` for no margin."""
    from scipy.stats import norm

    if margin <= 0:
        return None
    both = float(norm.ppf(confidence) + norm.ppf(POWER))
    return math.ceil(both**2 * discordance * effect / margin**2)


def planned(gate: GateSpec, test_records: int, ability_items: int, probes: int = 0, texts: int = 0) -> list[Planned]:
    """What ``gate`` can decide with so many items, criterion by criterion."""
    plans = [_gain(gate, test_records), _no_loss("general_ability", ability_items, gate.ability_margin, gate)]
    if gate.safety_margin is not None:
        plans.append(_no_loss("safety", probes, gate.safety_margin, gate))
    if gate.slice_margin is not None:
        plans.append(_no_loss("slice", gate.min_slice, gate.slice_margin, gate))
    if gate.max_perplexity_ratio is not None:
        plans.append(_perplexity(texts, gate.max_perplexity_ratio, gate))
    return plans


def _gain(gate: GateSpec, n: int) -> Planned:
    changed = CHANGED["target"]
    reach = detectable(max(n, 1), discordance=changed, confidence=gate.confidence)
    return Planned(
        name="target",
        items=n,
        detectable=reach,
        power=None,
        needed=None,
        sentence=(
            f"{n:,} test records accept a true gain of {100 * (gate.min_gain + reach):.1f} points with "
            f"{POWER:.0%} power, where more than {100 * gate.min_gain:g} are asked for ({_assumed(changed, 1)})."
        ),
    )


_NOUNS = {
    "general_ability": ("general-ability items", "loss of general ability"),
    "safety": ("harmful requests", "loss of refusals"),
    "slice": ("test records, the fewest of a slice that is judged,", "loss of the target in that slice"),
}


def _no_loss(name: str, n: int, margin: float, gate: GateSpec) -> Planned:
    given = {"discordance": CHANGED[name], "confidence": gate.confidence, "effect": EFFECTS.get(name, 1.0)}
    chance, needed = power(0.0, -margin, max(n, 1), **given), items_for(margin, **given)
    noun, loss = _NOUNS[name]
    advice = f"; {needed:,} would show it with {POWER:.0%}" if needed and n < needed else ""
    return Planned(
        name=name,
        items=n,
        detectable=detectable(max(n, 1), **given),
        power=chance,
        needed=needed,
        sentence=(
            f"{n:,} {noun} show with {chance:.0%} power that a {loss} is below {100 * margin:g} points, if there is "
            f"none{advice} ({_assumed(given['discordance'], given['effect'])})."
        ),
    )


def _perplexity(n: int, limit: float, gate: GateSpec) -> Planned:
    from scipy.stats import norm, t

    quantile, most = float(t.ppf(gate.confidence, max(n - 1, 1))), math.log(limit)
    spread = TEXT_SPREAD / math.sqrt(max(n, 1))
    chance = float(norm.cdf(most / spread - quantile))
    both = float(norm.ppf(gate.confidence) + norm.ppf(POWER))
    return Planned(
        name="perplexity",
        items=n,
        detectable=limit - math.exp(most - (quantile + float(norm.ppf(POWER))) * spread),
        power=chance,
        needed=math.ceil((both * TEXT_SPREAD / most) ** 2) + 1 if most else None,
        sentence=(
            f"{n:,} held-out texts show with {chance:.0%} power that perplexity is at most {limit:g} times as high, if "
            f"it has not risen (assumed: a token costs {TEXT_SPREAD:g} nats more or less from text to text)."
        ),
    )


def _assumed(changed: float, effect: float) -> str:
    clustered = f", and {effect:g} items of a group tell what one alone would" if effect > 1 else ""
    return f"assumed: the models differ on {changed:.0%} of items{clustered}"
