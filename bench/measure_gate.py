"""Measure the gate on truths that are known: how often it is wrong, and how often it sees what is there.

    python -m bench.measure_gate
    python -m bench.measure_gate --simulations 4000 --part coverage --part texts

Every simulated comparison goes through the bounds and p values of :mod:`assay.evaluation.comparison`; nothing is
computed a second way. A share seen in N simulations may miss what is claimed by chance: a rate claimed to be at most
alpha is *met* up to alpha + 2.33 standard errors (one claim in a hundred is then missed wrongly), and a coverage in 93
to 97 % is met within that band widened by 1.64 standard errors. CPU seconds are of this process.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.evaluation.comparison import intervals, power
from assay.evaluation.comparison.clusters import Totals
from assay.evaluation.comparison.selftest import swapped
from assay.evaluation.holm import holm

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
SIZES = (80, 300, 1500)
SCORES = np.array([-1, -2 / 3, -1 / 3, 1 / 3, 2 / 3, 1])
"""Changes of field accuracy over three fields."""

SLICES, SLICE = 12, 60
WHOLES = ((1, 60), (6, 20), (20, 10), (50, 31), (100, 3))
"""Subjects, and records of each, that change as a whole or not at all."""

Floats = Any


@dataclass(frozen=True)
class Line:
    """One claim, and whether it held."""

    claim: str
    setting: str
    n: int
    found: float
    wanted: str
    met: bool

    def __str__(self) -> str:
        """A row of a Markdown table."""
        found = f"{100 * self.found:.1f} %" if self.met else f"**{100 * self.found:.1f} %: missed**"
        return f"| {self.claim} | {self.setting} | {self.n:,} | {found} | {self.wanted} |"


def at_most(claim: str, setting: str, n: int, wrong: Floats) -> Line:
    """Claim that the share of ``wrong`` is alpha or less."""
    share, limit = float(np.mean(wrong)), ALPHA + 2.33 * math.sqrt(ALPHA * CONFIDENCE / len(wrong))
    return Line(claim, setting, n, share, f"at most 5 % (to {100 * limit:.1f} % by chance)", share <= limit)


def covered(setting: str, n: int, inside: Floats) -> Line:
    """Claim that 93 to 97 % of intervals hold the truth."""
    share, slack = float(np.mean(inside)), 1.64 * math.sqrt(0.95 * 0.05 / len(inside))
    return Line("coverage", setting, n, share, "93 to 97 %", 0.93 - slack <= share <= 0.97 + slack)


def groups(n: int, *, clustered: bool, draw: np.random.Generator) -> Floats:
    """The cluster of each item: its own, or one of clusters whose sizes are skewed (geometric, mean 3)."""
    if not clustered:
        return np.arange(n)
    return np.repeat(np.arange(n), draw.geometric(1 / 3, size=n))[:n]


def summed(changes: Floats, codes: Floats) -> Totals:
    """Totals of each row's clusters."""
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    parts = (np.ones(changes.shape, dtype=np.int8), changes, changes**2, changes > 0, changes < 0)
    return Totals(*(np.add.reduceat(np.asarray(part, dtype=float), starts, axis=-1) for part in parts))


def shocks(rows: int, codes: Floats, draw: np.random.Generator) -> Floats:
    """A uniform number for each item that is alike within clusters: a Gaussian copula of correlation 0.3."""
    from scipy.stats import norm

    _, sizes = np.unique(codes, return_counts=True)
    if sizes.max() == 1:
        return draw.random((rows, len(codes)))
    shared = np.repeat(draw.normal(size=(rows, len(sizes))), sizes, axis=1)
    return norm.cdf(math.sqrt(0.3) * shared + math.sqrt(0.7) * draw.normal(size=(rows, len(codes))))


def binary(rows: int, codes: Floats, gain: float, discordance: float, draw: np.random.Generator) -> Floats:
    """Changes of right-or-wrong items."""
    found = shocks(rows, codes, draw)
    lost = found < (discordance - gain) / 2
    return (found > 1 - (discordance + gain) / 2).astype(float) - lost


