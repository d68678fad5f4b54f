"""The prompts that are filed are those that the generator writes, and none of them is a benchmark item."""

import json
from pathlib import Path

from assay.data import contamination
from assay.evaluation import sampling
from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector
from bench.generate_general_prompts import KINDS, prompts

BENCHMARKS = Path(__file__).resolve().parents[2] / "recipes" / "benchmarks"
FILED = (BENCHMARKS / "general_prompts.jsonl").read_bytes()
RUN = 6
"""Words in a row: fewer are shared by sentences that have nothing to do with one another."""


def test_the_file_is_what_the_generator_writes():
    """Nobody edits it by hand."""
    assert [json.loads(line) for line in FILED.splitlines()] == prompts(5)


def test_every_kind_is_there_and_no_prompt_twice():
    """Variety is what it is for; and the kinds take turns, so any part of it is varied too."""
    found = sampling.parse(FILED)
    kinds = [each.id.rpartition("-")[0] for each in found]

    assert len({each.prompt for each in found}) == len(found) >= 160
    assert set(kinds) == {*KINDS, "sum"}
    assert len(set(kinds[:12])) == 12


def test_no_prompt_shares_words_with_a_benchmark_item():
    """What is learned cannot be examined: asked more sharply here than of a recipe."""
    items = contamination.benchmark_texts((BENCHMARKS / "general_ability.jsonl").read_bytes())
    known = {run for text in items.values() for run in contamination.runs(text, RUN)}

    assert [each.id for each in sampling.parse(FILED) if contamination.runs(each.prompt, RUN) & known] == []


def test_no_prompt_holds_personal_data():
    """A prompt that looked as if it did would have all its answers left out."""
    texts = [each.prompt for each in sampling.parse(FILED)]

    assert not any(Detector(RedactionSpec(profile="fast")).find(texts, [()] * len(texts)))
