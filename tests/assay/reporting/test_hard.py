"""What was hard is told by ids, labels and losses, drawn and in numbers, with what to do next."""

import re

import pytest

from assay.reporting import pages
from assay.reporting.hard import LAST, NEVER, SHOWN, UNKNOWN, Example, Hard, distribution, shown

PAGE = "{% import 'hard.html.j2' as hardness %}{{ hardness.section(hard) }}"


def example(number: int, label: str | None = "refund", kind: str | None = None, last: float = 0.01) -> Example:
    """One with two visits."""
    return Example(f"T-{number}", label, kind, ((number, 0.5), (number + 100, last)))


EXAMPLES = (
    *(example(n) for n in range(60)),
    *(example(60 + n, "exchange", NEVER, 0.4 + n / 10) for n in range(14)),
    example(80, "<b>", LAST, 0.15),
)
HARD = Hard(EXAMPLES, unjudged=3, learned=0.2)


def test_how_many_were_hard_is_said_with_what_counts_as_learned_and_what_to_do():
    """The command is the review's."""
    found = shown(HARD)

    assert found.word == "worth a look"
    assert found.said[0].startswith(
        "14 of 75 examples were never learned, 1 were learned last. Not learned is a loss over"
    )
    assert "over 0.2 nats a token at the last visit" in found.said[0]
    assert "Of 3 more nothing can be said" in found.said[1]
    assert "`assay curate review RECIPE`" in found.said[2]


def test_the_worst_come_first_and_labels_by_how_many_were_hard():
    """As many as a page takes; the others are counted."""
    found = shown(HARD)

    assert [each.id for each in found.worst[:2]] == ["T-73", "T-72"]
    assert (len(found.worst), found.more) == (SHOWN, 14 - SHOWN)
    assert [(each.name, each.never, each.last) for each in found.labels] == [("exchange", 14, 0), ("<b>", 0, 1)]


def test_nothing_hard_and_nothing_known_are_told_apart():
    """One is good news, the other is none."""
    none, unknown = shown(Hard(EXAMPLES[:60], learned=0.2)), shown(Hard((), unjudged=60))

    assert (none.word, none.worst, none.curves) == ("none stands out", [], "")
    assert not any("assay curate" in said for said in none.said)
    assert (unknown.word, unknown.said, unknown.distribution) == ("not known", [UNKNOWN], "")


@pytest.mark.parametrize("losses", [[0.0, 0.0, 0.1], [1e-9, 5.0], [0.3, 0.3], [12.0]])
def test_the_distribution_holds_every_example_within_the_picture(losses: list[float]):
    """However small, equal or large the losses."""
    drawn = distribution(losses, 0.2)
    places = [float(x) for x in re.findall(r'<rect class="\w+" x="([\d.]+)%"', drawn)]

    assert places
    assert all(0 <= x <= 98 for x in places)
    assert f"{sum(loss > 0.2 for loss in losses)} are over 0.2" in drawn


def test_the_section_escapes_labels_and_shows_no_text_of_a_record():
    """Ids, labels and numbers."""
    html = pages._environment().from_string(PAGE).render(hard=shown(HARD))

    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "12 of 14" in html
    assert "<code>assay curate review RECIPE</code>" in html
    assert "not known" in pages._environment().from_string(PAGE).render(hard=shown(Hard(())))