def scores(rows: int, codes: Floats, gain: float, discordance: float, draw: np.random.Generator) -> Floats:
    """Changes of field accuracy: losses are larger and rarer than wins, so changes are skewed."""
    found = shocks(rows, codes, draw)
    mean_win, mean_loss = 4 / 9, 7 / 9
    won = (gain + discordance * mean_loss) / (mean_win + mean_loss)
    sizes = draw.random(found.shape)
    win = SCORES[3:][np.searchsorted((2 / 3, 1.0), sizes)]
    loss = SCORES[:3][np.searchsorted((1 / 3, 1.0), sizes)]
    return np.where(found > 1 - won, win, np.where(found < discordance - won, loss, 0.0))


KINDS: dict[str, Callable[..., Floats]] = {"binary": binary, "scores": scores}


def simulated(  # noqa: PLR0913 — a setting
    kind: str, n: int, gain: float, discordance: float, *, rows: int, clustered: bool
) -> Totals:
    """``rows`` comparisons of ``n`` items each."""
    draw = np.random.default_rng([n, int(clustered), len(kind), int(1000 * abs(gain))])
    codes = groups(n, clustered=clustered, draw=draw)
    return summed(KINDS[kind](rows, codes, gain, discordance, draw), codes)


def settings() -> Iterator[tuple[str, str, int, bool]]:
    """Kind, its name, items, and whether they are clustered."""
    for kind in KINDS:
        for clustered in (False, True):
            for n in SIZES:
                yield kind, f"{kind}, {'clustered' if clustered else 'independent'}", n, clustered


def coverage(rows: int) -> Iterator[Line]:
    """Two-sided intervals at 95 %, that is, one-sided bounds at 97.5 %."""
    for kind, setting, n, clustered in settings():
        found = bounded(simulated(kind, n, -0.02, 0.2, rows=rows, clustered=clustered), kind, 0.975)
        yield covered(setting, n, (found.lower < -0.02) & (found.upper > -0.02))


def margins(rows: int) -> Iterator[Line]:
    """False acceptance at the margin, false refusal at the margin, and gains that are none."""
    for kind, setting, n, clustered in settings():
        for name, threshold, discordance in (("no loss of 3 points", -0.03, 0.1), ("gain of 10 points", 0.1, 0.3)):
            found = bounded(
                simulated(kind, n, threshold, discordance, rows=rows, clustered=clustered), kind, CONFIDENCE
            )
            shown, refuted = intervals.tails(found, threshold)
            yield at_most("false acceptance at the margin", f"{setting}, {name}", n, shown <= ALPHA)
            yield at_most("false refusal at the margin", f"{setting}, {name}", n, refuted <= ALPHA)


def alike(rows: int) -> Iterator[Line]:
    """The A/A self-test of one sample of each kind, and arms that are alike by simulation."""
    for kind, setting, n, clustered in settings():
        one = simulated(kind, n, 0.05, 0.3, rows=1, clustered=clustered)
        flat = Totals(*(part[0] for part in (one.sizes, one.sums, one.squares, one.wins, one.losses)))
        found = bounded(swapped(flat, rows, np.random.default_rng(n)), kind, CONFIDENCE)
        yield at_most("A/A self-test: gain seen", setting, n, found.lower > 0)
        found = bounded(simulated(kind, n, 0.0, 0.2, rows=rows, clustered=clustered), kind, CONFIDENCE)
        yield at_most("A/A by simulation: gain seen", setting, n, found.lower > 0)


