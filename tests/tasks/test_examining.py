"""A recipe that does not fit its base or its rows ends the run before training starts."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.artifacts import Dataset, Tokenised
from assay.errors import RecipeError
from assay.model import rows
from bench.pin_versions import leans_on
from tasks import examining
from tests.assay.model.test_adapter import recipe
from tests.assay.model.test_fitness import EXAMPLES, configured

NO_FACTS = json.dumps({}).encode()


@dataclass(frozen=True)
class Filed:
    """A base's configuration and rows in a store."""

    base: object
    tokens: Tokenised


@pytest.fixture
def filed(store, tmp_path: Path) -> Filed:
    """Eight rows to learn in two shards, two held out; of the base, no weights."""
    shards = [store.put("tokens", rows.to_parquet(part, ["a"] * len(part))) for part in (EXAMPLES[:5], EXAMPLES[5:])]
    tokens = Tokenised(
        train=Dataset(shards=tuple(shards)),
        validation=Dataset(shards=(store.put("tokens", rows.to_parquet(EXAMPLES[:2], ["a", "b"])),)),
        facts=store.put("facts", NO_FACTS),
    )
    return Filed(store.put_tree("base", configured("llama", tmp_path / "llama")), tokens)


def test_what_training_would_take_is_filed(store, filed: Filed):
    """Rows of all shards, and those of replay."""
    alone = examining.examined(filed.base, filed.tokens, recipe("lora"), None)
    beside = examining.examined(filed.base, filed.tokens, recipe("lora"), filed.tokens.train.shards[0])

    assert json.loads(store.get(alone))["examples"] == 8
    assert json.loads(store.get(beside))["examples"] == 13
    assert json.loads(store.get(alone))["memory_bytes"]["total"] > 0


def test_a_recipe_that_cannot_be_trained_is_refused(filed: Filed):
    """A refusal is final: nothing of it is filed."""
    with pytest.raises(RecipeError, match=r"training\.target_modules"):
        examining.examined(filed.base, filed.tokens, recipe("lora", ("no_such",)), None)


def test_the_key_names_all_that_the_answer_leans_on():
    """A method that changes is asked again."""
    named = set(examining.examine.cache_policy.versions) & leans_on("assay.model.fitness")

    assert leans_on("assay.model.fitness") - named == set()
