"""The data card says what was filed of a dataset version, in one file that runs nothing and fetches nothing."""

import json
import re
from html.parser import HTMLParser

import pytest

from assay.data import profile as profiling
from assay.records import Dropped
from assay.reporting import card, excerpts
from assay.reporting.dataset import NOT_KNOWN, Content, Profile
from tests.assay.reporting import measurements
from tests.assay.reporting.cards import SIDES, SPOKEN, WAIVERS, content, full, suite

MARKUP = "<img src=x onerror=alert(1)>\"'&{{ 7 * 7 }}"
VOID = {"meta", "img", "br", "hr", "link", "input"}
KEPT = {"pass", "quarantine", "passed", "train", "validation", "test", "mask", "surrogate", "keep"}


class Tags(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Note it."""
        self.names.add(tag)
        self.attributes += attrs
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        """It must close the last one opened."""
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_startendtag(self, tag, attrs):
        """Nothing is in it."""
        self.names.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        """What is read."""
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def parsed(written: str) -> Tags:
    """The page's tags, each closed."""
    tags = Tags()
    tags.feed(written)
    assert tags.open == []
    return tags


def read(written: str) -> str:
    """The page's text, white space folded and thin spaces taken out."""
    return " ".join(" ".join(parsed(written).text).replace("\u202f", "").split())


def poisoned(value: object) -> object:
    """``value`` with markup for every text."""
    match value:
        case str():
            return value if value in KEPT else MARKUP
        case dict():
            return {key: poisoned(inner) for key, inner in value.items()}
        case list() | tuple():
            return [poisoned(inner) for inner in value]
        case _:
            return value


def test_every_text_is_escaped_and_the_page_runs_and_fetches_nothing():
    """Content is data, wherever on the page it stands."""
    written = card.page(Content.model_validate(poisoned(full().model_dump())))

    tags = parsed(written)
    assert not tags.names & {"img", "script", "iframe", "link", "form", "object"}
    assert "onerror" not in {name for name, _ in tags.attributes}
    assert "{{" in read(written)
    assert "default-src 'none'" in written
    links = {value for name, value in tags.attributes if name in {"href", "src"}}
    assert all(link.startswith(("#", "./")) for link in links)
    assert "url(" not in written


def test_equal_content_gives_equal_bytes_whatever_way_it_came():
    """A card can be made again from what was filed."""
    again = Content.model_validate_json(full().model_dump_json())

    assert card.page(again) == card.page(full())


def test_the_card_answers_every_question_of_a_datasheet():
    """Motivation to maintenance, with the numbers that were filed."""
    said = read(card.page(full()))

    for part in ("Motivation", "Collection", "Preprocessing", "Composition", "Uses", "Distribution", "Maintenance"):
        assert part in said
    for fact in (
        "120 records about 60 subjects: 100 for train, 20 for validation; nobody is on two sides.",
        "published 2031-02-03",
        "131 in, 122 out",
        "9 set aside 9 \N{MULTIPLICATION SIGN} fails RAW-3",
        "CC0-1.0",
        "contract",
        "version 3: 4 records to keep, 11 records to relabel, decided by jane.doe@acme.example.",
        "jane.doe@acme.example. 2 decisions found no record: it is no longer in the sources, or left before.",
        "records of this version that somebody should look at",
        "Label noise 21",
        "channel 120 email 80 , chat 40 0.42 refund unlikely to be chance, p = 0.004 0.08 < 0.001",
        "ORDER_ID placeholder 131 120",
        "refund 50 50.0% 10 50.0%",
        *(said_.partition(": ")[2] for said_ in NOT_KNOWN),
    ):
        assert fact in said, fact


def test_no_text_of_a_record_is_on_it():
    """The card is made of counts."""
    assert SPOKEN.split(" [", maxsplit=1)[0] not in card.page(full())


def test_a_version_that_nothing_stands_against_says_so():
    """Every record accounted for, every doorway passed, nothing waiting."""
    assert card.remarks_on(content()) == []
    assert "Nothing stands against it" in read(card.page(content()))


def test_waivers_are_shown_with_who_and_until_and_whether_they_hold():
    """In force and expired alike, each once."""
    said = read(card.page(content(suites=(suite(waivers=WAIVERS), suite("curated", waivers=WAIVERS)))))

    assert said.count("Being mended.") == 2
    assert "RAW-0 in force Being mended. jane.doe@acme.example 2031-05-01 any row" in said
    assert "RAW-1 expired" in said
    assert "1 failure is let pass until a named day." in said
    assert "1 has expired and has no effect." in said
    assert "Read before you sign" in said


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"path": (excerpts.passage("redact", 131, 120, [Dropped("r1", "redact", "too long")]),)}, "10 of 131 records"),
        ({"path": (excerpts.passage("redact", 119, 119, []),)}, "119 records went in and 120 came out"),
        ({"suites": (suite(decision="stop"),)}, "the suite stopped the run"),
        (
            {"profile": profiling.profile({"train": SIDES["train"], "test": SIDES["train"]}, "intent", [])},
            "50 subjects are",
        ),
    ],
)
def test_lost_records_torn_subjects_and_a_stopped_suite_forbid_a_signature(changes: dict, says: str):
    """Whatever else is well."""
    said = read(card.page(content(**changes)))

    assert "Do not sign" in said
    assert says in said


