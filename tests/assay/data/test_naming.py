"""A value is named if enough people have it, whatever the number of their records."""

from assay.data.naming import LONGEST, RARE, Holders


def held(value: str, subjects: list[str]) -> bool:
    """Whether a value may be named that these have."""
    holders = Holders()
    for subject in subjects:
        holders.add(value, subject)
    return value in holders


def test_five_people_name_a_value_and_any_number_of_records_of_four_do_not():
    """People are counted, not rows."""
    four = [f"s{i}" for i in range(RARE - 1)]

    assert not held("north", four * 100)
    assert held("north", [*four * 100, "another"])


def test_a_text_is_never_named_nor_what_nobody_has():
    """However many people have it."""
    people = [f"s{i}" for i in range(100)]

    assert held("x" * LONGEST, people)
    assert not held("x" * (LONGEST + 1), people)
    assert "north" not in Holders()


def test_what_is_kept_of_a_value_does_not_grow_with_the_people_who_have_it():
    """Five are enough to know."""
    holders = Holders()
    for i in range(10_000):
        holders.add("north", f"s{i}")

    assert [len(known) for known in holders._of.values()] == [RARE]


def test_what_is_forgotten_is_not_named():
    """A column that has turned out too fine to be shown names nothing."""
    holders = Holders()
    for i in range(RARE):
        holders.add("north", f"s{i}")
    holders.clear()

    assert "north" not in holders
