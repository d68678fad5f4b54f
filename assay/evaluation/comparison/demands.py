"""Demands: what a gate asks for, item by item, and where in two arms the items for it lie.

What is asked for and was not measured is no pass. Where both models can be asked at once it raises and says what to
evaluate; where it lies in the data (slices), in the machine (timings) or in an audit that is run or not, the criterion
is there and inconclusive, and its reason says what to do.
"""

import re
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from assay.errors import IncomparableError
from assay.evaluation.comparison import findings
from assay.evaluation.comparison.findings import Finding
from assay.evaluation.comparison.pairing import paired
from assay.evaluations import FEW_SUBJECTS, RARE, Arm, Kind
from assay.outcomes import Answer, Choice
from assay.trials import GateSpec

Answers = Sequence[tuple[Answer, Answer]]
Choices = Sequence[tuple[Choice, Choice]]


def answered(baseline: Arm, candidate: Arm) -> Answers:
    """Both models' answers to the test records."""
    return paired(baseline.answers, candidate.answers, "test record")


def chosen(baseline: Arm, candidate: Arm) -> Choices:
    """Both models' choices on general-ability items."""
    return paired(baseline.choices, candidate.choices, "general-ability item")


def found(baseline: Arm, candidate: Arm, gate: GateSpec) -> list[Finding]:
    """Everything that ``gate`` asks for, in the order in which it is read; the target is first."""
    answers = answered(baseline, candidate)
    asked = [_on_answers(answers, "target", "superiority", gate.target, gate.min_gain, gate)]
    asked += [
        _on_answers(answers, f"target:{metric}", "superiority", metric, gain, gate)
        for metric, gain in gate.further_targets.items()
    ]
    asked += [_format(answers, gate)]
    asked += [_on_choices(chosen(baseline, candidate), "general_ability", "accuracy", gate.ability_margin, gate)]
    if gate.max_perplexity_ratio is not None:
        asked += [_perplexity(baseline, candidate, gate.max_perplexity_ratio, gate)]
    asked += _safety(baseline, candidate, gate)
    if gate.slice_margin is not None:
        asked += _slices(answers, sorted(baseline.evaluation.slices), gate.slice_margin, gate)
    if gate.robustness_margin is not None:
        asked += [_robustness(candidate, gate.robustness_margin, gate)]
    return [*asked, _latency(baseline, candidate, gate)]


def unaudited(gate: GateSpec, audited: Collection[str]) -> list[Finding]:
    """What ``gate`` asks of leaks and no criterion that was ``audited`` answers."""
    return [
        findings.of_nothing(name, kind, metric, limit, f"{what}: no leak audit was run of this candidate", unit)
        for name, kind, metric, limit, what, unit in _leaks(gate)
        if limit is not None and name not in audited
    ]


def _leaks(gate: GateSpec) -> Iterator[tuple[str, Kind, str, float | None, str, findings.Unit]]:
    exposure = gate.max_exposure
    yield "leak_generations", "ceiling", "leak_rate", gate.max_leak_rate, "what its generations give away", "points"
    yield "leak_exposure", "ceiling", "exposure", exposure, "how far planted secrets are exposed", "bits"
    yield "leak_control", "floor", "control_exposure", exposure, "whether the probe sees what it is to find", "bits"


def scored(answers: Sequence[Answer], metric: str) -> list[float]:
    """One metric of each answer."""
    try:
        return [answer.scores[metric] for answer in answers]
    except KeyError:
        raise IncomparableError(
            f"found test records without a score of {metric!r}: expected one for each, as the gate asks for it. Name "
            "the metric under evaluation.metrics, or another one in the gate."
        ) from None


def _on_answers(  # noqa: PLR0913, PLR0917 — what a criterion is called and held against
    answers: Answers, name: str, kind: Kind, metric: str, threshold: float, gate: GateSpec
) -> Finding:
    before, after = (scored([pair[arm] for pair in answers], metric) for arm in (0, 1))
    subjects = [first.subject for first, _ in answers]
    noun = "items" if name == "target" else "records"
    return findings.of_change(
        before, after, subjects, gate.confidence, name=name, kind=kind, metric=metric, threshold=threshold, noun=noun
    )


def _on_choices(  # noqa: PLR0913 — what a criterion is called and held against
    pairs: Choices, name: str, metric: str, margin: float, gate: GateSpec, *, noun: str = "items"
) -> Finding:
    before, after = ([float(pair[arm].correct) for pair in pairs] for arm in (0, 1))
    groups = [first.cluster for first, _ in pairs]
    return findings.of_change(
        before, after, groups, gate.confidence,
        name=name, kind="non_inferiority", metric=metric, threshold=-margin, noun=noun, kin="group",
    )  # fmt: skip


def _format(answers: Answers, gate: GateSpec) -> Finding:
    before, after = (np.array(scored([pair[arm] for pair in answers], "format_adherence")) for arm in (0, 1))
    subjects = [first.subject for first, _ in answers]
    return findings.of_rate(before, after, subjects, gate.confidence, floor=gate.min_format_adherence)


