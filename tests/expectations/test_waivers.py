"""A waiver that loads lets pass what it says until the day it says; any other is refused with its lines."""

from datetime import date
from pathlib import Path

import pytest

from assay.errors import ExpectationError
from expectations import waivers
from expectations.waivers import Standing, Waiver, from_json, load, refuse_unknown, standing, to_json

FILE = Path(waivers.__file__).with_name("waivers.yml")

GOOD = b"""\
waivers:
  - check: RAW-031
    reason: Forms of the March import are being scanned.
    who: jane.doe@acme.example
    until: 2026-12-31
    rows: [T-17, "18"]
    up_to: 5
  - {check: RAW-040, reason: A pilot in French., who: john, until: "2026-06-30"}
"""

PLANTED = b"""\
waivers:
  - check: A
    reason: A day that there is not.
    who: jane
    until: 2026-02-30
  - check: B
    reason: A key that there is not.
    who: jane
    until: 2026-12-31
    forever: true
  - check: C
    who: jane
    until: 2026-12-31
  - check: D
    reason: Nobody answers for it.
    until: 2026-12-31
  - check: E
    reason: It never ends.
    who: jane
  - check: A
    reason: Waived already.
    who: jane
    until: 2026-12-31
  - check: F
    reason: Rows that are a number to YAML.
    who: jane
    until: 2026-12-31
    rows: [17]
  - check: G
    reason: No rows at all would be every row.
    who: jane
    until: 2026-12-31
    rows: []
  - check: H
    reason: One row is no list.
    who: jane
    until: 2026-12-31
    rows: T-17
  - check: I
    reason: A row twice.
    who: jane
    until: 2026-12-31
    rows: [T-17, T-17]
  - check: J
    reason: Not a count.
    who: jane
    until: 2026-12-31
    up_to: 0
  - check: K
    reason: A time of day.
    who: jane
    until: 2026-12-31 10:00:00
  - check: not an id
    reason: "  "
    who: [jane, john]
    until: tomorrow
  - just words
"""


def test_a_waiver_is_read_as_written():
    """A date needs no quotes, although YAML itself would make something else of it."""
    first, second = load(GOOD, "waivers.yml")

    assert (first.check, first.until, first.rows, first.up_to) == ("RAW-031", "2026-12-31", ("T-17", "18"), 5)
    assert (second.who, second.until, second.rows, second.up_to) == ("john", "2026-06-30", (), None)


def test_the_file_that_comes_with_the_suites_waives_nothing_and_its_example_is_right():
    """The example is what a steward copies."""
    text = FILE.read_text()
    example = "\n".join(line.removeprefix("# ") for line in text.splitlines()[2:9])

    assert load(text.encode(), FILE.name) == ()
    assert load(b"waivers: []", "waivers.yml") == ()
    (copied,) = load(example.encode(), "example")
    assert copied.rows == ("T-000017", "T-000018")


def test_every_planted_mistake_is_told_with_its_line():
    """All are reported at once."""
    with pytest.raises(ExpectationError) as refused:
        load(PLANTED, "waivers.yml")

    told = [line.split(": ", 2)[:2] for line in str(refused.value).splitlines()]
    assert told == [
        [f"waivers.yml:{line}", who]
        for line, who in (
            (5, "A"), (10, "B"), (11, "C"), (14, "D"), (17, "E"), (20, "A"), (28, "F"), (33, "G"), (38, "H"),
            (43, "I"), (48, "J"), (52, "K"), (53, "waiver 13"), (54, "waiver 13"), (55, "waiver 13"),
            (56, "waiver 13"), (57, "waiver 14"),
        )
    ]  # fmt: skip


def test_two_waivers_of_one_check_are_refused_on_one_line_as_on_two():
    """Which of them somebody answers for could not be told."""
    waiver = "{check: A, reason: r, who: w, until: 2026-12-31}"
    for gap in (", ", ",\n  "):
        with pytest.raises(ExpectationError, match="A: `check` is waived at line 1; put both in one waiver"):
            load(f"waivers: [{waiver}{gap}{waiver}]".encode(), "waivers.yml")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "waivers.yml:1: waivers: is empty; it needs `waivers`, a list that may be empty"),
        (b"# nothing\n", "waivers.yml:1: waivers: is empty"),
        (b"waivers:\n", "waivers.yml:1: waivers: `waivers` must be a list; if there are none: waivers: []"),
        (b"waivers: none", "waivers.yml:1: waivers: `waivers` must be a list"),
        (b"- check: A", "waivers.yml:1: waivers: expected waivers, found no mapping"),
        (b"checks: []", "waivers.yml:1: waivers: key `waivers` is missing"),
        (b"waivers: &x []", "waivers.yml:1: waivers: anchors and aliases are not read"),
        (b"waivers: [", "waivers.yml:1: waivers: is not YAML"),
        (b"waivers: \xff", "waivers.yml:1: waivers: is not UTF-8"),
        (b"[" * 5000 + b"]" * 5000, "waivers.yml:1: waivers: is nested too deeply"),
        (b"#" * 1_000_001, "waivers.yml:1: waivers: is 1000001 bytes"),
    ],
    ids=range(11),
)
def test_what_holds_no_waivers_is_refused(data: bytes, says: str):
    """An empty file may be one that was lost."""
    with pytest.raises(ExpectationError) as refused:
        load(data, "waivers.yml")
    assert says in str(refused.value)


def test_a_waiver_holds_to_the_end_of_its_last_day():
    """And is still shown, as over, afterwards; those of other suites' checks are not shown."""
    given = load(GOOD, "waivers.yml")

    on_the_day = standing(given, {"RAW-031", "RAW-040"}, date(2026, 6, 30))
    after = standing(given, {"RAW-031", "RAW-040"}, date(2026, 7, 1))

    assert [s.in_force for s in on_the_day] == [True, True]
    assert [(s.waiver.check, s.in_force) for s in after] == [("RAW-031", True), ("RAW-040", False)]
    assert standing(given, ["CUR-001"], date(2026, 1, 1)) == ()


def test_a_waiver_of_no_check_or_of_two_is_refused():
    """A typo would otherwise waive nothing, or something else."""
    given = load(GOOD, "waivers.yml")

    refuse_unknown(given, ["RAW-031", "RAW-040", "CUR-001"])
    with pytest.raises(ExpectationError, match="found a waiver of RAW-040, which no suite has"):
        refuse_unknown(given, ["RAW-031"])
    with pytest.raises(ExpectationError, match="found a waiver of RAW-031, which two suites have; expected"):
        refuse_unknown(given, ["RAW-031", "RAW-040", "RAW-031"])


def test_what_stands_survives_its_bytes():
    """They are part of a key, so equal waivers are equal bytes."""
    stands = standing(load(GOOD, "waivers.yml"), ["RAW-031", "RAW-040"], date(2026, 7, 1))

    assert from_json(to_json(stands)) == stands
    assert to_json(from_json(to_json(stands))) == to_json(stands)
    assert to_json(()) == b"[]\n"
    with pytest.raises(ExpectationError, match="these bytes are no waivers of a run"):
        from_json(b'[{"waiver": 1}]')


def test_a_waiver_of_any_row_is_one_that_names_none():
    """The gate reads it so."""
    waiver = Waiver(check="A", reason="r", who="w", until="2026-01-01")

    assert Standing(waiver=waiver, in_force=True).waiver.rows == ()
