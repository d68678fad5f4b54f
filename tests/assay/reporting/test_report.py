"""The page says all that was filed, in one file that runs nothing and obeys nothing that it quotes."""

import json
import math
import re
from html.parser import HTMLParser

import pytest

from assay.evaluation import comparison
from assay.evaluation.comparison import intervals
from assay.evaluations import Arm, Evaluation, Verdict
from assay.outcomes import Answer, Choice, Timing
from assay.records import Dropped
from assay.reporting import wording
from assay.reporting.asked import Asked, Foreseen, Kept, Shift
from assay.reporting.content import Change, Check, Content, Personal, Source, Suite
from assay.reporting.excerpts import changes, examples, passage
from assay.reporting.report import page
from assay.reporting.training import Training
from assay.trials import GateSpec
from tests.assay.evaluation.memorisation.audits import audit
from tests.assay.reporting import verdicts
from tests.assay.reporting.measurements import redacting, refused
from tests.assay.reporting.test_hard import HARD
from tests.assay.reporting.trainings import trained

MARKUP = "<img src=x onerror=alert(1)>\"'&{{ 7 * 7 }}"
GATE = GateSpec(
    confidence=0.95,
    target="exact_match",
    min_gain=0.1,
    min_format_adherence=0.9,
    ability_margin=0.03,
    max_latency_ratio=1.5,
)
VOID = {"meta", "img", "br", "hr", "link", "input"}


def answer(place: int, *, right: bool) -> Answer:
    """A scored answer to one of 200 records of 100 subjects with two labels."""
    score = float(right)
    label = ("refund", "login")[place % 2]
    expected = json.dumps({"intent": label})
    return Answer(
        id=f"T-{place:04}",
        subject=f"s{place // 2}",
        expected=expected,
        answer=expected if right else "Sorry to hear that.",
        scores={"exact_match": score, "format_adherence": score, "field_accuracy": score, "field:intent": score},
        label_expected=label,
        label_predicted=label if right else None,
        attributes={"channel": "fax" if place < 4 else "email"},
    )


def arm(model: str, right: int, able: int, latency: float, n: int = 200) -> Arm:
    """A model that has the last ``right`` records and the first ``able`` of 800 other items right."""
    answers = [answer(place, right=place >= n - right) for place in range(n)]
    choices = [Choice(id=f"c{i}", group=f"g{i % 200}", correct=i < able, margin=0.1) for i in range(800)]
    evaluation = Evaluation(
        question={"dtype": "float32", "items": "d" * 64, "versions": {"torch": "2.13.0"}},
        model=model * 64,
        metrics={"exact_match": right / n, "label_f1": right / n, "latency_p50_ms": latency},
        fields={"intent": right / n},
        slices={"channel": {"email": {"n": n - 4.0}, "fax": {"n": 4.0}}},
        ability_groups={},
        environment={"cpu": "x"},
    )
    timings = [
        Timing(id=f"q{i}", first_ms=latency / 2, total_ms=latency + i - 14.5, tokens=int(latency / 20), prompt_tokens=9)
        for i in range(30)
    ]
    return Arm(evaluation, answers, choices, timings=timings)


ARMS = {
    "accepted": (arm("a", 0, 600, 900), arm("b", 199, 600, 800)),
    "refused": (arm("a", 0, 600, 900), arm("b", 199, 300, 800)),
    "inconclusive": (arm("a", 100, 600, 900), arm("b", 199, 580, 800)),
}


