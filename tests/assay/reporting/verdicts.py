"""Verdicts over as many criteria as a recipe can ask for, and a page's worth of content around one."""

from typing import Any

from assay.evaluations import Criterion, Decision, SelfTest, Verdict
from assay.reporting.content import Change, Content, Example, Personal, Source, Versions
from tests.assay.reporting.trainings import trained

CHANNELS = ("email", "web", "phone", "chat", "letter", "app")
RECIPE: dict[str, Any] = {
    "name": "support-triage",
    "owner": "a team",
    "purpose": "To route customers' messages without a person reading them first.",
    "gate": {"min_slice": 30},
    "price": {"device_hour": 0.05, "currency": "EUR", "as_of": "2026-11-01"},
}
LATENCY = {
    "request_p50_ms": (412.0, 401.0),
    "request_p95_ms": (640.0, 655.0),
    "first_token_p50_ms": (57.0, 58.0),
    "first_token_p95_ms": (65.0, 66.0),
    "tokens_per_second": (33.1, 33.4),
    "tokens_per_request": (13.2, 12.9),
    "prompt_tokens_per_request": (84.0, 84.0),
    "requests": (60.0, 60.0),
}


def criterion(name: str, kind: str, metric: str, **fields: Any) -> Criterion:
    """One that is met, unless fields say otherwise."""
    known: dict[str, Any] = {"baseline": 0.7, "candidate": 0.7, "difference": 0.0, "estimate": 0.0, "threshold": -0.03}
    known |= {"lower": -0.012, "upper": 0.011, "n": 322, "clusters": 160, "wins": 9, "losses": 8, "detectable": 0.021}
    known |= {"decision": "accepted"} | fields
    known.setdefault("reason", f"{name.replace('_', ' ')} is {known['decision']} on {known['n']} items")
    return Criterion(name=name, kind=kind, metric=metric, **known)


def gain(name: str, metric: str, **fields: Any) -> Criterion:
    """A target that the candidate reached."""
    known = {"baseline": 0.0, "candidate": 0.64, "difference": 0.64, "estimate": 0.64, "threshold": 0.1}
    known |= {"lower": 0.595, "upper": 0.682, "wins": 206, "losses": 0}
    return criterion(name, "superiority", metric, **known | fields)


def every() -> tuple[Criterion, ...]:
    """Of every kind, unit and decision; 25 in all."""
    undecided = {"decision": "inconclusive", "lower": -0.09, "upper": 0.031, "estimate": -0.03, "needed": 1180}
    refused = {"decision": "refused", "lower": -0.21, "upper": -0.08, "estimate": -0.14, "p_adjusted": 0.0021}
    return (
        gain("target", "exact_match"),
        gain("target:field_accuracy", "field_accuracy", estimate=0.41, lower=0.37, upper=0.45),
        criterion("format_adherence", "floor", "format_adherence", baseline=0.0, candidate=0.997, difference=0.997,
                  estimate=0.997, threshold=0.95, lower=0.983, upper=1.0),
        criterion("general_ability", "non_inferiority", "accuracy", n=1580, clusters=67, estimate=-0.004),
        criterion("perplexity", "ratio", "perplexity", unit="ratio", baseline=45.4, candidate=49.1, difference=3.7,
                  estimate=1.081, threshold=1.5, lower=1.05, upper=1.113, n=200, detectable=0.05),
        criterion("safety", "non_inferiority", "safety", n=120, threshold=-0.05, decision="inconclusive",
                  lower=-0.066, upper=0.02, estimate=-0.023, needed=410),
        *(criterion(f"slice:channel={each}", "non_inferiority", "exact_match", n=60 - 4 * place, estimate=0.5,
                    lower=0.38, upper=0.61, baseline=0.0, candidate=0.5, difference=0.5)
          for place, each in enumerate(CHANNELS[:4])),
        criterion("slice:channel=letter", "non_inferiority", "exact_match", n=34, **undecided),
        criterion("slice:channel=app", "non_inferiority", "exact_match", n=41, **refused),
        *(criterion(f"slice:region={each}", "non_inferiority", "exact_match", n=70, estimate=0.55, lower=0.46,
                    upper=0.63) for each in ("north", "south", "east", "west", "abroad")),
        criterion("robustness:typos", "non_inferiority", "exact_match", n=80, **undecided | {"threshold": -0.05}),
        *(criterion(f"robustness:{each}", "non_inferiority", "exact_match", n=80, threshold=-0.1, lower=-0.06,
                    upper=0.02, estimate=-0.02) for each in ("case", "paraphrase", "long_context")),
        criterion("latency", "ratio", "request_p50_ms", unit="ratio", baseline=412.0, candidate=401.0,
                  difference=-11.0, estimate=0.973, threshold=1.5, lower=0.94, upper=1.01, n=60, clusters=None,
                  wins=None, losses=None, detectable=0.04),
        criterion("leak_generations", "ceiling", "leak_rate", baseline=0.0, candidate=0.0, difference=0.0,
                  estimate=0.0, threshold=0.01, lower=0.0, upper=0.0075, n=400, clusters=None, wins=None, losses=None),
        criterion("leak_exposure", "ceiling", "exposure", unit="bits", baseline=0.0, candidate=0.4, difference=0.4,
                  estimate=0.4, threshold=1.5, lower=0.1, upper=0.9, n=24, clusters=None, wins=None, losses=None,
                  detectable=0.5),
        criterion("leak_control", "floor", "control_exposure", unit="bits", baseline=0.0, candidate=7.1, difference=7.1,
                  estimate=7.1, threshold=2.0, lower=5.8, upper=8.4, n=8, clusters=None, wins=None, losses=None,
                  detectable=0.8),
    )  # fmt: skip


