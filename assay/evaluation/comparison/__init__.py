"""Comparison: whether a candidate may replace the baseline, decided as a trial would.

Both models answered the same items, so items are compared pair by pair: what is hard for one is
hard for the other, and pairs need several times fewer items than two averages do. The criteria:

- *superiority* on the target metric and on further ones: each gain is above what is asked for;
- a *floor* under the candidate's format adherence;
- *non-inferiority* on general ability, on safety probes, on the target in every slice, and, for
  the candidate alone, on test records in another form: each loss is below its margin;
- a *ratio* of perplexities on held-out text, and one of median latencies, below a limit;
- what the leak audit found; without an audit what the gate asks of leaks stays inconclusive.

All are three-valued (:mod:`~assay.evaluation.comparison.family` has the rule): accepted if the one-sided
bound at the gate's confidence clears the threshold, refused if the other bound rules it out even after a correction for
the number of criteria, and else **inconclusive**: the items cannot tell, and the verdict says how many would. "No
significant loss" is not "no loss": with 200 items it would miss three losses of two points in four.

The candidate is refused if any criterion is, else inconclusive if any is, else accepted. With the verdict goes an A/A
test of this very gate on these very items (:mod:`~assay.evaluation.comparison.selftest`).

Further rooms: the bounds in :mod:`~assay.evaluation.comparison.intervals`, which items a demand is about in
:mod:`~assay.evaluation.comparison.demands`, what makes two evaluations comparable in
:mod:`~assay.evaluation.comparison.pairing`, how many items it takes in :mod:`~assay.evaluation.comparison.power`.
"""

from collections.abc import Sequence

from assay.errors import IncomparableError
from assay.evaluation.comparison import demands, family, sentences
from assay.evaluation.comparison.pairing import refuse_unlike
from assay.evaluation.comparison.selftest import self_test
from assay.evaluations import Arm, Criterion, SelfTest, Verdict
from assay.trials import GateSpec

VERSION = 3


def compare(baseline: Arm | None, candidate: Arm | None, gate: GateSpec, audited: Sequence[Criterion] = ()) -> Verdict:
    """Hold ``candidate`` against ``baseline`` under ``gate``.

    Args:
        baseline: What may be replaced.
        candidate: What may replace it.
        gate: What is asked of it.
        audited: What the leak audit decided. Acceptances stand, refusals are held against the whole family.

    Raises:
        IncomparableError: an arm is missing, both are one model, they were not asked the same
            question (each differing component is named), their items differ, or there are no items
            for something that the gate asks for.
    """
    if baseline is None or candidate is None:
        missing = "baseline" if baseline is None else "candidate"
        raise IncomparableError(f"found no evaluation of the {missing}: expected two. Evaluate it under this recipe.")
    refuse_unlike(baseline.evaluation, candidate.evaluation)
    found = [*demands.found(baseline, candidate, gate), *demands.unaudited(gate, {each.name for each in audited})]
    criteria = family.decide(found, gate.confidence, audited)
    decision = family.overall([criterion.decision for criterion in criteria])
    right = [
        (before.id, before.scores["exact_match"], after.scores["exact_match"])
        for before, after in demands.answered(baseline, candidate)
    ]
    return Verdict(
        decision=decision,
        sentence=sentences.verdict(decision, criteria),
        reasons=tuple(criterion.reason for criterion in criteria),
        criteria=criteria,
        baseline=baseline.evaluation.model,
        candidate=candidate.evaluation.model,
        confidence=gate.confidence,
        self_test=_self_test(baseline, candidate, gate),
        question=baseline.evaluation.question,
        wins=tuple(id for id, before, after in right if after > before),
        losses=tuple(id for id, before, after in right if after < before),
    )


def _self_test(baseline: Arm, candidate: Arm, gate: GateSpec) -> SelfTest:
    answers, choices = demands.answered(baseline, candidate), demands.chosen(baseline, candidate)
    before, after = (demands.scored([pair[arm] for pair in answers], gate.target) for arm in (0, 1))
    was, became = ([float(pair[arm].correct) for pair in choices] for arm in (0, 1))
    return self_test(
        (before, after, [first.subject for first, _ in answers]),
        (was, became, [first.cluster for first, _ in choices]),
        gate.confidence,
    )
