"""What a person decided holds for the record that was looked at, and for no other."""

import pytest

from assay.data.corrections import Corrector, fingerprint, load, reviewed, tally, written
from assay.data.decisions import ACTIONS, Correction
from assay.errors import DataError

HEAD = "version,id,row,action,label,reason,who\n"
ROW = "0123456789ab"


def answer(intent: str) -> str:
    """A completion as the data have it."""
    return f'{{"intent": "{intent}", "order_id": null}}'


@pytest.fixture
def records(record):
    """Three tickets."""
    return [record(f"ticket {i}", answer("refund"), id=f"T-{i}") for i in range(3)]


def decided(record, action: str = "drop", label: str = "", version: int = 1) -> Correction:
    """A decision on a record as it is."""
    row = fingerprint(record)
    return Correction(version=version, id=record.id, row=row, action=action, label=label, reason="two wishes", who="j")


def test_a_fingerprint_is_of_what_was_said_whatever_number_a_placeholder_has(record):
    """Numbers move when another name is found; the words, the kind of placeholder and the answer are what counts."""
    first = fingerprint(record("Dear [PERSON_1], see [ORDER_ID_2]", "{}"))

    assert first == "6c2a548e3b5c"
    assert fingerprint(record("Dear [PERSON_7], see [ORDER_ID_1]", "{}", id="other", subject="s9")) == first
    assert fingerprint(record("Dear [EMAIL_1], see [ORDER_ID_2]", "{}")) != first
    assert fingerprint(record("Dear [PERSON_1], see [ORDER_ID_2]", "{ }")) != first
    assert fingerprint(record("ab", "c")) != fingerprint(record("a", "bc"))


def test_each_decision_does_what_it_says(records):
    """Relabelled, dropped with its reason, kept as it is; a record without one is left alone, and order stays."""
    first, second, third = records
    made = [decided(first, "relabel", "billing"), decided(second), decided(third, "keep")]

    corrector = Corrector(made, "intent")
    left = [*corrector.correct(records[:2]), *corrector.correct(records[2:])]

    assert [r.completion for r in left] == [answer("billing"), answer("refund")]
    assert left[1] is third
    dropped = corrector.finish().dropped
    assert [(d.id, d.step, d.reason) for d in dropped] == [("T-1", "review", "dropped by review, version 1, by j")]
    assert tally(made, {r.id for r in records}) == ({"drop": 1, "keep": 1, "relabel": 1}, ())
    assert reviewed(made) == {"T-0", "T-2"}


def test_the_words_of_who_decided_stay_in_the_file(records):
    """Somebody will write down whom a record is about; why it left is shown on pages, and says who to ask."""
    named = "Mrs Katharina Vogel of Elm Street 12 asks for two things"
    made = Correction(
        version=3, id="T-0", row=fingerprint(records[0]), action="drop", reason=named, who="jane.doe@acme.example"
    )
    corrector = Corrector(load(written([made])), "intent")
    corrector.correct(records)

    (dropped,) = corrector.finish().dropped
    assert dropped.reason == "dropped by review, version 3, by jane.doe@acme.example"


def test_the_last_version_counts(records):
    """Somebody may think again."""
    made = (decided(records[0]), decided(records[0], "keep", version=2), decided(records[1], "keep"))

    corrector = Corrector(made, "intent")
    assert corrector.correct(records) == records
    assert corrector.finish().dropped == ()
    assert reviewed(made) == {"T-0", "T-1"}
    assert reviewed((*made, decided(records[1], version=3))) == {"T-0"}


def test_a_correction_of_a_record_that_reads_otherwise_now_is_refused_with_its_id(record, records):
    """It was made of another text; ten are named, and the rest are counted."""
    changed = [record("another text", answer("refund"), id=r.id) for r in records]
    corrector = Corrector([decided(r) for r in records], "intent")
    assert corrector.correct(changed) == changed
    with pytest.raises(DataError, match=r"found 3 of records that no longer read as they did \(T-0, T-1, T-2\)"):
        corrector.finish()

    many = [record("old", "{}", id=f"T-{i:02}") for i in range(12)]
    corrector = Corrector([decided(r) for r in many], "intent")
    corrector.correct(record("new", "{}", id=r.id) for r in many)
    with pytest.raises(DataError, match=r"found 12 .*T-09 and 2 more\); .* Review them again"):
        corrector.finish()


def test_an_answer_that_cannot_be_relabelled_is_refused(record):
    """A person who relabels it would think that it is done."""
    broken = record("ticket", "no JSON", id="T-9")
    corrector = Corrector([decided(broken, "relabel", "billing")], "intent")
    corrector.correct([broken])

    with pytest.raises(DataError, match=r"1 answers to relabel without a field `intent` \(T-9\)"):
        corrector.finish()


