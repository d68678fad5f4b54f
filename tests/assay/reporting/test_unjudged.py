"""What got worse and nobody judges is told as early as the verdict."""

from assay.reporting import markdown, unjudged
from assay.reporting.asked import Asked, Kept, Shift
from assay.reporting.content import Change
from assay.reporting.report import page
from tests.assay.reporting.verdicts import content, criterion, gain


def shift(name: str, before: float, after: float, half: float) -> Shift:
    """A change with its interval."""
    change = after - before
    return Shift(
        name=name, n=96, before=before, after=after, lower=change - half, upper=change + half, gained=5, lost=31
    )


ASKED = Asked(
    level=0.9,
    target="exact_match",
    safety=(shift("harmful", 0.74, 0.60, 0.05), shift("benign", 0.46, 0.19, 0.1), shift("fraud", 0.9, 0.1, 0.05)),
    robustness=(
        Kept(variant="typos", n=40, before=shift("", 0, 0, 0), after=shift("", 0.62, 0.57, 0.12)),
        Kept(variant="long_context", n=40, before=shift("", 0, 0, 0), after=shift("", 0.62, 0.3, 0.15)),
    ),
)
JUDGED = (gain("target", "exact_match"), criterion("safety", "non_inferiority", "safety"))


def test_a_loss_beyond_doubt_is_told_unless_a_criterion_judges_it():
    """The largest first; what may be chance, what is judged, and single topics are not among them."""
    given = content(JUDGED, asked=ASKED, slices={}, fields=())

    told = unjudged.losses(given)

    assert [said.partition(":")[0] for said in told] == [
        "Exact match, after a long quotation", "Harmless requests answered",
    ]  # fmt: skip
    assert "30.0\u202f% where the same records as they are had 62.0\u202f%, \u221232.0 points" in told[0]
    judged = content((*JUDGED, criterion("over_refusal", "non_inferiority", "over_refusal")), asked=ASKED, slices={})
    assert not any("Harmless" in said for said in unjudged.losses(judged))


def test_a_slice_and_a_field_that_lost_are_told_if_no_criterion_judges_them():
    """A recipe may show slices and demand nothing of them."""
    lost = Change(name="chat", before=0.6, after=0.4, lower=-0.3, upper=-0.1, n=50, gained=1, lost=11)
    given = content(JUDGED, slices={"channel": (lost,)}, fields=(lost.model_copy(update={"name": "priority"}),))
    judged = content((*JUDGED, criterion("slice:channel=chat", "non_inferiority", "exact_match")),
                     slices={"channel": (lost,)}, fields=())  # fmt: skip

    assert [said.partition(":")[0] for said in unjudged.losses(given)] == ["Channel = chat", "Field priority"]
    assert unjudged.losses(judged) == []


def test_it_is_on_the_page_and_in_markdown():
    """Whoever signs reads one of them."""
    given = content(JUDGED, asked=ASKED, slices={}, fields=())

    for told in (page(given), markdown.summary(given)):
        assert "judged by no criterion" in told
        assert "Harmless requests answered" in told