def powers(rows: int) -> Iterator[Line]:
    """Power against the one that is computed before, for items with and without a design effect."""
    rows = 5 * rows  # a tolerance of three points is no test with a standard error of one and a half
    for n, truth, threshold, discordance in (
        (80, 0.0, -0.1, 0.1), (80, 0.2, 0.1, 0.3), (300, 0.0, -0.03, 0.1), (300, 0.1, 0.02, 0.3),
        (700, 0.0, -0.03, 0.1), (1500, 0.0, -0.02, 0.1), (1500, 0.13, 0.1, 0.3),
    ):  # fmt: skip
        found = bounded(simulated("binary", n, truth, discordance, rows=rows, clustered=False), "binary", CONFIDENCE)
        seen = float((found.lower > threshold).mean())
        yield _power(n, truth, threshold, discordance, 1.0, seen)
    for n in (300, 1500):
        totals = simulated("binary", n, 0.0, 0.1, rows=rows, clustered=True)
        found = bounded(totals, "binary", CONFIDENCE)
        effect = float((totals.sums.sum(-1) / n).var() * n / 0.1)
        yield _power(n, 0.0, -0.03, 0.1, effect, float((found.lower > -0.03).mean()))


def _power(  # noqa: PLR0913, PLR0917 — a setting and what came of it
    n: int, truth: float, threshold: float, discordance: float, effect: float, seen: float
) -> Line:
    expected = power.power(truth, threshold, n, discordance=discordance, confidence=CONFIDENCE, effect=effect)
    clustered = f", design effect {effect:.2f}" if effect != 1 else ""
    return Line(
        "power", f"truth {100 * truth:+g}, threshold {100 * threshold:+g} points, {discordance:.0%} differ{clustered}",
        n, seen, f"{100 * expected:.1f} % computed, ± 3", abs(seen - expected) <= 0.03,
    )  # fmt: skip


def texts(rows: int) -> Iterator[Line]:
    """Perplexity: texts of skewed lengths, whose changes in nats per token are skewed too."""
    for n in (40, 120, 400):
        draw = np.random.default_rng(n)
        tokens = np.ceil(draw.lognormal(5, 0.6, (rows, n)))
        worse = 0.05 + 0.1 * (draw.gamma(2, 1, (rows, n)) - 2) / math.sqrt(2)
        totals = Totals(tokens, worse * tokens)
        yield from _ratio("perplexity", n, intervals.bounds(totals, CONFIDENCE, resample=True), 0.05)


def latencies(rows: int) -> Iterator[Line]:
    """Median latencies of the same requests, whose lengths differ."""
    for name, shape in (("answers of one length", 400.0), ("answers of many lengths", 9.0)):
        for n in (30, 80):
            draw = np.random.default_rng([n, int(shape)])
            length = draw.gamma(shape, 100 / shape, (rows, n))
            before, after = (length * draw.lognormal(mean, 0.05, (rows, n)) for mean in (0, math.log(1.2)))
            yield from _ratio(f"latency, {name}", n, intervals.medians(before, after, CONFIDENCE), math.log(1.2))


def _ratio(setting: str, n: int, found: intervals.Bounds, truth: float) -> Iterator[Line]:
    """Two-sided coverage by p values, as bounds agree with them, and acceptance at the margin."""
    above, below = intervals.tails(found, truth)
    yield covered(setting, n, (above > 0.025) & (below > 0.025))
    yield at_most("false acceptance at the margin", setting, n, below <= ALPHA)


def formats(_: int) -> Iterator[Line]:
    """The floor, computed over all outcomes and not simulated."""
    from scipy.stats import binom

    for floor in (0.9, 0.95):
        for n in SIZES:
            kept = np.arange(n + 1)
            tails = np.array([intervals.rate_tails(each / n, floor, n) for each in kept])
            share = float(binom.pmf(kept, n, floor)[tails[:, 0] <= ALPHA].sum())
            yield Line(
                "false acceptance at the margin", f"format, floor {floor:.0%}, exact", n, share, "at most 5 %",
                share <= ALPHA + 0.005,
            )  # fmt: skip


