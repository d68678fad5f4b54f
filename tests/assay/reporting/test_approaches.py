"""Whoever opens the page sees what is advised, how sure that is, what it costs, and what would change it."""

import re

import pytest

from assay.reporting.approaches import Content, not_known, page
from tests.assay.reporting.test_card import MARKUP, parsed, poisoned, read


def arm(name: str, target: float, **fields: object) -> dict[str, object]:
    """A way and how it did; tuned if it is called so."""
    rate = {"value": target, "lower": max(target - 0.05, 0), "upper": min(target + 0.05, 1)}
    speed = {
        "requests": 20, "first_p50_ms": 61.0, "p50_ms": 412.0, "p95_ms": 655.0, "seconds": 0.45,
        "tokens_per_second": 33.3, "tokens_per_request": 15.0,
    }  # fmt: skip
    over = {"against": "zero-shot", "mean": target, "lower": target - 0.05, "upper": target + 0.05}
    told = {
        "name": name, "is_tuned": name.startswith("fine-tuned"), "prompt_tokens": 91.4, "target": rate,
        "exact_match": rate, "field_accuracy": rate, "format_adherence": rate, "speed": speed,
        "over_first": None if name == "zero-shot" else {**over, "wins": 9, "losses": 2, "p_value": 0.01},
    }  # fmt: skip
    return {**told, **fields}


def held(tuned: str, prompted: str, mean: float, **fields: object) -> dict[str, object]:
    """A tuned way against a prompted one, shown to be better."""
    told = {"tuned": tuned, "prompted": prompted, "mean": mean, "lower": mean - 0.05, "upper": mean + 0.05}
    return {**told, "p_better": 0.001, "p_no_better": 1.0, "break_even": 12345, **fields}


def content(**fields: object) -> Content:
    """Three ways, of which the tuned one is advised, and a learning curve."""
    advised = {
        "advice": "fine_tune", "arm": "fine-tuned", "sentence": "Fine-tune: it is better.", "evidence": ["So it is."],
        "would_change": ["A better prompt."], "needed": None, "ruled_out": ["zero-shot"],
        "tested": [held("fine-tuned", "few-shot", 0.5)],
    }  # fmt: skip
    told = {
        "name": "small", "owner": "me@example.com", "metric": "exact_match", "records": 200, "subjects": 150,
        "locked": "d" * 64, "training_records": 1200, "shots": 4, "retrieved": 3, "margin": 0.02, "confidence": 0.95,
        "min_format_adherence": 0.95, "training_hours": 0.08, "command": "assay decide small",
        "environment": {"device": "cpu", "threads": 2},
        "arms": [
            arm("zero-shot", 0.1),
            arm("few-shot", 0.2, examples=3.5, lost=7, cut=1),
            arm("fine-tuned", 0.7),
            arm("fine-tuned on 50 %", 0.6, share=0.5, speed=None),
        ],
        "recommendation": advised,
        "curve": {
            "examples": [600, 1200], "values": [0.6, 0.7], "gain": 0.06, "lower": 0.03, "upper": 0.09,
            "outlook": "pays", "sentence": "More examples would pay.",
        },
    }  # fmt: skip
    return Content.model_validate({**told, **fields})


def advised(**fields: object) -> dict[str, object]:
    """Other advice over the same ways."""
    return {**content().recommendation.model_dump(), **fields}


def test_the_advice_stands_on_top_with_its_sentence():
    """Before any number."""
    said = read(page(content()).decode())

    assert said.index("Fine-tune ") < said.index("Fine-tune: it is better.") < said.index("Every way")


@pytest.mark.parametrize(
    ("fields", "title", "colour"),
    [
        ({"advice": "do_not_fine_tune", "arm": "few-shot"}, "Do not fine-tune: few-shot", "accepted"),
        ({"advice": "undecided", "arm": "few-shot"}, "Undecided", "inconclusive"),
        ({"advice": "none", "arm": None}, "None of these", "refused"),
    ],
)
def test_every_advice_has_its_word_and_colour(fields: dict, title: str, colour: str):
    """What is undecided is not a refusal, and says what to use meanwhile."""
    written = page(content(recommendation=advised(**fields))).decode()

    assert title in read(written)
    assert f'class="banner {colour}"' in written
    assert ("Until that is known, few-shot costs no training" in read(written)) == (fields["advice"] == "undecided")


