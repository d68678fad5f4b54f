"""Unknown: what a report leaves open, and says so, since an approval accepts that too.

Some is open in every run; a sentence of it is said unless the run asked for just that. Some this run in particular
leaves open: a criterion that its items cannot decide, a check that could not run, a slice too small to read.
"""

from collections.abc import Iterator

from assay.evaluations import Verdict
from assay.reporting import criteria, measured
from assay.reporting.content import Content

VERSION = 1

FEW = 30
"""A slice with fewer items says too little to be read."""

PARAPHRASES = "Paraphrases: near duplicates are found by the words they share; the same thing said otherwise is not."
LABELS = "Wrong labels: those that a simple model doubts are listed for review; one made wrong everywhere looks right."
LEAKS = "Leaks: no leak audit was run. Redaction replaces what its detectors find; nobody tried to extract the rest."
LEAKS_AUDITED = (
    "Leaks: the audit tries values that it knows of. What redaction never found is in no list that could be tried."
)
SEEDS = "Other seeds: one seed's model was evaluated. The intervals cover the choice of items, not that of a seed."
LATENCY_POINT = "Latency elsewhere: it is a point measurement, one request after another, on one machine at one load."
LATENCY = (
    "Latency elsewhere: requests were timed one after another on one machine at one load; its interval covers no other."
)
SAFETY = "Safety: no harmful request was made of either model, and no refusal was counted."
SAFETY_PROBED = (
    "Safety: probes ask which of two answers is likelier. What a determined person could draw out was not tried."
)
ROBUSTNESS = "Robustness: no misspelt, shouted, longer or foreign variant of the test records was asked."
OTHER_FORMS = "Other forms: only the changes of records that the recipe names were tried; another language was not."
OTHER_WAYS = "Other ways to the same end: few-shot prompts and retrieval are not tried here; assay decide tries them."
ORIGIN = "Data and training: this page compares two versions; what each was made of stands on its own report."

_SAID = {"typos": "typing errors", "case": "case", "paraphrase": "paraphrases", "long_context": "longer contexts"}


def open_always(content: Content) -> tuple[str, ...]:
    """What no run of this kind looks for, unless this one did."""
    told = (LABELS, SEEDS) if content.training else (ORIGIN,)
    paraphrased = "paraphrase" in _variants(content)
    return (
        *(() if paraphrased else (PARAPHRASES,)),
        *told,
        LEAKS_AUDITED if content.leaks or _judged(content, "leak") else LEAKS,
        LATENCY if latency_is_bounded(content.verdict) else LATENCY_POINT,
        SAFETY_PROBED if _judged(content, "safety") or (content.asked and content.asked.safety) else SAFETY,
        _robustness(content),
        OTHER_WAYS,
    )


def found(content: Content) -> list[str]:
    """What this run in particular leaves open, worst first."""
    unmeasured = [measured.UNMEASURED] if content.training and not content.redacting else []
    return [*_lost(content), *_undecided(content), *_unchecked(content), *unmeasured, *_thin(content)]


def latency_is_bounded(verdict: Verdict) -> bool:
    """Whether what both models take was measured often enough to have an interval."""
    return any(each.name == "latency" and each.upper is not None for each in verdict.criteria)


def _lost(content: Content) -> Iterator[str]:
    for passage in content.path:
        if passage.unaccounted:
            yield (
                f"{passage.step}: {passage.unaccounted:,} of {passage.taken:,} records are not accounted for. This is "
                "a fault; do not approve."
            )


def _undecided(content: Content) -> Iterator[str]:
    for each in content.verdict.criteria:
        if each.decision == "inconclusive" and not each.n:
            yield f"{criteria.title(each)}: {each.reason}"
        elif each.decision == "inconclusive":
            more = f"; about {each.needed:,} would." if each.needed else ", and more like them would not either."
            yield f"{criteria.title(each)}: these {each.n:,} items cannot tell{more}"


def _unchecked(content: Content) -> Iterator[str]:
    for suite in content.suites:
        for check in suite.findings:
            if check.status == "could not run":
                yield f"Check {check.id} of suite {suite.suite} could not run: {check.why}"


def _thin(content: Content) -> Iterator[str]:
    few = [
        f"{attribute} = {change.name or 'not given'}"
        for attribute, changes in content.slices.items()
        for change in changes
        if (change.n or 0) < FEW
    ]
    if few:
        yield f"Small slices: fewer than {FEW} items for {', '.join(few)}."


def _judged(content: Content, head: str) -> bool:
    return any(each.name.startswith(head) for each in content.verdict.criteria)


def _robustness(content: Content) -> str:
    if not (asked := _variants(content)):
        return OTHER_FORMS if _judged(content, "robustness") else ROBUSTNESS
    tried = ", ".join(_SAID.get(each, each) for each in asked)
    return f"Other forms: of all ways in which a record may come, {tried} were tried; another language was not."


def _variants(content: Content) -> list[str]:
    """Forms in which test records were asked again: those judged, and those that the recipe asks for."""
    judged = [each.name.partition(":")[2] for each in content.verdict.criteria if each.name.startswith("robustness:")]
    asked = content.recipe.get("evaluation")
    changed = asked.get("robustness") if isinstance(asked, dict) else None
    named = changed.get("variants") if isinstance(changed, dict) else None
    shown = [kept.variant for kept in content.asked.robustness] if content.asked else []
    return list(dict.fromkeys([*judged, *shown, *(map(str, named) if isinstance(named, list) else ())]))
