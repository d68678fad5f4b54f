"""A label that the others speak against is listed with the one they speak for, in whatever order they come."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from assay.data.label_noise import coverage, find
from assay.records import Found, Record, Turn
from assay.spec import LabelNoiseSpec

SPEC = LabelNoiseSpec()
TOPICS = {
    "refund": ["money", "back", "bank", "transfer", "amount", "repay", "account", "credited", "waiting"],
    "delivery": ["parcel", "driver", "doorstep", "courier", "tracking", "arrived", "late", "address"],
    "login": ["password", "locked", "screen", "reset", "code", "sign", "page", "username"],
}
FILLER = [
    "hello",
    "please",
    "could",
    "you",
    "tell",
    "me",
    "about",
    "this",
    "I",
    "have",
    "been",
    "thinking",
    "since",
    "yesterday",
    "thanks",
]


def said(number: int, topic: str, label: str | None, subject: str | None = None) -> Record:
    """A record about a topic, under a label; of a subject of its own unless told."""
    random = Random(number)
    words = random.sample(TOPICS[topic], 5) + random.sample(FILLER, 6)
    random.shuffle(words)
    context = (Turn("system", "Triage the message."), Turn("user", " ".join(words)))
    answer = "no JSON" if label is None else json.dumps({"intent": label})
    return Record(
        id=f"r{number:03}", subject=subject or f"s{number}", bucket=0, source="t", context=context, completion=answer
    )


def learnable(wrong: dict[int, str]) -> list[Record]:
    """120 records, 40 of each topic; those in ``wrong`` under another label."""
    topics = sorted(TOPICS)
    return [said(i, topics[i % 3], wrong.get(i, topics[i % 3])) for i in range(120)]


def nowhere(rows: list[Record]) -> dict[str, bool]:
    """No record is of evaluation."""
    return {row.id: False for row in rows}


WRONG = {4: "refund", 30: "login", 77: "delivery"}


def test_a_wrong_label_is_listed_with_the_right_one_as_suggestion():
    """And nothing else is, where what was said leaves no doubt."""
    rows = learnable(WRONG)

    found = find([rows], nowhere(rows), "intent", SPEC)

    topics = sorted(TOPICS)
    assert {s.id: s.suggestion for s in found.suspects} == {f"r{i:03}": topics[i % 3] for i in WRONG}
    assert found.dropped == ()


def test_doubts_are_probabilities_and_the_most_doubtful_comes_first():
    """Half is where a label becomes more likely wrong than right."""
    rows = learnable(WRONG)

    doubts = [s.doubt for s in find([rows], nowhere(rows), "intent", SPEC).suspects]

    assert doubts == sorted(doubts, reverse=True)
    assert all(0.5 <= doubt <= 1 for doubt in doubts)


def test_true_labels_are_left_alone():
    """A review queue that is full of right labels is not read twice."""
    rows = learnable({})

    assert find([rows], nowhere(rows), "intent", SPEC).suspects == ()


def test_reasons_name_neither_label_nor_text():
    """They go where suggestions, which are shown to reviewers only, do not."""
    rows = learnable(WRONG)

    reasons = " ".join(s.reason for s in find([rows], nowhere(rows), "intent", SPEC).suspects)

    assert "of its own label" in reasons
    assert not set(reasons.split()) & {*TOPICS, *chain(*TOPICS.values())}


def test_training_records_leave_only_by_policy_and_evaluation_records_never():
    """What a model is asked is locked; a doubt about it is for a person."""
    rows = learnable(WRONG)
    asked = {row.id: row.id in ("r004", "r005") for row in rows}

    found = find([rows], asked, "intent", LabelNoiseSpec(on_found="drop"))

    assert {d.id for d in found.dropped} == {"r030", "r077"}
    assert [s.id for s in found.suspects] == ["r004"]
    assert {d.step for d in found.dropped} == {"audit_labels"}


def test_what_is_dropped_from_training_does_not_depend_on_evaluation_records():
    """Otherwise test labels would shape the training set."""
    rows, more = learnable(WRONG), [said(i, "login", "refund") for i in range(200, 230)]
    asked = nowhere(rows) | {row.id: True for row in more}

    alone = find([rows], nowhere(rows), "intent", SPEC)
    beside = find([rows, more], asked, "intent", SPEC)

    assert tuple(s for s in beside.suspects if not asked[s.id]) == alone.suspects
    assert sum(asked[s.id] for s in beside.suspects) == len(more)


@pytest.mark.parametrize("size", [7, 50])
def test_neither_shards_nor_their_order_change_the_outcome(size: int):
    """Rows that are added elsewhere move the boundaries."""
    rows = learnable(WRONG)
    shards = [rows[at : at + size] for at in range(0, len(rows), size)]

    assert find(reversed(shards), nowhere(rows), "intent", SPEC) == find([rows], nowhere(rows), "intent", SPEC)


def test_a_subject_does_not_vouch_for_its_own_labels():
    """Ten copies of one wrong ticket by one customer are ten doubts, and no proof."""
    rows = learnable({}) + [said(500 + i, "login", "refund", subject="one") for i in range(10)]

    listed = {s.id for s in find([rows], nowhere(rows), "intent", SPEC).suspects}

    assert listed >= {f"r{500 + i}" for i in range(10)}


def test_records_without_a_label_or_of_a_rare_class_are_not_judged_but_counted():
    """Four subjects cannot fill five folds."""
    rows = [*learnable({}), said(300, "login", None), *(said(310 + i, "login", "rare") for i in range(4))]

    found = find([rows], nowhere(rows), "intent", SPEC)

    assert found.suspects == ()
    assert coverage([rows], nowhere(rows), "intent", SPEC) == (120, 1, 4)


def test_labels_that_no_word_tells_apart_are_not_doubted():
    """A model that learned nothing cannot speak against a label."""
    random = Random(1)
    rows = [said(i, random.choice(sorted(TOPICS)), random.choice("abcd")) for i in range(120)]

    assert find([rows], nowhere(rows), "intent", SPEC).suspects == ()


@pytest.mark.parametrize("rows", [[], [said(i, "login", "login") for i in range(20)]])
def test_nothing_and_a_single_class_are_passed(rows: list[Record]):
    """There is nothing that a label could be confused with."""
    assert find([rows], nowhere(rows), "intent", SPEC) == Found()


def test_texts_without_a_word_are_passed():
    """Only the system spoke."""
    rows = [
        Record(
            id=str(i),
            subject=str(i),
            bucket=0,
            source="t",
            context=(Turn("system", "Triage."),),
            completion=json.dumps({"intent": "ab"[i % 2]}),
        )
        for i in range(40)
    ]

    assert find([rows], nowhere(rows), "intent", SPEC).suspects == ()


def test_two_processes_find_the_same():
    """Whatever the seed of Python's hash."""
    command = (
        "from tests.assay.data.test_label_noise import *; rows = learnable(WRONG); "
        "print(find([rows], nowhere(rows), 'intent', SPEC))"
    )
    told = subprocess.check_output(
        [sys.executable, "-c", command], env=os.environ | {"PYTHONHASHSEED": "1"}, text=True, cwd=Path.cwd()
    )

    rows = learnable(WRONG)
    assert told.strip() == repr(find([rows], nowhere(rows), "intent", SPEC))