def wholes(rows: int) -> Iterator[Line]:
    """Subjects that change all or none of their records, and such as change some of them, at the margin."""
    for subjects, records in WHOLES:
        codes = np.repeat(np.arange(subjects), records)
        draw = np.random.default_rng([subjects, records])
        for name, part in (("all or none", None), ("some", 0.5)):
            setting = f"{subjects} subjects of {records}, {name}"
            for threshold in (-0.03, -0.05, -0.1):
                changes = -_together(rows, codes, -threshold, part, draw)
                found = bounded(summed(changes, codes), "binary", CONFIDENCE)
                claim = f"{setting}, no loss of {-100 * threshold:g} points"
                yield at_most("false acceptance at the margin", claim, len(codes), found.lower > threshold)
            changes = _together(rows, codes, 0.1, part, draw)
            found = bounded(summed(changes, codes), "binary", CONFIDENCE)
            claim = f"{setting}, gain of 10 points"
            yield at_most("false acceptance at the margin", claim, len(codes), found.lower > 0.1)
            kept = 1 - _together(rows, codes, 0.05, part, draw)[: rows // 4]
            accepted = np.array([_kept(each, codes.astype(str).tolist(), 0.95) for each in kept])
            yield at_most("false acceptance at the margin", f"{setting}, format, floor 95%", len(codes), accepted)


def _together(rows: int, codes: Floats, share: float, part: float | None, draw: np.random.Generator) -> Floats:
    """Which items change: a subject as a whole, or, where it changes at all, each of its items with chance ``part``."""
    subjects = codes[-1] + 1
    struck = draw.random((rows, subjects)) < share / (part or 1)
    return (struck[:, codes] & (draw.random((rows, len(codes))) < (part or 1))).astype(float)


def _kept(values: Floats, subjects: list[str], floor: float) -> bool:
    effect = intervals.design_effect(values, subjects)
    return intervals.rate_tails(float(values.mean()), floor, len(values) / effect)[0] <= ALPHA


def families(rows: int) -> Iterator[Line]:
    """Twelve slices: how often any is refused though none is beyond its margin."""
    for name, truth in (("every slice at its margin", -0.05), ("nothing lost", 0.0)):
        draw = np.random.default_rng(int(100 * truth) + 50)
        found = [
            bounded(summed(binary(rows, np.arange(SLICE), truth, 0.2, draw), np.arange(SLICE)), "binary", CONFIDENCE)
            for _ in range(SLICES)
        ]
        refuted = np.stack([intervals.tails(one, -0.05)[1] for one in found], axis=-1)
        plain, corrected = ((p <= ALPHA).any(-1) for p in (refuted, holm(refuted)))
        setting = f"{SLICES} slices of {SLICE}, {name}"
        yield at_most("false refusal, with Holm", setting, SLICE, corrected)
        yield Line("false refusal, without", setting, SLICE, float(plain.mean()), "for comparison", met=True)


def bounded(totals: Totals, kind: str, confidence: float) -> intervals.Bounds:
    """Through the gate's own bounds; what is not right or wrong is resampled."""
    return intervals.bounds(totals, confidence, resample=kind != "binary")


PARTS = {
    "coverage": coverage, "margins": margins, "powers": powers, "alike": alike, "texts": texts,
    "latencies": latencies, "formats": formats, "wholes": wholes, "families": families,
}  # fmt: skip


def main() -> int:
    """Print a Markdown table; the exit status says whether all claims are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--part", choices=PARTS, action="append")
    options = parser.parse_args()
    started, lines = time.process_time(), []
    print("| claim | setting | items | found | wanted |\n|---|---|---|---|---|")
    for part in options.part or PARTS:
        for line in PARTS[part](options.simulations):
            print(line, flush=True)
            lines.append(line)
    missed = sum(not line.met for line in lines)
    print(f"\n{len(lines)} claims, {missed} missed, {options.simulations:,} simulations each, ", end="")
    print(f"{time.process_time() - started:.0f} CPU-s.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
