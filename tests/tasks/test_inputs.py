"""A recipe that asks for replay names its prompts, and they are pinned and looked at before anything runs."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from assay.errors import RecipeError
from assay.store import ArtifactStore
from tasks import parts
from tasks.inputs import open_recipe
from tests.flows import small

PROMPTS = b'{"id": "a", "prompt": "Say hello."}\n{"id": "b", "prompt": "Count to three."}\n'
LONG = "Seven quiet badgers carried a wooden ladder over the frozen river before breakfast on"


@pytest.fixture
def recipe(tmp_path: Path, store: ArtifactStore) -> Path:
    """The small recipe, with replay."""
    path = small.recipe(tmp_path)
    (tmp_path / "prompts.jsonl").write_bytes(PROMPTS)
    replay = {"name": "general", "prompts": "prompts.jsonl", "licence": "ours", "share": 0.1}
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"replay": replay}))
    return path


def test_the_prompts_are_filed_and_their_digest_filled_in(recipe: Path, store: ArtifactStore):
    """So that what was asked is in the key, and can be read later."""
    given = open_recipe(str(recipe))

    assert given.prompts is not None
    assert store.get(given.prompts) == PROMPTS
    assert given.spec.replay is not None
    assert given.spec.replay.digest == given.prompts.digest == hashlib.sha256(PROMPTS).hexdigest()
    assert given.spec.replay.prompts == str(recipe.parent / "prompts.jsonl")
    assert given.card["replay"] | {"prompts": "prompts.jsonl", "digest": given.prompts.digest} == given.card["replay"]


def test_the_prompts_are_among_what_a_data_card_is_made_of(recipe: Path):
    """Who signs for the data signs for their licence and their bytes, and other prompts make another card."""
    given = open_recipe(str(recipe))

    (source,) = parts.replay(given.about_data["replay"], 7)

    assert given.prompts is not None
    assert (source.name, source.licence, source.rows) == ("general", "ours", 7)
    assert source.digest == given.prompts.digest
    assert parts.replay(None, 0) == ()


def test_a_recipe_without_replay_has_no_prompts(recipe: Path):
    """And nothing is looked for."""
    (recipe.parent / "prompts.jsonl").unlink()
    tree = yaml.safe_load(recipe.read_text())
    recipe.write_text(yaml.safe_dump({name: value for name, value in tree.items() if name != "replay"}))

    given = open_recipe(str(recipe))

    assert (given.prompts, given.spec.replay, given.card["replay"]) == (None, None, None)


def test_other_bytes_than_the_recipe_names_are_refused(recipe: Path):
    """They would be another question under the same recipe."""
    with pytest.raises(RecipeError, match=r"prompts .*: found bytes with digest \w{12}; expected 000000000000"):
        open_recipe(str(recipe), {"replay.digest": "0" * 64})


def test_prompts_that_are_not_there_are_refused(recipe: Path):
    """Before a device is taken."""
    with pytest.raises(RecipeError, match=r"prompts: found nothing at .*absent\.jsonl; expected a file"):
        open_recipe(str(recipe), {"replay.prompts": "absent.jsonl"})


def test_a_line_that_is_no_prompt_is_refused_by_its_number(recipe: Path):
    """As in any small file that a recipe names."""
    (recipe.parent / "prompts.jsonl").write_bytes(PROMPTS + b'{"id": "c"}\n')

    with pytest.raises(RecipeError, match="prompts line 3: found a mistake in prompt"):
        open_recipe(str(recipe))


@pytest.mark.parametrize("overlap", [0.5, 0.95])
def test_a_prompt_that_quotes_the_benchmark_is_refused(recipe: Path, overlap: float):
    """What is learned cannot be examined; as much overlap counts as in curation."""
    item = {"id": "x", "group": "g", "kind": "cloze", "context": LONG, "choices": [" Monday.", " green."], "gold": 0}
    with (recipe.parent / "ability.jsonl").open("a") as file:
        file.write(json.dumps(item) + "\n")
    quoting = json.dumps({"id": "quoting", "prompt": f"Please go on: {LONG} Monday. Then what?"}).encode()
    (recipe.parent / "prompts.jsonl").write_bytes(PROMPTS + quoting)

    with pytest.raises(
        RecipeError,
        match=r"found 1 of 3 prompts that quote .* \('quoting' quotes benchmark:general_ability:x\); expected",
    ) as e:
        open_recipe(str(recipe), {"curation.contamination.overlap": overlap})

    assert "badgers" not in str(e.value)
