"""What must hold of contenders: they train the same thing, on the same tokens, and all of what they took is noted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.tuning import TrainingSpec
from bench import contenders, gpu_plans, measure_gpu, peers
from bench.contest import ROOT, Entry, Settings, read, write


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    """Two epochs of ragged rows, on a tiny model with random weights."""
    folder = tmp_path_factory.mktemp("contest")
    measure_gpu.build("tiny", folder / "base")
    plan = gpu_plans.Plan("tiny", gpu_plans.Point(4, 32, is_ragged=True), "assay", "", {})
    rows = measure_gpu.random_rows(plan, 3)
    write(folder / "examples.json", rows, rows[:4])
    spec = {**measure_gpu.recipe(plan.point), "epochs": 2, "last_layers": 2, "learning_rate": 1e-2}
    return Entry(
        trainer="trainer",
        base=str(folder / "base"),
        examples=str(folder / "examples.json"),
        spec=spec,
        settings={"attention": "eager"},
        threads=1,
        work=str(folder / "work"),
    )


@pytest.fixture(scope="module")
def results(described: Entry) -> dict[str, dict[str, Any]]:
    """What Assay and a plain Trainer came to."""
    ours = Entry(**{**vars(described), "trainer": "assay", "settings": {}, "work": f"{described.work}-assay"})
    return {entry.trainer: contenders.compete(entry) for entry in (ours, described)}


def test_contenders_learn_the_same_from_the_same_tokens(results: dict[str, dict[str, Any]]) -> None:
    """Step by step the same tokens are behind, and the losses are one curve but for rounding."""
    ours, theirs = results["assay"], results["trainer"]
    assert [p["tokens"] for p in ours["points"]] == [p["tokens"] for p in theirs["points"]]
    assert [p["loss"] for p in ours["points"]] == pytest.approx([p["loss"] for p in theirs["points"]], abs=0.05)
    assert ours["held_out_loss"] == pytest.approx(theirs["held_out_loss"], abs=0.05)


def test_what_tokens_need_is_the_same_for_all(results: dict[str, dict[str, Any]]) -> None:
    """Operations are counted from the recipe, so a trainer that does more than it must gains no credit for it."""
    ours, theirs = results["assay"], results["trainer"]
    for named in ("tokens", "learned_tokens", "operations", "trainable", "parameters"):
        assert ours[named] == theirs[named]
    assert theirs["executed_operations"] == theirs["operations"]


def test_time_and_tokens_only_grow(results: dict[str, dict[str, Any]]) -> None:
    """Every step is noted once, in order, up to the last token."""
    for result in results.values():
        assert len(result["points"]) == 6
        assert result["points"][-1]["tokens"] == result["tokens"]
        for before, after in zip(result["points"], result["points"][1:], strict=False):
            assert all(before[named] < after[named] for named in ("seconds", "cpu_seconds", "tokens"))


def test_work_below_the_first_adapter_counts_once_where_it_is_reused(described: Entry) -> None:
    """Two epochs that reuse a layer execute what one epoch would, and padding counts as work."""
    spec = TrainingSpec.model_validate(described.spec)
    model = peers.adapted(described, spec, Settings())
    layer = gpu_plans.MODELS["tiny"]
    width, inner, kv = layer["hidden_size"], layer["intermediate_size"], layer["hidden_size"] // 2
    one_layer = 2 * width * width + 2 * width * kv + 3 * width * inner

    def done(tokens: int, reused: int) -> int:
        return contenders.executed(model, {"computed_tokens": tokens, "reused_layers": reused}, 2, 0)

    assert done(100, 0) - done(100, 1) == 2 * one_layer * 50
    assert done(200, 0) == 2 * done(100, 0)


def test_peers_adapt_what_the_recipe_names(described: Entry) -> None:
    """The last two of three layers, seven matrices each."""
    spec = TrainingSpec.model_validate(described.spec)
    names = peers.matrices(peers.adapted(described, spec, Settings()).get_base_model(), spec)
    assert {name.split(".")[2] for name in names} == {"1", "2"}
    assert len(names) == 14


def test_the_prompt_is_not_learned_by_peers(described: Entry) -> None:
    """Their labels are the completion's ids, and padding is neither seen nor learned."""
    rows = read(Path(described.examples))[0][:2]
    batch = peers.stack(
        peers.features(rows, TrainingSpec.model_validate(described.spec), Settings(), with_mask=True)[:4]
    )
    assert batch["input_ids"].shape == batch["labels"].shape == batch["attention_mask"].shape
    assert bool((batch["labels"][:, 0] == peers.IGNORED).all())
    assert bool((batch["labels"][batch["attention_mask"] == 0] == peers.IGNORED).all())
    assert bool((batch["labels"][:, 1:][batch["attention_mask"][:, 1:] == 1] != peers.IGNORED).all())


@pytest.mark.slow
def test_smoke_run_writes_a_table(tmp_path: Path) -> None:
    """The GPU's command runs to its end on any machine, offline, and leaves numbers and a table."""
    command = [sys.executable, "-m", "bench.measure_gpu", "--smoke", "--out", str(tmp_path), "--cache", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["peak"] > 0
    assert not [row for row in found["rows"] if "failed" in row]
    assert "| tiny | 4x32r | assay | packed |" in (tmp_path / "gpu.md").read_text()