@pytest.mark.parametrize(
    ("p_value", "says"),
    [
        (0.0002, "unlikely to be chance, p < 0.001"),
        (0.0499, "unlikely to be chance, p = 0.05"),
        (0.05, "could be chance"),
        (1.0, "could be chance"),
        (None, "\N{EN DASH}"),
    ],
)
def test_a_ratio_is_shown_with_whether_it_could_be_chance(p_value: float | None, says: str):
    """Of many labels one is always far under the rest, and alarms for nothing."""
    found = full().slices[0].model_copy(update={"p_value_of_ratio": p_value})

    assert f"0.42 refund {says} " in read(card.page(content(slices=(found,))))


def test_a_decision_that_found_no_record_is_told_and_none_is_not_mentioned():
    """A card must not say that something was done that was not."""
    made = full().corrections.model_copy(update={"absent": 1})

    assert "1 decision found no record" in read(card.page(content(corrections=made)))
    made = made.model_copy(update={"absent": 0})
    assert "found no record" not in read(card.page(content(corrections=made)))


def test_the_card_says_where_the_files_are():
    """They are not beside it: reports hold no texts."""
    assert "they are in the artefact store of the deployment, each under its sha256" in read(card.page(content()))


def test_records_that_wait_for_review_are_told():
    """Each is one of this version, and none was dropped at a later step."""
    assert [remark.said for remark in card.remarks_on(content(suspects={"length": 1}))] == [
        "Review: 1 doubt waits for a person to decide on."
    ]


def test_the_card_says_what_redaction_was_shown_to_find():
    """The bound that a signature rests on stands on top and with its evidence."""
    said = read(card.page(content(redacting=measurements.redacting())))

    assert "Records that leak at most 2.2% 95% confidence; limit 5%" in said
    assert "Of 1152 invented values planted in 500 distinct records of this run, 1134 were masked whole" in said
    assert "ORDER_ID placeholder 131 120" in said
    assert "2246 fingerprints of what was replaced are sealed" in said
    assert "Redaction:" not in said


def test_nobody_signs_for_a_redaction_that_is_not_shown_to_be_good_enough():
    """It stands on top of the card; a leak that a person read is told, and so is that nobody measured."""
    (remark,) = card.remarks_on(content(redacting=measurements.refused()))

    assert (remark.colour, remark.said[:40]) == ("bad", "Redaction: not shown to be good enough. ")
    read_by = {"rows": 300, "leaks": 1, "upper": 0.0158, "who": "jane.doe@acme.example", "day": "2031-02-01"}
    found = content(redacting=measurements.redacting(sample=read_by))
    assert [said for _, said in card.remarks_on(found)] == ["Redaction: 1 row of 300 read by a person still leaked."]
    assert "Redaction: how much it finds was not measured in this run." in read(card.page(content()))


def test_labels_with_few_records_are_named_among_what_is_not_known():
    """A side of ten records of a label says little about it."""
    assert "Rare labels: fewer than 30 records of every label on the side validation." in read(card.page(content()))


def test_what_is_learned_beside_the_records_is_a_source_with_a_licence():
    """It stands on no side, so it is none of the records read, and its licence binds all the same."""
    beside = (
        content().sources[0].model_copy(update={"name": "general", "licence": "CC-BY-4.0", "rows": 12, "side": "train"})
    )

    written, plain = read(card.page(content(beside=(beside,)))), read(card.page(content()))

    assert "general" not in plain
    assert "from 1 source" in written
    assert re.search(r"general\W+learned beside the records\W+12\W+data/t.jsonl\W+CC-BY-4.0", written)
    assert re.search(r"CC-BY-4.0\W+general\W+12", written)


def test_a_profile_is_read_whole():
    """What the data wing counts and what a card takes have the same names."""
    found = profiling.profile(SIDES, "intent", ["channel"])

    assert Profile.model_validate(found).model_dump() == found.model_dump()
    assert Profile.model_validate_json(found.to_json()) == Profile.model_validate(found)


def test_a_card_of_nothing_is_still_a_page():
    """No step, no suite, no record, no label."""
    nothing = profiling.profile({"train": []}, "intent", ["channel"])

    written = card.page(
        content(path=(), sides=(), suites=(), profile=nothing, personal={"records": 0, "touched": 0, "counts": {}})
    )

    assert "0 records about 0 subjects" in read(written)


def test_every_table_keeps_its_roles_and_every_picture_has_words():
    """A reader without eyes gets the same numbers."""
    written = card.page(full())

    assert len(re.findall("<table", written)) == len(re.findall('<table role="table"', written))
    for drawing in re.findall(r"<svg[^>]*>", written):
        assert "aria-hidden" in drawing or "aria-label" in drawing
    assert json.dumps(re.findall(r"<h([1-6])", written)[:3]) == '["1", "2", "2"]'
