"""The committed demo data are what the generator says they are."""

import json
import re
from collections import defaultdict
from pathlib import Path

import jsonschema
import pytest

from bench.generate_support_triage import numbers, wordings
from bench.generate_support_triage.corpus import generate
from bench.generate_support_triage.flaws import CAUGHT_BY
from bench.generate_support_triage.names import origins

RECIPE = Path(__file__).parents[2] / "recipes" / "support_triage"
FILES = ("tickets.jsonl", "heldout.jsonl", "personal_data.jsonl", "flaws.jsonl")


def lines(name):
    """Rows of one committed file."""
    return [json.loads(line) for line in (RECIPE / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


TICKETS, HELDOUT, GOLD, FLAWS = map(lines, ("tickets", "heldout", "personal_data", "flaws"))
ROWS = {row["ticket"]: row for row in (*TICKETS, *HELDOUT)}
FLAWED = {flaw["record"]: flaw for flaw in FLAWS}
CLEAN = [row for row in TICKETS if row["ticket"] not in FLAWED]


def masked(row):
    """The message and its answer, each personal value replaced by its type."""
    spans = sorted(
        (g for g in GOLD_OF[row["ticket"]] if g["field"] in ("message", "answer")), key=lambda g: -g["start"]
    )
    texts = {"message": row["message"], "answer": row["answer"]}
    for gold in spans:
        text = texts[gold["field"]]
        texts[gold["field"]] = f"{text[: gold['start']]}[{gold['type']}]{text[gold['end'] :]}"
    return texts["message"], texts["answer"]


GOLD_OF = defaultdict(list)
for value in GOLD:
    GOLD_OF[value["record"]].append(value)


def runs(text, length):
    """Runs of so many lower-case words."""
    words = re.findall(r"[\w\[\]']+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def templates(wording):
    """Every template of one stock, of whatever section."""
    cores = {core.text for stock in wordings.cores(wording).values() for core in stock}
    return cores | {line for stock in wordings.parts(wording).values() for line in stock}


def test_the_same_seed_gives_the_committed_bytes():
    """Regenerating with the defaults changes nothing in the repository."""
    files = generate(seed=7, tickets=1_000, heldout=322, flip_rate=0.025).files
    assert tuple(files) == FILES
    for name, content in files.items():
        assert content == (RECIPE / "data" / name).read_bytes(), f"{name} differs: run the generator and commit"


def test_another_seed_gives_other_messages():
    """The seed decides the text."""
    small = [generate(seed, tickets=300, heldout=200, flip_rate=0.1).files["tickets.jsonl"] for seed in (1, 2)]
    assert small[0] != small[1]


def test_the_flip_rate_is_the_share_of_mislabelled_tickets():
    """Worse data are one argument away."""
    flaws = generate(seed=1, tickets=300, heldout=200, flip_rate=0.4).files["flaws.jsonl"].decode()
    assert flaws.count('"flipped_label"') == 120


def test_every_gold_offset_slices_to_its_value():
    """Start and end are exact for each personal value of both files."""
    for gold in GOLD:
        assert ROWS[gold["record"]][gold["field"]][gold["start"] : gold["end"]] == gold["value"]


def test_order_ids_are_gold_wherever_they_stand():
    """Nothing that looks like an order number is missing from the gold."""
    for key, row in ROWS.items():
        for field in ("message", "answer"):
            known = {(g["start"], g["end"]) for g in GOLD_OF[key] if g["field"] == field}
            assert {match.span() for match in re.finditer(r"\b[A-Z]{2}-\d{6}\b", row[field])} <= known


def test_personal_values_are_not_shared_between_subjects():
    """A search for somebody's full name, e-mail, phone, address, account or order finds nobody else."""
    owners = defaultdict(set)
    for gold in GOLD:
        if gold["type"] != "DATE_OF_BIRTH" and (gold["type"] != "PERSON" or " " in gold["value"]):
            owners[gold["value"]].add(ROWS[gold["record"]]["customer"])
    assert [value for value, subjects in owners.items() if len(subjects) > 1] == []


def test_heldout_shares_no_subject_with_the_tickets():
    """Nobody is on both sides."""
    assert {row["customer"] for row in TICKETS}.isdisjoint(row["customer"] for row in HELDOUT)


def test_heldout_shares_no_template_with_the_tickets():
    """Cores, greetings, closings, cues and details of the two stocks are disjoint."""
    assert templates("seen").isdisjoint(templates("unseen"))


def test_no_six_words_in_a_row_stand_in_both_stocks():
    """A held-out sentence is another sentence, not a seen one with a word changed."""
    seen, unseen = (set().union(*(runs(text, 6) for text in templates(stock))) for stock in ("seen", "unseen"))
    assert seen & unseen == set()


def test_heldout_shares_no_run_of_eight_words_with_clean_tickets():
    """Disjoint templates do show in the text."""
    seen = set().union(*(runs(masked(row)[0], 8) for row in CLEAN))
    assert [row["ticket"] for row in HELDOUT if runs(masked(row)[0], 8) & seen] == []


def test_no_surname_occurs_in_a_wording():
    """A byte search for a surname cannot hit a sentence that everybody may get."""
    text = " ".join(templates("seen") | templates("unseen")).lower()
    assert [o.heads for o in origins() for h in o.heads for t in o.tails if (h + t).lower() in text] == []


def test_clean_messages_differ_once_masked():
    """Only planted duplicates are duplicates."""
    assert len({masked(row)[0] for row in CLEAN}) == len(CLEAN)
    assert len({masked(row)[0] for row in HELDOUT}) == len(HELDOUT)


def test_unflawed_answers_satisfy_the_schema():
    """So do the held-out ones; and each order id is copied from the message."""
    validator = jsonschema.Draft202012Validator(json.loads((RECIPE / "schema.json").read_text(encoding="utf-8")))
    for row in (*CLEAN, *HELDOUT):
        triage = json.loads(row["answer"])
        validator.validate(triage)
        assert json.dumps(triage) == row["answer"]
        assert triage["order_id"] is None or triage["order_id"] in row["message"]


@pytest.mark.parametrize(
    ("order_id", "fits"), [("AB-482913", True), ("[ORDER_ID_1]", True), (None, True), ("7", False)]
)
def test_the_schema_knows_raw_and_masked_order_ids(order_id, fits):
    """Redaction masks the id in the answer too."""
    validator = jsonschema.Draft202012Validator(json.loads((RECIPE / "schema.json").read_text(encoding="utf-8")))
    assert validator.is_valid({"intent": "refund", "priority": "low", "order_id": order_id}) is fits


def test_every_manifest_record_exists():
    """Records and originals are rows; each row has one flaw; an original comes first."""
    assert len(FLAWED) == len(FLAWS)
    assert {flaw["kind"] for flaw in FLAWS} == set(CAUGHT_BY)
    for flaw in FLAWS:
        assert flaw["record"] in ROWS
        assert flaw["of"] is None or flaw["of"] in ROWS
        if flaw["kind"].endswith("duplicate"):
            assert flaw["of"] < flaw["record"]


def test_planted_flaws_are_what_they_are_called():
    """Each kind shows in the row that the manifest names."""
    schema = jsonschema.Draft202012Validator(json.loads((RECIPE / "schema.json").read_text(encoding="utf-8")))
    for flaw in FLAWS:
        row, kind, of = ROWS[flaw["record"]], flaw["kind"], ROWS.get(flaw["of"])
        if kind == "exact_duplicate":
            assert masked(row)[0] == masked(of)[0]
        elif kind == "quotes_test":
            assert of["message"] in row["message"]
            assert of["ticket"].startswith("H")
        elif kind == "broken_json":
            with pytest.raises(json.JSONDecodeError):
                json.loads(row["answer"])
        elif kind == "wrong_schema":
            assert not schema.is_valid(json.loads(row["answer"]))
        elif kind == "empty":
            assert not row["message"].strip()
        elif kind == "over_long":
            assert len(row["message"]) > 6_000
        elif kind == "licence":
            assert row["licence"] == "unknown-forum-scrape"


def test_card_numbers_pass_the_luhn_check():
    """The example of ISO/IEC 7812-1 has the digit 3; every card in the data has its own."""
    assert numbers.luhn_digit("7992739871") == "3"
    for card in (re.sub(r"\D", "", gold["value"]) for gold in GOLD if gold["type"] == "CREDIT_CARD"):
        assert numbers.luhn_digit(card[:-1]) == card[-1]


def test_ibans_have_valid_check_digits():
    """The number modulo 97 is 1, as ISO 13616 asks."""
    for iban in (gold["value"].replace(" ", "") for gold in GOLD if gold["type"] == "IBAN"):
        assert int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


def test_most_messages_hold_a_personal_value():
    """Between three fifths and three quarters do."""
    share = sum(any(g["field"] == "message" for g in GOLD_OF[row["ticket"]]) for row in CLEAN) / len(CLEAN)
    assert 0.6 <= share <= 0.75
