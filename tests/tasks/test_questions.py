"""What both models are asked from is read, checked and pinned before anything runs."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.errors import AssayError, RecipeError
from assay.store import ArtifactStore
from tasks.inputs import open_recipe
from tests.flows import small

TEXT = {"id": "t", "group": "letters", "text": "Dear neighbour, the fence is mended and the gate closes again."}
TASK = "task: ours\n"


@pytest.fixture
def recipe(tmp_path: Path, store: ArtifactStore) -> Path:
    """The small recipe."""
    return small.recipe(tmp_path)


def changed(recipe: Path, evaluation: dict[str, Any], **gate: float) -> str:
    """The recipe with more in its evaluation and its gate."""
    tree = yaml.safe_load(recipe.read_text())
    tree["evaluation"] |= evaluation
    tree["gate"] |= gate
    recipe.write_text(yaml.safe_dump(tree))
    return str(recipe)


def test_held_out_text_is_filed_pinned_and_may_not_be_quoted(recipe: Path, store: ArtifactStore):
    """Its digest is in the recipe that is shown, its bytes in the store, its text among what no record may quote."""
    (recipe.parent / "texts.jsonl").write_text(json.dumps(TEXT))
    held_out = {"name": "texts", "uri": "texts.jsonl"}

    given = open_recipe(changed(recipe, {"held_out_text": held_out}, max_perplexity_ratio=1.5))

    assert given.questions.text is not None
    assert json.loads(store.get(given.questions.text)) == TEXT
    assert given.spec.evaluation.held_out_text is not None
    assert given.spec.evaluation.held_out_text.digest == given.questions.text.digest
    examined = [json.loads(line) for line in store.get(given.examined).splitlines()]
    assert {"id": "held_out_text:t", "text": TEXT["text"]} in examined
    assert "general_ability:item-0" in {each["id"] for each in examined}


def test_a_benchmark_that_cannot_be_read_is_refused_before_anything_runs(recipe: Path):
    """It would be found after training otherwise."""
    (recipe.parent / "texts.jsonl").write_text('{"id": "t"}')

    with pytest.raises(AssayError, match="line 1"):
        open_recipe(
            changed(recipe, {"held_out_text": {"name": "texts", "uri": "texts.jsonl"}}, max_perplexity_ratio=1.5)
        )


def test_task_files_are_filed_as_a_folder_and_the_release_that_reads_them_is_named(recipe: Path):
    """Other files, or another release of the harness, ask another question."""
    pytest.importorskip("lm_eval")
    (recipe.parent / "own").mkdir()
    (recipe.parent / "own" / "ours.yaml").write_text(TASK)

    given = open_recipe(changed(recipe, {"harness": {"tasks": ["ours"], "include": "own"}}))

    assert given.questions.harness is not None
    assert given.questions.harness.tree
    assert set(given.questions.releases) == {"lm-eval"}


def test_a_folder_without_task_files_is_refused(recipe: Path):
    """The harness would say that it knows no such task, much later."""
    pytest.importorskip("lm_eval")

    with pytest.raises(RecipeError, match=r"found no task file \(\*.yaml\)"):
        open_recipe(changed(recipe, {"harness": {"tasks": ["ours"], "include": "nowhere"}}))


def test_an_engine_that_is_not_installed_is_refused(recipe: Path):
    """Before a base is prepared or a record read."""
    with pytest.raises(RecipeError, match=r"found no vllm, which this recipe asks with; .* Install assay\[vllm\]"):
        open_recipe(changed(recipe, {"engine": "vllm"}))