def content(decision: str = "accepted") -> Content:
    """A page's worth, judged by the real gate."""
    before, after = ARMS[decision]
    verdict = comparison.compare(before, after, GATE)
    prompts = {a.id: "Hello [PERSON_1],\nmy [ORDER_ID_1] is late." for a in before.answers}
    checks = [
        Check(
            id=f"RAW-{number}", asks="to not be blank", why="Why.", column="prompt", on_fail="warn", evaluated=9,
            failed=number, status=status, note=note,
        )
        for number, (status, note) in enumerate((("passed", ""), ("failed", ""), ("could not run", "it broke off")))
    ]  # fmt: skip
    return Content(
        recipe={"name": "support-triage", "owner": "a team", "purpose": "To route.", "training": {"rank": 16}},
        verdict=verdict,
        **changes(before, after, "exact_match", GATE.confidence, intervals.difference),
        sources=(
            Source(name="tickets", uri="data/t.jsonl", rows=1234, licence="CC0", lawful_basis="own", digest="e" * 64),
        ),
        path=(
            passage("validate-raw", 1234, 1231, [Dropped(f"T-{i}", "validate-raw", "fails RAW-1") for i in range(3)]),
            passage("deduplicate", 1231, 1231, []),
        ),
        sides={"train": 900, "validation": 131, "test": 200},
        suites=(
            Suite(
                suite="raw", version=2, owner="a steward", digest="f" * 64, decision="pass_with_warnings",
                reasons=("RAW-1 warns",), rows=9, findings=tuple(checks),
            ),
        ),
        personal=Personal(records=1231, touched=1000, counts={"PERSON": 12345, "EMAIL": 7}),
        training=trained(),
        wins=examples(verdict.wins, prompts, before.answers, after.answers, won=True),
        losses=examples(verdict.losses, prompts, before.answers, after.answers, won=False),
        identity={"adapter": "1" * 64},
        environment={"threads": 2},
    )  # fmt: skip


KEPT = {
    "points",
    "ratio",
    "bits",
    "accepted",
    "refused",
    "inconclusive",
    "superiority",
    "floor",
    "ceiling",
    "non_inferiority",
    "target",
}
KEPT |= {"best", "packed", "padded", "held_out_loss"}
KEPT |= {"pass_with_warnings", "passed", "failed", "could not run", "recipe", "name", "owner", "purpose"}


def poisoned(value: object) -> object:
    """``value`` with markup for every text, keys of free mappings included."""
    match value:
        case str():
            return value if value in KEPT else MARKUP
        case dict():
            return {key: poisoned(inner) for key, inner in value.items()}
        case list() | tuple():
            return [poisoned(inner) for inner in value]
        case _:
            return value