def test_a_correction_whose_record_is_not_there_is_told_and_no_error(record, records):
    """It may have left at an earlier step."""
    made = [decided(record("x", "{}", id=id)) for id in ("Z", "A")]
    made.append(decided(records[0], "keep"))
    corrector = Corrector(made, "intent")

    assert corrector.correct(records) == records
    assert corrector.finish().dropped == ()
    assert tally(made, {r.id for r in records}) == ({"keep": 1}, ("A", "Z"))


def test_an_id_in_a_message_cannot_steer_a_terminal(record):
    """Ids come from sources, and a message is printed."""
    odd = record("old", "{}", id="T-\x1b[2J\u009b1")
    corrector = Corrector([decided(odd)], "intent")
    corrector.correct([record("new", "{}", id=odd.id)])

    with pytest.raises(DataError, match=r"\(T-\[2J1\)"):
        corrector.finish()


def test_a_file_is_read_as_written():
    """The version of the docstring, which a reader will copy."""
    text = (
        HEAD + f'1,T-5,{ROW},relabel,refund,"asks, twice",jane\n'
        f"1,T-6,{ROW},drop,,two wishes,jane\n2,T-6,{ROW},keep,,a remark,john\n"
    )

    first, second, third = load(text.encode())

    assert (first.action, first.label, first.reason) == ("relabel", "refund", "asks, twice")
    assert (second.version, third.version, third.who) == (1, 2, "john")
    assert load(HEAD.encode()) == load(b"") == ()


def test_every_mistake_is_told_with_its_line_and_no_cell_is_quoted():
    """All at once; what stands in a wrong column may be what a customer wrote."""
    text = HEAD + (
        f"one,T-1,{ROW},drop,,why,jane\n"
        f"2,T-2,{ROW},Quillon Terrabask,,why,jane\n"
        f"2,T-3,{ROW},relabel,,why,jane\n"
        f"2,T-4,{ROW},keep,refund,why,jane\n"
        f"2,T-5,{ROW},drop,,,\n"
        f"2,T-6,Quillon,drop,,why,jane\n"
        f"2,T-7,{ROW},drop,,write to quillon@example.org,jane\n"
        f"2,,{ROW},drop,,why,jane\n"
        f"2,T-8,{ROW},drop,,{'long ' * 70},jane\n"
        f"2,T-9,{ROW},drop,,why,jane\n"
        f"1,T-10,{ROW},drop,,why,jane\n"
        f"2,T-9,{ROW},keep,,why,jane\n"
    )

    with pytest.raises(DataError) as refused:
        load(text.encode())

    said = str(refused.value).splitlines()
    assert [line.split(": ", 2)[:2] for line in said] == [
        [f"corrections.csv:{line}", who]
        for line, who in (
            (2, "T-1"), (3, "T-2"), (4, "T-3"), (5, "T-4"), (6, "T-5"), (6, "T-5"), (7, "T-6"), (8, "T-7"),
            (9, "row"), (10, "T-8"), (12, "T-10"), (13, "T-9"),
        )
    ]  # fmt: skip
    assert "quillon" not in str(refused.value).lower()
    assert "decided on at line 11 in the same version" in said[-1]


@pytest.mark.parametrize(
    ("id", "shown"),
    [
        ("T-000005", "T-000005"),
        ("shop:eu_1.7", "shop:eu_1.7"),
        ("please write to Quillon Terrabask", "row"),
        ("quillon@example.org", "row"),
        ("Quíllon", "row"),
        ("Q" * 65, "row"),
    ],
)
def test_a_mistake_names_what_looks_like_an_id_and_nothing_else(id: str, shown: str):
    """In a file whose columns have slipped, a customer's words stand in the column of ids."""
    with pytest.raises(DataError) as refused:
        load(f"{HEAD}1,{id},{ROW},maybe,,why,jane\n".encode())

    assert str(refused.value).startswith(f"corrections.csv:2: {shown}: `action` must be")


def test_a_number_that_slipped_into_the_column_of_versions_is_not_quoted():
    """It may be somebody's telephone number."""
    text = f"{HEAD}491701234,T-1,{ROW},drop,,why,jane\n301234567,T-2,{ROW},drop,,why,jane\n"

    with pytest.raises(DataError, match=r"3: T-2: `version` is lower") as refused:
        load(text.encode())

    assert not {"491701234", "301234567"} & set(str(refused.value).split())


def test_every_action_is_one_that_can_be_typed():
    """The list that messages name is the type's."""
    assert ACTIONS == ("keep", "drop", "relabel")
