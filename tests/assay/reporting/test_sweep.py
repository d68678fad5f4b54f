"""Whoever opens the page sees every point, which is best, by how much, and what that does not know."""

import re

from assay.reporting.sweep import COLOURED, Content, Group, Point, Ranking, headline, not_known, page
from tests.assay.reporting.test_card import MARKUP, parsed, poisoned, read

RATE, SEED = "training.learning_rate", "training.seed"


def point(loss: float | None, **fields: object) -> Point:
    """A training that ended, or failed if it has no loss."""
    settings = fields.pop("settings", {RATE: 0.001, "training.rank": 8})
    if loss is None:
        return Point(settings=settings, failed="step 3: found loss nan, expected finite numbers")
    told = {
        "value": loss, "steps": 40, "chosen_step": 30, "held_out_loss": loss, "train_loss": 0.2, "tokens": 12345,
        "seconds": 90.0, "device_hours": 0.025, "adapter": "a" * 64, "adapter_bytes": 2_000_000,
        "trainable_parameters": 98765, "held_out_losses": [(0, 3.0), (20, 0.9), (40, loss)],
    }  # fmt: skip
    return Point.model_validate({"settings": settings, **told, **fields})


def group(settings: dict, places: tuple[int, ...], *values: float, deviation: float | None = None) -> Group:
    """Points that differ in their seed alone."""
    mean = sum(values) / len(values) if values else None
    return Group(settings=settings, points=places, values=values, mean=mean, deviation=deviation)


def content(**fields: object) -> Content:
    """Three learning rates, of which the last one failed."""
    points = [point(loss, settings={RATE: rate}) for rate, loss in ((0.001, 0.5), (0.002, 0.4), (0.1, None))]
    groups = (group({RATE: 0.002}, (1,), 0.4), group({RATE: 0.001}, (0,), 0.5), group({RATE: 0.1}, (2,)))
    told = {
        "name": "small", "owner": "me@example.com", "metric": "held_out_loss", "points": points,
        "ranking": Ranking(groups=groups, winner=1, lead=0.1, spread=None), "validation_records": 24,
        "command": "assay run small --set training.learning_rate=0.002",
    }  # fmt: skip
    return Content.model_validate({**told, **fields})


def seeded(lead: float, spread: float) -> Content:
    """Two learning rates with two seeds each."""
    points = [
        point(loss, settings={RATE: rate, SEED: seed})
        for rate, seed, loss in ((0.001, 0, 0.5), (0.001, 1, 0.6), (0.002, 0, 0.4), (0.002, 1, 0.42))
    ]
    groups = (
        group({RATE: 0.002}, (2, 3), 0.4, 0.42, deviation=0.0141),
        group({RATE: 0.001}, (0, 1), 0.5, 0.6, deviation=spread),
    )
    return content(points=points, ranking=Ranking(groups=groups, winner=2, lead=lead, spread=spread))


def test_the_best_point_and_the_command_that_runs_it_stand_on_top():
    """With its loss, its lead, and that nobody measured chance."""
    said = read(page(content()).decode())

    assert "Best: learning_rate 0.002" in said
    assert "Held-out loss 0.4 on 24 validation records, 0.1 better than the next" in said
    assert "how far chance moves this was not measured" in said
    assert "assay run small --set training.learning_rate=0.002" in said


def test_every_point_is_a_row_and_one_that_failed_says_why():
    """Best first, with what it took."""
    said = read(page(content()).decode())
    table = said[said.index("Best first") :]

    assert table.index("learning_rate 0.002") < table.index("learning_rate 0.001") < table.index("learning_rate 0.1 ")
    assert "30 of 40 0.4 0.2 12345 1min 30s 1.50 min 2.0MB 98765 trained" in table
    assert "failed step 3: found loss nan" in table


def test_the_price_is_shown_if_the_recipe_names_one():
    """Device-hours times its price."""
    price = {"device_hour": 4.0, "currency": "EUR", "as_of": "2026-11-01"}

    said = read(page(content(price=price)).decode())

    assert "0.1 EUR" in said
    assert "Price: 4.00 EUR an hour of a device, as of 2026-11-01." in said
    assert "EUR" not in read(page(content()).decode())


def test_why_the_test_side_was_not_asked_is_said():
    """Choosing by it would spoil the gate."""
    said = read(page(content()).decode())

    assert "The test side was not asked: the gate judges on it" in said


