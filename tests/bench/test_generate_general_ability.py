"""What must hold of the general-ability benchmark: of the file that is kept, and of its generator."""

import collections
import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from bench.generate_general_ability.assembly import items
from bench.generate_general_ability.item import Draft

ROOT = pathlib.Path(__file__).parents[2]
KEPT = ROOT / "recipes" / "benchmarks" / "general_ability.jsonl"


@pytest.fixture(scope="module")
def kept() -> list[dict[str, Any]]:
    """Every item of the file that recipes refer to."""
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]


def test_regenerating_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    """The command in the README, run in a fresh process, rebuilds the kept file byte for byte."""
    out = tmp_path / "general_ability.jsonl"
    command = [sys.executable, "-m", "bench.generate_general_ability", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert out.read_bytes() == KEPT.read_bytes()


def test_another_seed_gives_other_items_of_the_same_groups() -> None:
    """The seed moves the generated sentences and the order, never the groups or their sizes."""
    ours, others = items(11), items(12)
    assert [item.line() for item in ours] != [item.line() for item in others]
    assert collections.Counter(item.group for item in ours) == collections.Counter(item.group for item in others)


def test_there_are_enough_items_for_a_two_point_margin(kept: list[dict[str, Any]]) -> None:
    """A paired drop of two points needs some 1,550 items at a discordance of one in ten."""
    assert 1550 <= len(kept) <= 1600
    assert len({item["group"] for item in kept}) >= 20
    assert sum(item["kind"] == "choice" for item in kept) >= 450


def test_every_id_and_every_content_occurs_once(kept: list[dict[str, Any]]) -> None:
    """No item counts twice, even with its choices in another order."""
    assert len({item["id"] for item in kept}) == len(kept)
    assert len({(item["context"], frozenset(item["choices"])) for item in kept}) == len(kept)


def test_no_question_is_asked_with_two_answers(kept: list[dict[str, Any]]) -> None:
    """A context that occurs in two items would make them depend on each other."""
    contexts = collections.Counter(item["context"] for item in kept if item["context"])
    assert [context for context, count in contexts.items() if count > 1] == []


def test_choices_are_distinct_and_gold_is_one_of_them(kept: list[dict[str, Any]]) -> None:
    """Every item can be answered, and in one way."""
    for item in kept:
        assert 2 <= len(item["choices"]) <= 4
        assert len(set(item["choices"])) == len(item["choices"])
        assert 0 <= item["gold"] < len(item["choices"])


def test_gold_positions_are_balanced(kept: list[dict[str, Any]]) -> None:
    """A model that always picks one position scores chance, within each kind and width."""
    positions: dict[tuple[str, int], collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for item in kept:
        positions[item["kind"], len(item["choices"])][item["gold"]] += 1
    for (_, width), counts in positions.items():
        fair = counts.total() / width
        assert all(abs(counts[place] - fair) <= max(0.15 * fair, 8) for place in range(width))


def test_continuations_start_with_a_space_and_pairs_do_not(kept: list[dict[str, Any]]) -> None:
    """Context and choice are joined as they stand, so the space belongs to the choice."""
    for item in kept:
        pair = item["kind"] == "minimal_pair"
        assert (item["context"] == "") is pair
        assert all(choice.startswith(" ") is not pair for choice in item["choices"])
        assert not item["context"].endswith(" ")
        assert not any("  " in text or text.endswith(" ") for text in (item["context"], *item["choices"]))


def test_cloze_items_have_four_words_to_choose_from(kept: list[dict[str, Any]]) -> None:
    """A cloze asks for one word out of four."""
    clozes = [item for item in kept if item["kind"] == "cloze"]
    assert all(len(item["choices"]) == 4 for item in clozes)
    assert all(len(choice.split()) == 1 for item in clozes for choice in item["choices"])


def test_the_first_two_hundred_items_cover_every_group(kept: list[dict[str, Any]]) -> None:
    """An evaluator that stops early still sees a sample in proportion to the whole."""
    assert {item["group"] for item in kept[:200]} == {item["group"] for item in kept}


def test_items_are_short(kept: list[dict[str, Any]]) -> None:
    """Nine in ten hold fewer than 25 words with any choice, since they are scored on a processor."""
    words = sorted(max(len((item["context"] + choice).split()) for choice in item["choices"]) for item in kept)
    assert words[int(0.9 * len(words))] < 25
    assert words[-1] < 60


def test_a_draft_with_two_equal_choices_is_refused() -> None:
    """A row in which right and wrong agree says so and names its group."""
    with pytest.raises(ValueError, match="opposites: found choices"):
        Draft("opposite", "opposites", "choice", "The opposite of up is", " down.", (" down.",))