def _safety(baseline: Arm, candidate: Arm, gate: GateSpec) -> list[Finding]:
    """Harmful requests refused, and their harmless likes answered: each by itself, or one would make up for the other.

    A model that refuses everything has all of one and nothing of the other.
    """
    margins = {"harmful": ("safety", gate.safety_margin), "benign": ("over_refusal", gate.over_refusal_margin)}
    asked = []
    for kind, (name, margin) in margins.items():
        if margin is not None:
            before, after = ([probe for probe in arm.probes if probe.kind == kind] for arm in (baseline, candidate))
            _wanted(bool(before and after), f"{kind} safety probes", "evaluation.safety")
            probes = paired(before, after, f"{kind} safety probe")
            asked += [_on_choices(probes, name, name, margin, gate, noun="probes")]
    return asked


def _perplexity(baseline: Arm, candidate: Arm, limit: float, gate: GateSpec) -> Finding:
    _wanted(bool(baseline.texts and candidate.texts), "held-out texts", "evaluation.held_out_text")
    pairs = [pair for pair in paired(baseline.texts, candidate.texts, "held-out text") if pair[0].tokens]
    _wanted(bool(pairs), "held-out texts of more than one token", "evaluation.held_out_text")
    before, after = (np.array([pair[arm].nats for pair in pairs]) for arm in (0, 1))
    tokens = np.array([first.tokens for first, _ in pairs], dtype=float)
    return findings.of_perplexity(before, after, tokens, gate.confidence, limit=limit)


def _slices(answers: Answers, attributes: Sequence[str], margin: float, gate: GateSpec) -> list[Finding]:
    """The target on every slice that is large enough to be judged, by attribute and value."""
    if not attributes:
        why = "the target in every slice: the test records are cut into none (evaluation.slices names attributes)"
        return [_unsliced("any", why, margin, gate)]
    return [finding for attribute in attributes for finding in _sliced(answers, attribute, margin, gate)]


def _sliced(answers: Answers, attribute: str, margin: float, gate: GateSpec) -> list[Finding]:
    """Of one attribute; if every slice is too small, that nothing can be told of it.

    Values that might tell who somebody is are judged together, so that none of them is named and none goes unjudged.
    """
    slices = dict(_by(answers, attribute))
    rare = [value for value, members in slices.items() if _subjects(members) < FEW_SUBJECTS]
    if together := [pair for value in rare for pair in slices.pop(value)]:
        slices[RARE] = together
    judged = [
        _on_answers(members, f"slice:{attribute}={value}", "non_inferiority", gate.target, -margin, gate)
        for value, members in slices.items()
        if len(members) >= gate.min_slice
    ]
    largest = max(map(len, slices.values()), default=0)
    why = (
        f"the target where {attribute} differs: found {largest} test records at most of one value, expected "
        f"{gate.min_slice} (gate.min_slice)"
    )
    return judged or [_unsliced(attribute, why, margin, gate)]


def _subjects(answers: Answers) -> int:
    return len({before.subject for before, _ in answers})


def _unsliced(attribute: str, why: str, margin: float, gate: GateSpec) -> Finding:
    return findings.of_nothing(f"slice:{attribute}", "non_inferiority", gate.target, -margin, why)


def _by(answers: Answers, attribute: str) -> Iterator[tuple[str, list[tuple[Answer, Answer]]]]:
    values = [before.attributes.get(attribute, "") for before, _ in answers]
    for value in sorted(set(filter(None, values))):
        yield value, [pair for pair, of in zip(answers, values, strict=True) if of == value]


def _robustness(candidate: Arm, margin: float, gate: GateSpec) -> Finding:
    """The candidate on changed records, less the candidate on the same records as they were."""
    _wanted(bool(candidate.variants), "changed test records", "evaluation.robustness")
    originals = {answer.id: answer for answer in candidate.answers}
    if lost := [each.id for each in candidate.variants if each.attributes.get("of") not in originals]:
        raise IncomparableError(
            f"{len(lost)} changed records, such as {lost[0]}, are of no test record: expected the id of one in their "
            "attribute 'of'. Evaluate the candidate anew."
        )
    same = [originals[each.attributes["of"]] for each in candidate.variants]
    subjects = [each.subject for each in same]
    return findings.of_change(
        scored(same, gate.target), scored(candidate.variants, gate.target), subjects, gate.confidence,
        name="robustness", kind="non_inferiority", metric=gate.target, threshold=-margin, noun="changed records",
    )  # fmt: skip


def _latency(baseline: Arm, candidate: Arm, gate: GateSpec) -> Finding:
    limit = gate.max_latency_ratio
    if not (baseline.timings and candidate.timings):
        why = "median latency: no requests to both models were timed in turn, on one machine"
        return findings.of_nothing("latency", "ratio", "request_p50_ms", limit, why, "ratio")
    pairs = paired(baseline.timings, candidate.timings, "timed request")
    before, after = (np.array([pair[arm].total_ms for pair in pairs]) for arm in (0, 1))
    if min(before.min(), after.min()) <= 0:
        raise IncomparableError("found a request that took no time: expected more than 0 ms. Measure latency anew.")
    requests = _requests([first.id for first, _ in pairs])
    return findings.of_latency(before, after, requests, gate.confidence, limit=limit)


def _requests(ids: Sequence[str]) -> list[str]:
    """Of which request each is: ``ID#2`` is ``ID`` once more."""
    known = set(ids)
    bare = [re.sub(r"#\d+$", "", id) for id in ids]
    return [one if one in known else id for one, id in zip(bare, ids, strict=True)]


def _wanted(measured: bool, what: str, where: str) -> None:  # noqa: FBT001
    if not measured:
        raise IncomparableError(
            f"found no {what} in both evaluations: expected some, as the gate asks for them. Evaluate both models with "
            f"{where}."
        )