class Tags(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        """Note it."""
        self.names.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """It must close the last one opened."""
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


def parsed(written: str) -> Tags:
    """The page's tags, each closed."""
    tags = Tags()
    tags.feed(written)
    assert tags.open == []
    return tags


def test_markup_in_any_text_is_shown_and_not_obeyed():
    """Whoever writes a record, a recipe, a suite or a model's answer writes no part of the page."""
    attempts = [{"micro_batch": 16, "outcome": "x"}, {"micro_batch": 8, "outcome": "x"}]
    fallen_back = trained(layout={"name": "padded", "why": "x"}, attempts=attempts)
    given = content("inconclusive").model_copy(update={"training": fallen_back})
    dumped = given.model_dump()
    dirty = poisoned(dumped)
    for name in ("identity", "sides", "environment", "slices"):
        dirty[name] = {MARKUP: next(iter(dirty[name].values()))}
    dirty["personal"]["counts"] = {MARKUP: 3}
    dirty["verdict"]["question"] = {MARKUP: {MARKUP: MARKUP}}
    dirty["recipe"] |= {MARKUP: [MARKUP]}

    written = page(Content.model_validate(dirty))
    tags = parsed(written)

    assert "<img" not in written
    assert "&lt;img src=x" in written
    assert "{{ 7 * 7 }}" in written
    assert tags.names.isdisjoint({"img", "script", "link", "iframe", "object", "form", "base"})
    assert not [name for _, name, _ in tags.attributes if name.startswith("on")]


@pytest.mark.parametrize("decision", ARMS)
def test_the_page_stands_alone(decision):
    """No script, no address to fetch, and a policy that forbids both."""
    written = page(content(decision))
    tags = parsed(written)

    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in written
    assert not re.search(r"<script|<link|https?:|url\(|@import|javascript:", written)
    assert not [value for _, name, value in tags.attributes if name == "src"]
    assert all(value.startswith("#") for _, name, value in tags.attributes if name == "href")


def test_every_link_within_the_page_leads_somewhere():
    """Each section named at the top is there, once, with its heading."""
    tags = parsed(page(content()))
    ids = [value for _, name, value in tags.attributes if name == "id"]

    assert len(ids) == len(set(ids))
    assert {value[1:] for _, name, value in tags.attributes if name == "href"} <= set(ids)
    assert {
        "metrics", "criteria", "parts", "ability", "latency", "sources", "dropped", "doorways", "personal", "training",
        "examples", "unknown", "identity", "recipe",
    } <= set(ids)  # fmt: skip


def test_equal_content_gives_equal_bytes():
    """A page is named by its digest, so nothing in it comes from the hour or the machine."""
    assert page(content()) == page(Content.model_validate_json(content().model_dump_json()))


def test_each_decision_has_its_banner():
    """A reader who sees the top alone knows which it is, and what may follow, without colour."""
    banners = {d: re.search(r'<section class="banner.*?</section>', page(content(d)), re.DOTALL)[0] for d in ARMS}

    assert len(set(banners.values())) == 3
    assert ">Accepted</h1>" in banners["accepted"]
    assert "Only a promotion" in banners["accepted"]
    assert ">Refused</h1>" in banners["refused"]
    assert "Falls short on general ability: 1 of 4 criteria." in banners["refused"]
    assert ">Inconclusive</h1>" in banners["inconclusive"]
    assert "Not enough evidence on general ability: 1 of 4 criteria." in banners["inconclusive"]


def test_the_whole_reason_of_each_criterion_is_on_the_page():
    """The gate's own words, and its numbers for people."""
    given = content("inconclusive")
    written = page(given)

    for criterion in given.verdict.criteria:
        assert criterion.reason[1:] in written
    assert f"about {given.verdict.criterion('general_ability').needed:,} would" in written
    assert written.count('class="row accepted"') == 3
    assert written.count('class="row inconclusive"') == 1


def test_nothing_at_all_is_said_in_words():
    """No row set aside, no loss, no slice, no curve: the page says so instead of showing an empty table."""
    bare = content().model_copy(
        update={
            "fields": (), "slices": {}, "abilities": (), "latency": (), "path": (), "suites": (), "wins": (),
            "losses": (), "personal": Personal(records=0, touched=0, counts={}), "environment": {},
            "redacting": redacting(policy={}),
            "training": Training(steps=1, examples=1, truncated=0, tokens=1, trainable_parameters=1, seconds=0.5),
        }
    )  # fmt: skip
    written = page(bare)
    parsed(written)

    for said in (
        "The answer has no fields.", "No slices", "Not measured.", "Nothing was dropped.", "No suite was run.",
        "None was found.", "No curve was filed.", "<p>None.</p>",
    ):  # fmt: skip
        assert said in written


def test_the_report_says_how_well_redaction_worked_or_that_nobody_measured_it():
    """One sentence for who signs, the recall of each type for who doubts it."""
    plain = content()
    shown = plain.model_copy(update={"redacting": redacting()})
    written, without = page(shown), page(plain)
    parsed(written)

    assert "Shown to be good enough.</strong> Of 1\u202f152 invented values planted" in written
    assert "<b>PERSON</b> <small>193 of 195, at least 96.8\u202f%, floor 92\u202f%</small>" in written
    assert "was not measured in this run" not in written
    assert without.count("was not measured in this run") == 2
    assert "<strong>Redaction:</strong> how much it finds was not measured in this run." in without


def test_a_measurement_that_was_refused_is_red_with_its_reasons():
    """On the report too, should a run ever get there."""
    written = page(content().model_copy(update={"redacting": refused()}))

    assert '<div class="standing bad">' in written
    assert "Not shown to be good enough." in written
    assert "<li>leaks: 43 of 496 seeded records leak, a rate of at most 11.0%" in written


def test_a_number_that_is_none_or_not_finite_is_a_dash():
    """Unknown looks unknown; it is not zero."""
    given = content()
    odd = Training(**given.training.model_dump() | {"losses": [(1, math.nan), (2, 1.0)], "operations": None})
    unknown = given.metrics[0].model_copy(update={"before": None, "after": math.nan, "lower": None})
    written = page(given.model_copy(update={"metrics": (unknown,), "training": odd}))

    assert "nan" not in written.casefold()
    for said in (wording.share, wording.points, wording.count, wording.number, wording.big, wording.duration):
        assert said(None) == said(math.nan) == said(math.inf) == wording.UNKNOWN


def test_a_record_that_vanished_is_a_fault_in_bold():
    """What went in is what came out or was filed as dropped; else nobody should approve."""
    lossy = content().model_copy(update={"path": (passage("redact", 10, 8, [Dropped("T-1", "redact", "x")]),)})

    assert "1 of 10 records are not accounted for. This is a fault; do not approve." in page(lossy)
    assert "not accounted for" not in page(content())


def test_a_digest_is_short_with_all_of_it_in_its_title():
    """Twelve digits for the eye, sixty-four for whoever checks."""
    assert f'title="sha256:{"1" * 64}">{"1" * 12}<' in page(content())


def test_a_verdict_survives_its_file():
    """The page is made of what was filed, not of what was in memory."""
    verdict = content("refused").verdict

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize("given", [verdicts.content(), verdicts.versions()], ids=["candidate", "versions"])
def test_a_page_of_many_criteria_is_whole(given):
    """What was not met stands open, the rest is folded; every link leads somewhere, with or without data."""
    written = page(given)
    tags = parsed(written)
    ids = {value for _, name, value in tags.attributes if name == "id"}

    assert {value[1:] for _, name, value in tags.attributes if name == "href"} <= ids
    assert ("training" in ids) == ("sources" in ids) == (given.versions is None)
    assert "21 criteria that were met, in numbers" in written
    assert "A/A self-test" in written
    assert written.index("refused on 41 items") < written.index("inconclusive on 120 items")


def test_a_comparison_of_versions_is_headed_by_both_and_promotes_nothing():
    """Nothing was registered, so nothing is said to be."""
    met = tuple(each for each in verdicts.every() if each.decision == "accepted")
    written = page(verdicts.versions(verdict=verdicts.verdict(met)))

    assert "Comparison of <strong>support-triage 3</strong> (after) with <strong>support-triage 2</strong>" in written
    assert "Both answers were on file." in written
    assert "Nothing was promoted." in written
    assert "registered as the candidate" not in written


def test_a_slice_says_whether_it_was_judged():
    """By the gate, or not because it is too small, or not at all."""
    small = Change(name="fax", before=0.1, after=0.2, lower=-0.2, upper=0.4, n=6)
    email = verdicts.sliced("email", 60)
    judged = page(verdicts.content(slices={"channel": (email, small)}))
    shown = page(verdicts.content(verdicts.every()[:2], slices={"channel": (email, small)}))

    assert "too small: fewer than 30" in judged
    assert judged.count("shown only") == 0
    assert shown.count("shown only") == 2


def test_the_cost_of_a_thousand_requests_stands_beside_their_time():
    """At the recipe's price; who names none reads so."""
    assert "Cost of 1\u202f000 requests" in page(verdicts.content())
    assert "names no price of a device-hour" in page(verdicts.content(recipe={"name": "x"}))


def test_what_was_hard_to_learn_has_a_section_if_it_was_looked_for():
    """And survives the content's file; a run that did not look has none."""
    given = content().model_copy(update={"hard": HARD})
    read = Content.model_validate_json(given.model_dump_json())
    written = page(read)
    parsed(written)

    assert read == given
    assert '<section id="hard"' in written
    assert "14 of 75 examples were never learned" in written
    assert 'id="hard"' not in page(content())


def test_a_leak_audit_has_a_section_if_one_was_run():
    """With what it does not show; a run without one says so under what is not known."""
    given = content().model_copy(update={"leaks": audit()})
    read = Content.model_validate_json(given.model_dump_json())
    written = page(read)
    parsed(written)

    assert read == given
    assert '<section id="leaks"' in written
    assert "What this does not show" in written
    assert "no leak audit was run" not in written
    assert "no leak audit was run" in page(content())


def test_what_was_asked_beside_the_task_has_a_section():
    """And what is shown there is not said to be unknown."""
    texts = (Foreseen(name="all", n=9, before=45.4, after=49.1),)
    kept = Shift(name="typos", n=80, before=0.6, after=0.58, lower=-0.06, upper=0.02, gained=2, lost=4)
    given = Asked(
        level=0.9, target="exact_match", texts=texts, robustness=(Kept(variant="typos", n=80, before=kept, after=kept),)
    )
    written = page(content().model_copy(update={"asked": given}))
    parsed(written)

    assert '<section id="asked"' in written
    assert "no misspelt, shouted" not in written
    assert "no misspelt, shouted" in page(content())