def test_seeds_are_a_group_with_a_mean_and_a_deviation():
    """And the lead is held against that."""
    wide, narrow = seeded(0.14, 0.2), seeded(0.14, 0.05)

    assert "Best: learning_rate 0.002 Held-out" in read(page(wide).decode())
    assert "What seeds moved" in read(page(wide).decode())
    assert "no more than seeds moved it (standard deviation 0.2)" in headline(wide)
    assert "more than seeds moved it (standard deviation 0.05)" in headline(narrow)
    assert "What seeds moved" not in read(page(content()).decode())
    assert any("the next may be as good" in said for said in not_known(wide))


def test_what_the_choice_does_not_know_follows_from_what_was_tried():
    """One seed, a proxy, an edge of the grid, points that failed."""
    said = " ".join(not_known(content(metric="held_out_loss")))

    assert "each setting was trained with one seed" in said
    assert "need not mean more right answers" in said
    assert "3 looks at the same 24 validation records" in said
    assert "1 of 3 points: they failed" in said
    assert "edge of the grid" not in said


def test_a_winner_at_the_edge_of_the_grid_is_said_to_be_there():
    """Beyond it nobody looked."""
    groups = (group({RATE: 0.002}, (1,), 0.4), group({RATE: 0.001}, (0,), 0.5))
    ranking = Ranking(groups=groups, winner=1, lead=0.1, spread=None)

    edge = " ".join(not_known(content(points=content().points[:2], ranking=ranking)))

    assert "Whether a larger `training.learning_rate` is better still" in edge


def test_a_share_is_compared_in_points():
    """Another metric has a column of its own, and another unit."""
    points = [point(0.5, value=0.61, settings={RATE: 0.001}), point(0.4, value=0.55, settings={RATE: 0.002})]
    groups = (group({RATE: 0.001}, (0,), 0.61), group({RATE: 0.002}, (1,), 0.55))
    ranking = Ranking(groups=groups, winner=0, lead=0.06, spread=None)

    said = read(page(content(metric="exact_match", points=points, ranking=ranking)).decode())

    assert "Exact match 61.0% on 24 validation records, +6.0 points better than the next" in said
    assert "need not mean more right answers" not in said


def test_records_that_were_not_asked_are_not_counted():
    """Of 310 records 64 were answered: the lead is of those, in every sentence."""
    found = content(metric="exact_match", validation_records=310, asked_records=64)
    said = read(page(found).decode())

    assert "on 64 of 310 validation records" in headline(found)
    assert "3 looks at the same 64 of 310 validation records" in " ".join(not_known(found))
    assert said.count("64 of 310 validation records") == said.count("310") == 3
    assert "64 of" not in read(page(content(validation_records=64, asked_records=64)).decode())


def test_all_curves_share_one_chart_and_the_best_are_told_apart():
    """Sixty-four points: those after the first few are grey, and none is left out."""
    points = [point(0.4 + rank / 100, settings={"training.rank": rank}) for rank in range(1, 65)]
    groups = tuple(group(each.settings, (place,), each.value) for place, each in enumerate(points))
    written = page(content(points=points, ranking=Ranking(groups=groups, winner=0, lead=0.01, spread=None))).decode()
    chart = written[written.index('<svg class="lines"') :].partition("</svg>")[0]

    assert chart.count('class="curve') == 64
    assert [chart.count(f'class="curve point-{place}"') for place in range(COLOURED)] == [1] * COLOURED
    assert "all others" in read(written)


def test_every_text_is_escaped_and_the_page_runs_and_fetches_nothing():
    """Content is data, wherever on the page it stands."""
    found = content(settings={"purpose": "x"}).model_dump(mode="json")
    ranking = found.pop("ranking")
    written = page(Content.model_validate({**poisoned(found), "metric": "held_out_loss", "ranking": ranking})).decode()

    tags = parsed(written)
    assert not tags.names & {"img", "script", "iframe", "link", "form", "object"}
    assert "onerror" not in {name for name, _ in tags.attributes}
    assert MARKUP not in written
    assert "default-src 'none'" in written
    links = {value for name, value in tags.attributes if name in {"href", "src"}}
    assert all(link.startswith(("#", "./")) for link in links)
    assert "url(" not in written


def test_equal_content_gives_equal_bytes():
    """A page can be made again from what was filed."""
    again = Content.model_validate_json(content().model_dump_json())

    assert page(again) == page(content())
    assert not re.search(r"\{\{|\{%", page(content()).decode())
