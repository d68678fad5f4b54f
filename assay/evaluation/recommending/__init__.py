"""Recommending: whether to fine-tune at all, decided from arms that answered the same items.

Stated rules, in this order:

1. An arm is *out* if even the upper bound of its format adherence misses the floor. If all are out, none is advised;
   nor if only tuned ones are left, of which even the upper bound of the target is no more than the margin.
2. *Fine-tune* if some tuned arm is shown to be better than **every** prompted arm that is not out by more than the
   margin.
3. *Do not fine-tune* if there is a prompted arm that **no** tuned arm is shown to beat so: each is shown to be at most
   the margin better.
4. In case 3, *fine-tune after all*, for its price, if a volume of requests is expected that repays training, and that
   tuned arm is shown to be at most the margin worse.
5. Else *undecided*: the items cannot tell, and it is said how many would.

"Shown" is the one-sided p value that belongs to the paired, clustered bound of a difference, taken at the margin and
corrected by Holm (1979) over all pairs of a tuned and a prompted arm, in each of the two directions. So among arms that
are not out, advice to tune in vain (2) and advice against tuning in vain (3) are each no likelier than 1 - confidence,
however many arms were tried. That an arm is out is a bound of its own, and break-even is an estimate without one. Of
several arms that qualify the one with the shorter prompt is taken, unless another is shown to be better than it by more
than the margin. "No difference was found" is never taken for "there is none".

Training is repaid after V = S / (p - t) requests: S device-seconds of training, p and t device-seconds a request of the
prompted and of the tuned arm. The price of a device-hour is in both, so V does not depend on it.
"""

from collections.abc import Sequence

from assay.evaluation.recommending.arms import Option, Pairs, Recommendation, Terms
from assay.evaluation.recommending.contests import held_against, open_pair, simplest
from assay.evaluation.recommending.sentences import Advisor

VERSION = 2


def recommend(options: Sequence[Option], gaps: Pairs, terms: Terms) -> Recommendation:
    """Advise one of ``options``, or none of them, under ``terms``."""
    usable = [option for option in options if option.format_upper >= terms.min_format_adherence]
    out = tuple(option.name for option in options if option not in usable)
    tuned = [option for option in usable if option.tuned]
    prompted = [option for option in usable if not option.tuned]
    tested = held_against(tuned, prompted, gaps, terms)
    alpha = 1 - terms.confidence
    better = [o for o in tuned if all(t.p_better < alpha for t in tested if t.tuned == o.name)]
    enough = [o for o in prompted if all(t.p_no_better < alpha for t in tested if t.prompted == o.name)]
    found = Advisor(options, usable, gaps, terms, tested, out)
    if not usable:
        return found.nothing()
    if not prompted and all(option.quality_upper <= terms.margin for option in tuned):
        return found.useless()
    if better:
        return found.tune(simplest(better, gaps, alpha))
    if enough:
        chosen = simplest(enough, gaps, alpha)
        return found.tune_for_price(chosen, tuned) or found.prompt(chosen)
    return found.undecided(*open_pair(tuned, prompted, tested, alpha))
