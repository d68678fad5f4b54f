"""Measure how often `assay decide` advises wrongly, on simulated arms whose truth is known.

    python bench/measure_approaches.py --simulations 1000

Three prompted and two tuned arms answer the same requests, two of a subject, right or wrong; arms agree with one
another as answers of one model do (a request has a difficulty of its own). The tuned arms are truly better than the
best prompted one by nothing, by exactly the margin, and by more. Prints one JSON object: of each truth, how often each
piece of advice was given, and the upper bound of the share that was wrong (Clopper and Pearson 1934).
"""

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from assay.evaluation import recommending
from assay.evaluation.comparison import intervals
from assay.evaluation.recommending.arms import Gap, Option, Terms

PROMPTED, TUNED = ("zero-shot", "few-shot", "retrieval"), ("fine-tuned", "fine-tuned + retrieval")
MARGIN, CONFIDENCE = 0.02, 0.95
TRUTHS = {
    "none better": (0.0, ("fine_tune",)),
    "both at the margin": (MARGIN, ("fine_tune", "do_not_fine_tune")),
    "both 8 points better": (0.08, ("do_not_fine_tune",)),
    "both 15 points better": (0.15, ("do_not_fine_tune",)),
    "one far worse, one at the margin": (-0.15, ("fine_tune", "do_not_fine_tune")),
}
"""Truth → gain of the first tuned arm, and the pieces of advice that are wrong then, each by itself."""


def main() -> None:
    """Simulate every truth and print what was advised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--records", type=int, default=400)
    options = parser.parse_args()
    began = time.process_time()
    found: dict[str, Any] = {name: measured(name, options.simulations, options.records) for name in TRUTHS}
    print(json.dumps(found | {"cpu_seconds": round(time.process_time() - began, 1)}, indent=1))


def measured(truth: str, simulations: int, records: int) -> dict[str, Any]:
    """How often each piece of advice was given under one truth."""
    from scipy.stats import beta

    gain, wrong = TRUTHS[truth]
    dice = np.random.default_rng(0)
    given = Counter(advised(dice, gain, records) for _ in range(simulations))
    return {
        "advice": {name: number / simulations for name, number in sorted(given.items())},
        "wrong_at_most": {
            name: round(float(beta.ppf(0.95, given[name] + 1, max(simulations - given[name], 1))), 4) for name in wrong
        },
    }


def advised(dice: np.random.Generator, gain: float, records: int) -> str:
    """The advice in one draw of requests."""
    subjects = [str(place // 2) for place in range(records)]
    rates = dict.fromkeys(PROMPTED, 0.6) | {TUNED[0]: 0.6 + gain, TUNED[1]: 0.6 + max(gain, MARGIN if gain else 0.0)}
    hard = dice.normal(size=records) + np.repeat(dice.normal(size=records // 2), 2)
    answers = {name: answered(dice, hard, rate) for name, rate in rates.items()}
    terms = Terms("exact match", MARGIN, CONFIDENCE, 0.95, training_seconds=300.0)
    options = [
        Option(name, name in TUNED, float(np.mean(right)), 0.97, 1.0, 100.0 + place, 1.0)
        for place, (name, right) in enumerate(answers.items())
    ]
    gaps: dict[tuple[str, str], Gap] = {}
    for one, other in itertools.combinations(answers, 2):
        gaps[one, other] = gap(answers[one], answers[other], subjects)
        gaps[other, one] = gaps[one, other].swapped()
    return recommending.recommend(options, gaps, terms).advice


def answered(dice: np.random.Generator, hard: np.ndarray, rate: float) -> list[float]:
    """Right or wrong on each request: its difficulty, and chance of the arm's own."""
    from scipy.stats import norm

    spread = float(np.sqrt(3.0))  # A request's own part has variance 2, the arm's 1.
    return (hard + dice.normal(size=len(hard)) < spread * norm.ppf(rate)).astype(float).tolist()


def gap(one: list[float], other: list[float], subjects: list[str]) -> Gap:
    """How much better the one is."""
    found = intervals.difference(other, one, subjects, CONFIDENCE)
    better, no_better = (float(tail) for tail in intervals.tails(found.bounds, MARGIN))
    no_worse, worse = (float(tail) for tail in intervals.tails(found.bounds, -MARGIN))
    return Gap(found.mean, found.lower, found.upper, found.n, better, no_better, no_worse, worse)


if __name__ == "__main__":
    main()
