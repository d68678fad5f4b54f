"""A person sees each suspect once, edits it in a spreadsheet, and is understood."""

import csv
import io

import pytest

from assay.data import review
from assay.data.corrections import Corrector, fingerprint, load
from assay.data.review import decisions_in, merge
from assay.errors import DataError
from assay.records import Record, Suspect

HEAD = "version,id,row,action,label,reason,who\n"
REVIEW = "decision,label,reason,id,row\n"
ROW = "0123456789ab"


@pytest.fixture
def records(record) -> dict[str, Record]:
    """Four tickets, one of them from somebody who means harm."""
    texts = {"T-1": "I want\nmy money back", "T-2": "Grüße aus [CITY_1]", "000017": "same", "T-4": "=HYPERLINK(1)"}
    return {id: record(text, '{"intent": "refund"}', id=id) for id, text in texts.items()}


SUSPECTS = [
    Suspect(id="T-2", kind="language", doubt=0.4, reason="the only one in de"),
    Suspect(id="T-1", kind="label_noise", doubt=0.7, reason="others say billing", suggestion="billing"),
    Suspect(id="T-4", kind="label_noise", doubt=0.9, reason="others say delivery", suggestion="delivery"),
    Suspect(id="T-1", kind="disagreement", doubt=0.95, reason="its twin says otherwise", twin="000017"),
]


