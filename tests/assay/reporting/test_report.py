"""The page says all that was filed, in one file that runs nothing and obeys nothing that it quotes."""

import json
import math
import re
from html.parser import HTMLParser

import pytest

from assay.evaluation import comparison
from assay.evaluation.comparison import intervals
from assay.evaluations import Arm, Evaluation, Verdict
from assay.outcomes import Answer, Choice
from assay.records import Dropped
from assay.reporting import forest, wording
from assay.reporting.content import NOT_LOOKED_FOR, Check, Content, Personal, Source, Suite
from assay.reporting.excerpts import changes, examples, passage
from assay.reporting.report import page
from assay.reporting.training import Training
from assay.trials import GateSpec
from tests.assay.reporting.measurements import redacting, refused
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
    choices = [Choice(id=f"c{i}", group=f"g{i % 40}", correct=i < able, margin=0.1) for i in range(800)]
    evaluation = Evaluation(
        question={"dtype": "float32", "items": "d" * 64, "versions": {"torch": "2.13.0"}},
        model=model * 64,
        metrics={"exact_match": right / n, "label_f1": right / n, "latency_p50_ms": latency},
        fields={"intent": right / n},
        slices={"channel": {"email": {"n": n - 4.0}, "fax": {"n": 4.0}}},
        ability_groups={},
        latency={"request_p50_ms": latency, "requests": 30.0, "tokens_per_second": 50.0},
        environment={"cpu": "x"},
    )
    return Arm(evaluation, answers, choices)


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
    "non_inferiority",
    "ratio",
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
            "losses": (), "not_known": (), "personal": Personal(records=0, touched=0, counts={}), "environment": {},
            "redacting": redacting(policy={}),
            "training": Training(steps=1, examples=1, truncated=0, tokens=1, trainable_parameters=1, seconds=0.5),
        }
    )  # fmt: skip
    written = page(bare)
    parsed(written)

    for said in (
        "The answer has no fields.", "No slices", "Not measured.", "Nothing was dropped.", "No suite was run.",
        "None was found.", "No curve was filed.", "<p>None.</p>", "Nothing was named.",
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


def test_what_is_not_known_is_said_with_what_this_run_leaves_open():
    """The standing list, a slice too small to read, and a criterion that the items cannot decide."""
    written = page(content("inconclusive"))

    for standing in NOT_LOOKED_FOR:
        assert standing.partition(":")[0] in written
    assert "fewer than 30 items for channel = fax" in written
    assert "Check RAW-2 of suite raw could not run:" in written
    assert "General ability:</strong> these 800 items cannot tell" in written


def test_a_record_that_vanished_is_a_fault_in_bold():
    """What went in is what came out or was filed as dropped; else nobody should approve."""
    lossy = content().model_copy(update={"path": (passage("redact", 10, 8, [Dropped("T-1", "redact", "x")]),)})

    assert "1 of 10 records are not accounted for. This is a fault; do not approve." in page(lossy)
    assert "not accounted for" not in page(content())


def test_reasons_of_one_kind_are_counted_together():
    """A duplicate of one record and a duplicate of another left for one reason; failed checks keep their names."""
    rows = [Dropped(f"T-{i}", "deduplicate", f"exact duplicate of T-{i + 50}") for i in range(40)]
    rows += [Dropped("T-99", "validate", "fails RAW-1, RAW-2")]
    told = passage("deduplicate", 100, 59, rows)

    assert [(reason.said, reason.rows) for reason in told.reasons] == [
        ("exact duplicate of …", 40),
        ("fails RAW-1, RAW-2", 1),
    ]
    assert told.reasons[0].examples[0] == ("T-0", "exact duplicate of T-50")
    assert len(told.reasons[0].examples) == 12


def test_examples_show_each_label_before_any_label_twice():
    """Eight of many, spread over the labels, in the order of the test set."""
    before = [answer(i, right=False) for i in (0, 2, 4, 6, 8, 10, 12, 14, 16, 1)]
    after = [answer(i, right=True) for i in (0, 2, 4, 6, 8, 10, 12, 14, 16, 1)]
    shown = examples([a.id for a in before], {}, before, after, won=True)

    assert [example.id for example in shown[:3]] == ["T-0000", "T-0001", "T-0002"]
    assert len(shown) == 8
    assert shown[0].wrong == ("the format",)
    assert examples([], {}, before, after, won=False) == ()


def test_changes_are_bounded_where_they_are_means_over_items():
    """The interval beside a metric is that of the gate; an F1 and a latency have none."""
    before, after = ARMS["accepted"]
    told = changes(before, after, "exact_match", GATE.confidence, intervals.difference)
    metrics = {change.name: change for change in told["metrics"]}
    gain = comparison.compare(before, after, GATE).criterion("target")

    assert (metrics["exact_match"].lower, metrics["exact_match"].upper) == (gain.lower, gain.upper)
    assert metrics["label_f1"].lower is None
    assert metrics["general_ability"].n == 800
    assert {change.name: change.n for change in told["slices"]["channel"]} == {"email": 196, "fax": 4}
    assert sum(change.n for change in told["abilities"]) == 800


def test_numbers_read_as_people_write_them():
    """Points are signed with a true minus, thousands are set apart, small durations are not rounded away."""
    assert wording.share(0.8125) == "81.2\u202f%"
    assert (wording.points(0.1234), wording.points(-0.03), wording.points(0.0)) == ("+12.3", "\u22123.0", "0.0")
    assert wording.points(-0.0001) == "0.0"
    assert wording.count(1234567) == "1\u202f234\u202f567"
    assert wording.duration(187.3) == "3\u202fmin 7\u202fs"
    assert wording.size(2.9e9) == "2.9\u202fGB"
    assert wording.big(1.6e14) == "1.6\u202f\u00d7\u202f10¹⁴"
    assert wording.scaled(940, "latency_p50_ms") == "940\u202fms"


def test_a_digest_is_short_with_all_of_it_in_its_title():
    """Twelve digits for the eye, sixty-four for whoever checks."""
    assert f'title="sha256:{"1" * 64}">{"1" * 12}<' in page(content())


def test_better_is_right_of_the_threshold_for_every_kind():
    """A latency ratio under its limit lies on the same side as a gain over its threshold."""
    drawn = forest.forest(
        [forest.Span(name="x", said="y", colour="accepted", point=5.0, lower=1.0, upper=9.0, origin=-10.0)]
    )
    point = float(re.search(r'class="point" cx="([\d.]+)%', drawn)[1])
    origin = float(re.search(r'class="origin" cx="([\d.]+)%', drawn)[1])

    assert origin < 50 < point
    ratios = re.findall(r'class="point" cx="([\d.]+)%', page(content()))
    assert all(float(place) > 50 for place in ratios)


def test_a_verdict_survives_its_file():
    """The page is made of what was filed, not of what was in memory."""
    verdict = content("refused").verdict

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