def test_every_way_is_a_row_with_its_intervals_and_what_it_lost():
    """Those of the learning curve are in their own chart, and not ways to choose from."""
    said = read(page(content()).decode())
    table = said[said.index("The same 200 requests") : said.index("Tuned against prompted", said.index("The same"))]

    assert "1. zero-shot its answers lack the form" in table
    assert "10.0% 5.0% to 15.0%" in table
    assert "91 3.5 examples each 7 examples had no room 1 request cut" in table
    assert "412ms, 655ms first token 61ms, 33.3 tokens a second" in table
    assert "fine-tuned on 50 %" not in table


def test_a_way_that_was_not_timed_has_dashes_and_no_place_in_the_chart():
    """What was not measured is said not to be."""
    written = page(content(arms=[arm("zero-shot", 0.1), arm("fine-tuned", 0.7, speed=None)], curve=None)).decode()

    assert written.count('class="dot ') == 1
    assert read(written).count("\u2013") >= 2


def test_prices_are_shown_if_the_recipe_names_one():
    """A thousand requests of 0.45 device-seconds each at 8 an hour are one."""
    price = {"device_hour": 8.0, "currency": "EUR", "as_of": "2026-11-01"}
    said = read(page(content(price=price)).decode())

    assert "1.00 EUR" in said
    assert "Price: 8.00 EUR an hour of a device, as of 2026-11-01, one request at a time." in said
    assert "EUR" not in read(page(content()).decode())


def test_what_repays_the_training_is_in_requests_or_never():
    """Whatever a device costs."""
    never = advised(tested=[held("fine-tuned", "few-shot", 0.5, break_even=None)])

    assert "fine-tuned few-shot 12345 requests" in read(page(content()).decode())
    assert "never: a request costs no less" in read(page(content(recommendation=never)).decode())


def test_each_pair_is_drawn_against_the_margin_in_the_colour_of_what_was_shown():
    """Better by more than it, not better by more than it, or not told apart."""
    pairs = [
        held("fine-tuned", "zero-shot", 0.6),
        held("fine-tuned", "few-shot", 0.0, p_better=1.0, p_no_better=0.01),
        held("fine-tuned", "retrieval", 0.02, p_better=0.4, p_no_better=0.6),
    ]
    written = page(content(recommendation=advised(tested=pairs))).decode()

    colours = re.findall(r'class="row (accepted|refused|inconclusive)"', written)

    assert colours == ["accepted", "refused", "inconclusive"]


def test_the_curve_is_drawn_with_what_it_foresees():
    """Two adapters and, dashed, what twice the examples would do."""
    written = page(content()).decode()
    chart = written[written.index('id="curve"') :].partition("</svg>")[0]

    assert chart.count('class="dot tuned') == 3
    assert chart.count("foreseen") == 1
    assert "More examples would pay." in read(written)
    assert 'id="curve"' not in page(content(curve=None)).decode()


def test_what_is_not_known_follows_from_what_was_tried():
    """Prompts that nobody optimised, a volume that nobody named, a curve that nobody drew."""
    said = " ".join(not_known(content(curve=None)))
    less = " ".join(not_known(content(has_own_prompt=True, volume=10, price=content_price())))

    assert "were not optimised. They have the recipe's system turn" in said
    assert "`approaches.volume`" in said
    assert "`approaches.learning_curve" in said
    assert "found no room" in said
    assert "They have the recipe's system turn" not in less
    assert "`approaches.volume`" not in less


def content_price() -> dict[str, object]:
    """A price."""
    return {"device_hour": 1.0, "currency": "EUR", "as_of": "2026-11-01"}


def test_every_text_is_escaped_and_the_page_runs_and_fetches_nothing():
    """Content is data, wherever on the page it stands."""
    found = content(price=content_price()).model_dump(mode="json")
    kept = {name: found[name] for name in ("metric", "locked")}
    told = poisoned(found) | kept
    told["recommendation"] |= {"advice": "fine_tune"}
    told["curve"] |= {"outlook": "pays"}
    told["arms"] = [
        {**row, "name": row["name"] if place != 2 else "fine-tuned"} for place, row in enumerate(told["arms"])
    ]
    written = page(Content.model_validate(told)).decode()

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
