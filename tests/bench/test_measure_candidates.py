"""Candidates that the gate must tell apart are made as their names say, and are sound recipes."""

import json
from pathlib import Path

import pytest

from assay import recipes
from bench import measure_candidates as measured
from expectations import suite

ROOT = Path(__file__).parents[2]


def tickets(recipe: Path) -> list[dict]:
    """The rows of its training source."""
    return [json.loads(line) for line in (recipe / "data" / "tickets.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Each candidate's recipe folder."""
    folder = tmp_path_factory.mktemp("candidates")
    return {name: measured.laid_out(each, folder / name) for name, each in measured.CANDIDATES.items()}


@pytest.mark.parametrize("name", measured.CANDIDATES)
def test_every_candidate_is_a_sound_recipe(made, name):
    """With its settings applied, and with suites that load."""
    settings = dict(pair.split("=") for pair in measured.CANDIDATES[name].settings)
    data = (made[name] / "recipe.yaml").read_bytes()

    spec = recipes.parse(data, name, {key: json.loads(value) for key, value in settings.items()})

    for doorway in ("raw", "redacted", "curated", "splits", "predictions"):
        path = (made[name] / getattr(spec.expectations, doorway)).resolve()
        assert suite.load(path.read_bytes(), path.name).name == doorway
    assert (made[name] / spec.evaluation.general_ability.uri).resolve().is_file()


def test_the_good_one_is_the_demo_byte_for_byte(made):
    """What is measured of it is what a newcomer gets."""
    demo = ROOT / "recipes" / "support_triage"

    for path in (path for path in demo.rglob("*") if path.is_file()):
        assert (made["good"] / path.relative_to(demo)).read_bytes() == path.read_bytes()


def test_shuffling_changes_labels_and_no_share_of_them(made):
    """Intent and priority come from elsewhere; messages, order ids and the counts of labels stay."""
    before = {row["ticket"]: row for row in tickets(made["good"])}
    after = tickets(made["shuffled"])
    kept = [measured.answer(row)["intent"] == measured.answer(before[row["ticket"]])["intent"] for row in after]

    assert sum(kept) < len(kept) / 8
    assert all(row["message"] == before[row["ticket"]]["message"] for row in after)
    for row in after:
        assert measured.answer(row).get("order_id") == measured.answer(before[row["ticket"]]).get("order_id")
    assert sorted(measured.answer(row)["intent"] for row in after) == sorted(
        measured.answer(before[row["ticket"]])["intent"] for row in after
    )


def test_narrow_and_few_are_what_they_say(made):
    """Two intents; and 34 tickets of fourteen."""
    assert {measured.answer(row)["intent"] for row in tickets(made["wild"])} == {"exchange", "cancel"}
    assert len(tickets(made["few"])) == 34
    assert len({measured.answer(row)["intent"] for row in tickets(made["few"])}) == 14


@pytest.mark.parametrize(
    ("verdict", "criterion", "needed", "as_expected"),
    [
        ("refused", "general_ability", None, {"wild"}),
        ("refused", "target", None, {"shuffled"}),
        ("accepted", "target", None, {"good"}),
        ("inconclusive", "target", 700, {"few"}),
        ("inconclusive", "target", None, set()),
    ],
)
def test_a_verdict_counts_only_for_its_reason(verdict, criterion, needed, as_expected):
    """A candidate refused for something else was not told apart, nor one of which nobody knows what would decide."""
    told = {
        "name": criterion,
        "decision": verdict,
        "estimate": 0.05,
        "lower": None,
        "upper": 0.08,
        "threshold": 0.1,
        "unit": "points",
        "n": 322,
        "needed": needed,
    }
    result = {"verdict": verdict, "criteria": [told], "seconds": 12.3}

    assert {name for name, each in measured.CANDIDATES.items() if measured.holds(each, result)} == as_expected
    row = measured.line("few", measured.CANDIDATES["few"], result)
    assert f"{criterion}: 5.00 [-, 8.00] against 10.00 points | 322 | {needed or '-'} | 12 |" in row
