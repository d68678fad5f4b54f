"""A person sees each suspect once, edits it in a spreadsheet, and is understood."""

import csv
import io

import pytest

from assay.data import review
from assay.data.corrections import Corrector, fingerprint, load, merge
from assay.errors import DataError
from assay.records import Record, Suspect


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
    assert [d.reason for d in corrector.finish().dropped] == ["dropped by review: nothing in it; twice"]