def verdict(criteria: tuple[Criterion, ...] | None = None, **fields: Any) -> Verdict:
    """The gate's word on ``criteria``, every one if none are given."""
    given = every() if criteria is None else criteria
    found = {each.decision for each in given}
    decision: Decision = next((each for each in ("refused", "inconclusive") if each in found), "accepted")
    known: dict[str, Any] = {
        "decision": decision,
        "sentence": f"{decision.capitalize()}: exact match on 322 test records is 64.0 % where the baseline's was 0 %.",
        "reasons": tuple(each.reason for each in given),
        "criteria": given,
        "baseline": "a" * 64,
        "candidate": "b" * 64,
        "confidence": 0.95,
        "self_test": SelfTest(resamples=1000, found=31, lost=24, lower=0.0223, upper=0.0412),
        "question": {"items": "d" * 64, "decoding": {"strategy": "greedy"}},
        "wins": tuple(f"T-{place:04}" for place in range(206)),
        "losses": ("T-0300",),
    }
    return Verdict(**known | fields)


def content(criteria: tuple[Criterion, ...] | None = None, **fields: Any) -> Content:
    """A page's worth."""
    known: dict[str, Any] = {
        "recipe": RECIPE,
        "verdict": verdict(criteria),
        "metrics": (
            Change(name="exact_match", before=0.0, after=0.64, lower=0.595, upper=0.682, n=322, gained=206, lost=0),
            Change(name="perplexity", before=45.4, after=49.1),
        ),
        "slices": {"channel": tuple(sliced(each, 60 - 6 * place) for place, each in enumerate(CHANNELS))},
        "latency": tuple(Change(name=name, before=b, after=a) for name, (b, a) in LATENCY.items()),
        "sources": (Source(name="tickets", uri="data/t.jsonl", rows=1234, licence="CC0", lawful_basis="own"),),
        "sides": {"train": 900, "validation": 131, "test": 322},
        "personal": Personal(records=1231, touched=1000, counts={"PERSON": 12345}),
        "training": trained(),
        "wins": tuple(example(place, right=True) for place in range(4)),
        "losses": (example(300, right=False),),
        "identity": {"adapter": "1" * 64, "verdict": "2" * 64},
    }
    return Content(**known | fields)


def versions(**fields: Any) -> Content:
    """A comparison of two versions, which has neither data nor training."""
    bare = dict.fromkeys(("sources",), ()) | {"sides": {}, "personal": None, "training": None}
    named = Versions(before="support-triage 2", after="support-triage 3", asked="Both answers were on file.")
    return content(**bare | {"versions": named} | fields)


def sliced(name: str, n: int) -> Change:
    """A slice in which the candidate is better."""
    return Change(name=name, before=0.02, after=0.61, lower=0.48, upper=0.69, n=n, gained=n // 2, lost=1)


def example(place: int, *, right: bool) -> Example:
    """A record that one of the two has right."""
    expected = '{"intent": "refund", "order_id": null}'
    said = (expected, "Sorry to hear that.")
    after, before = said if right else said[::-1]
    prompt = "Hello, [PERSON_1] here. My parcel [ORDER_ID_1] has not arrived, and nobody answers the telephone."
    return Example(id=f"T-{place:04}", prompt=prompt, expected=expected, before=before, after=after)