def table(data: bytes) -> list[dict[str, str]]:
    """As a spreadsheet shows it."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_record_stands_once_among_the_kind_of_its_gravest_doubt(records):
    """With all that is doubted of it, what it is like, and what the others say."""
    found = table(review.write(SUSPECTS, records, "intent"))

    assert [(row["id"], row["kind"], row["doubt"]) for row in found] == [
        ("T-1", "disagreement; label_noise", "95%"),
        ("T-4", "label_noise", "90%"),
        ("T-2", "language", "40%"),
    ]
    first = found[0]
    assert first["why"] == "its twin says otherwise; others say billing"
    assert (first["twin"], first["twin prompt"], first["suggestion"]) == ("'000017", "same", "billing")
    assert (first["present label"], first["answer"]) == ("refund", '{"intent": "refund"}')
    assert first["row"] == fingerprint(records["T-1"])
    assert {(row["decision"], row["label"], row["reason"]) for row in found} == {("", "", "")}


def test_the_order_of_suspects_makes_no_difference(records):
    """The same doubts give the same bytes."""
    assert review.write(SUSPECTS, records, "intent") == review.write(SUSPECTS[::-1], records, "intent")


def test_no_text_of_a_record_is_a_formula_or_breaks_its_row(records):
    """A spreadsheet opens it as one line of words."""
    found = table(review.write(SUSPECTS, records, "intent"))

    assert [row["prompt"] for row in found] == ["I want ⏎ my money back", "'=HYPERLINK(1)", "Grüße aus [CITY_1]"]


def test_a_suspect_that_is_no_record_is_refused(records):
    """There would be nothing to look at."""
    with pytest.raises(DataError, match=r"found 1 suspects that are none of the records \(T-9\)"):
        review.write([*SUSPECTS, Suspect(id="T-9", kind="length", doubt=1, reason="x")], records, "intent")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("delimiter", "ends"), [(",", "\r\n"), (";", "\r\n"), ("\t", "\n")])
def test_what_a_spreadsheet_saves_becomes_the_corrections_that_were_meant(
    records, encoding: str, delimiter: str, ends: str
):
    """All the way: written, edited, saved in another dialect, merged, applied."""
    every = [Suspect(id=id, kind="length", doubt=0.5, reason="long") for id in records]
    rows = {row["id"].removeprefix("'"): row for row in table(review.write(every, records, "intent"))}
    rows["T-1"] |= {"decision": "RELABEL ", "label": "billing", "reason": "asks about an invoice"}
    rows["000017"] |= {"decision": "drop", "reason": "nothing in it; twice"}
    rows["T-4"] |= {"decision": "keep", "reason": "odd, but real"}
    saved = io.StringIO()
    writer = csv.DictWriter(saved, review.COLUMNS, delimiter=delimiter, lineterminator=ends)
    writer.writeheader()
    writer.writerows(reversed(rows.values()))
    bytes_saved = saved.getvalue().replace("⏎", "/").encode(encoding)

    made = load(merge(None, bytes_saved, "jane"))
    corrector = Corrector(made, "intent")
    left = corrector.correct(records.values())

    assert [c.id for c in made] == ["000017", "T-1", "T-4"]
    assert {r.id: r.completion for r in left} == {
        "T-1": '{"intent": "billing"}',
        "T-2": '{"intent": "refund"}',
        "T-4": '{"intent": "refund"}',
    }
    assert [d.reason for d in corrector.finish().dropped] == ["dropped by review, version 1, by jane"]
    assert [c.reason for c in made] == ["nothing in it; twice", "asks about an invoice", "odd, but real"]


def test_a_review_is_added_under_the_next_version():
    """Undecided rows are left out, decisions are sorted by id, and nothing that stood before is touched."""
    review = REVIEW + f"Relabel,billing,'=two  wishes,T-2,{ROW}\n,,,T-9,{ROW}\ndrop,,spam,T-1,{ROW}\n"

    first = merge(None, review.encode(), "jane")
    second = merge(first, (REVIEW + f"keep,,no spam,T-1,{ROW}\n").encode(), "john")

    assert first.decode() == HEAD + f"1,T-1,{ROW},drop,,spam,jane\n1,T-2,{ROW},relabel,billing,'=two wishes,jane\n"
    assert second.startswith(first)
    assert second.decode().endswith(f"2,T-1,{ROW},keep,,no spam,john\n")
    assert [c.reason for c in load(second)] == ["spam", "=two wishes", "no spam"]


def test_feeding_a_review_back_twice_changes_nothing():
    """Also in part: only what is new is added."""
    review = (REVIEW + f"drop,,spam,T-1,{ROW}\n").encode()
    once = merge(None, review, "jane")

    assert merge(once, review, "jane") == once
    assert merge(once, review + f"drop,,spam,T-2,{ROW}\n".encode(), "john").count(b"T-1") == 1


def test_every_mistake_in_a_review_is_told_with_its_line():
    """Nothing is merged then."""
    review = REVIEW + (
        f"maybe,,why,T-1,{ROW}\n"
        f"relabel,,why,T-2,{ROW}\n"
        f"relabel,refnd,why,T-3,{ROW}\n"
        f"drop,,,T-4,{ROW}\n"
        f",refund,,T-5,{ROW}\n"
        f"drop,,why,T-6,1.23E+11\n"
        f"drop,,why,T-7,{ROW}\n"
        f"keep,,why,T-7,{ROW}\n"
    )

    with pytest.raises(DataError) as refused:
        merge(None, review.encode(), "jane", ("refund", "billing"))

    said = str(refused.value).splitlines()
    assert [line.split(":")[1] for line in said] == ["2", "3", "4", "5", "6", "6", "7", "9"]
    assert "`label` is none of those there are: billing, refund" in said[2]


def test_a_review_without_a_decision_or_without_a_name_is_refused():
    """An untouched file was fed back by mistake; a decision that nobody answers for is none."""
    untouched = (REVIEW + f",,,T-1,{ROW}\n").encode()
    with pytest.raises(DataError, match="found no row with a decision"):
        merge(None, untouched, "jane")
    with pytest.raises(DataError, match="found no name of who decided"):
        merge(None, (REVIEW + f"drop,,spam,T-1,{ROW}\n").encode(), " ")

    assert decisions_in(untouched) == 0
    assert decisions_in(untouched + f",,unsure,T-2,{ROW}\n".encode()) == 1


def test_a_review_whose_columns_have_slipped_is_refused_without_a_word_of_it():
    """One cell too many in front, and the prompt stands in the column of ids."""
    review = REVIEW + f"maybe,,spam,please call Quillon Terrabask,{ROW}\nQuillon,Terrabask,drop,,T-1\n"

    with pytest.raises(DataError) as refused:
        merge(None, review.encode(), "jane", ("refund",))

    assert [line.split(": ")[:2] for line in str(refused.value).splitlines()[:1]] == [["review:2", "row"]]
    assert "quillon" not in str(refused.value).lower()
    assert "terrabask" not in str(refused.value).lower()
