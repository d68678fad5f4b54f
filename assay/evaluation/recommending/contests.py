"""Contests: every tuned arm held against every prompted one, and what its training is repaid by."""

from collections.abc import Sequence

from assay.evaluation.holm import holm
from assay.evaluation.recommending.arms import Option, Pairs, Terms, Tested


def held_against(tuned: Sequence[Option], prompted: Sequence[Option], gaps: Pairs, terms: Terms) -> tuple[Tested, ...]:
    """Hold every tuned arm against every prompted one, corrected for their number."""
    pairs = [(one, other) for one in tuned for other in prompted]
    found = [gaps[one.name, other.name] for one, other in pairs]
    better = holm([gap.p_better for gap in found]).tolist()
    no_better = holm([gap.p_no_better for gap in found]).tolist()
    return tuple(
        Tested(
            tuned=one.name,
            prompted=other.name,
            mean=gap.mean,
            lower=gap.lower,
            upper=gap.upper,
            p_better=high,
            p_no_better=low,
            break_even=break_even(one, other, terms),
        )
        for (one, other), gap, high, low in zip(pairs, found, better, no_better, strict=True)
    )


def open_pair(
    tuned: Sequence[Option], prompted: Sequence[Option], tested: Sequence[Tested], alpha: float
) -> tuple[Option, Option]:
    """The pair that holds up the advice: of the best tuned arm that has one not told apart, the least told apart.

    If all pairs are told apart, and no arm is beaten by all or beats all, it is the best of each kind.
    """
    arms = {option.name: option for option in (*tuned, *prompted)}
    for option in sorted(tuned, key=lambda each: each.quality, reverse=True):
        mine = [t for t in tested if t.tuned == option.name and min(t.p_better, t.p_no_better) >= alpha]
        if mine:
            return option, arms[max(mine, key=lambda t: t.p_better).prompted]
    return best(tuned), best(prompted)


def break_even(tuned: Option, prompted: Option, terms: Terms) -> int | None:
    """Requests after which a tuned arm's training is repaid by its cheaper requests; None if they are not cheaper."""
    saved = prompted.seconds - tuned.seconds
    return max(1, round(terms.training_seconds / saved)) if saved > 0 else None


def simplest(options: Sequence[Option], gaps: Pairs, alpha: float) -> Option:
    """The arm with the shortest prompt that no other is shown to beat by more than the margin."""
    for option in sorted(options, key=lambda each: each.prompt_tokens):
        rivals = holm([gaps[other.name, option.name].p_better for other in options if other != option])
        if all(p >= alpha for p in rivals):
            return option
    return best(options)


def best(options: Sequence[Option]) -> Option:
    """The arm with the highest mean, which is no proof that it is the best."""
    return max(options, key=lambda option: option.quality)
