"""What each example lost at each visit is kept, whole whatever befalls the process, and moves nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from assay.errors import TrainingError
from assay.model import adapter, dynamics, weights
from assay.model.rows import Row
from tests import tiny_model
from tests.assay.model.test_training import EXAMPLES, SPEC, run

SPEC = SPEC.model_copy(update={"dropout": 0.0})
IDS = [f"r{place}" for place in range(len(EXAMPLES))]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared base."""
    folder = tmp_path_factory.mktemp("dynamics")
    weights.prepare(tiny_model.build(folder / "tiny"), "bfloat16", folder / "base")
    return folder / "base"


def plain_loss(base: Path, row: Row) -> float:
    """Mean loss of a row's learned tokens before anything was learned, as transformers computes it."""
    model = adapter.attach(base, SPEC)
    ids = torch.tensor([row.input_ids])
    labels = ids.clone()
    labels[0, : row.prompt_length] = -100
    with torch.no_grad():
        return float(model(input_ids=ids, labels=labels).loss)


@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_each_example_has_a_visit_in_each_epoch_with_its_own_loss(layout: str, base: Path, tmp_path: Path):
    """Those of the first step are the base's; together those of a step are the step's."""
    record = run(base, tmp_path, spec=SPEC.model_copy(update={"layout": layout}))
    traced = dynamics.read(dynamics.named(tmp_path / "work", IDS, replayed=2))
    visited = {(row.id, step): loss for row in traced for step, loss in row.visits}
    first = [int(id[1:]) for id, step in visited if step == 1]
    tokens = {place: len(EXAMPLES[place].input_ids) - EXAMPLES[place].prompt_length for place in first}

    assert [row.id for row in traced] == IDS
    assert [row.id for row in traced if row.replayed] == IDS[-2:]
    assert {len(row.visits) for row in traced} == {SPEC.epochs}
    assert len(first) == SPEC.batch_size
    for place in first:
        assert visited[f"r{place}", 1] == pytest.approx(plain_loss(base, EXAMPLES[place]), abs=0.05)
    mean = sum(visited[f"r{place}", 1] * tokens[place] for place in first) / sum(tokens.values())
    assert mean == pytest.approx(record["losses"][0][1], abs=1e-3)


def test_what_is_not_learned_leaves_no_visit(base: Path, tmp_path: Path):
    """Held-out rows are measured and the widest pass is rehearsed by the same forward."""
    run(base, tmp_path)
    traced = dynamics.read(dynamics.named(tmp_path / "work", IDS))

    assert sum(len(row.visits) for row in traced) == SPEC.epochs * len(EXAMPLES)


def test_a_training_that_passes_over_examples_in_parts_sees_the_same(base: Path, tmp_path: Path):
    """Each visit belongs to its step, however many passes that took."""
    run(base, tmp_path / "1", spec=SPEC)
    run(base, tmp_path / "2", spec=SPEC, micro_batch=2)
    one, two = (dynamics.read(dynamics.named(tmp_path / name / "work", IDS)) for name in "12")

    for a, b in zip(one, two, strict=True):
        assert [step for step, _ in a.visits] == [step for step, _ in b.visits]
        assert [loss for _, loss in a.visits] == pytest.approx([loss for _, loss in b.visits], abs=0.1)


def test_ids_that_are_none_of_the_run_are_refused(base: Path, tmp_path: Path):
    """Losses under another record's name would be worse than none."""
    run(base, tmp_path)

    with pytest.raises(TrainingError, match="found a visit of example 3, expected 3 at most"):
        dynamics.named(tmp_path / "work", IDS[:3])


PROGRAM = """
import sys, torch
from pathlib import Path
from torch import distributed
from tests.assay.model.test_training import SPEC, run
torch.set_num_threads(1)
distributed.init_process_group("gloo")
run(Path(sys.argv[1]), Path(sys.argv[2]), processes=2, spec=SPEC)
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_processes_that_share_a_training_put_together_what_they_saw(base: Path, tmp_path: Path):
    """Each sees half of every batch; the record has all of it."""
    (tmp_path / "program.py").write_text(PROGRAM)
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    root = Path(__file__).parents[3]
    command = [*start, str(tmp_path / "program.py"), str(base), str(tmp_path)]
    subprocess.run(command, check=True, timeout=300, env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}, cwd=root)
    traced = dynamics.read(dynamics.named(tmp_path / "work", IDS))

    assert {len(row.visits) for row in traced} == {SPEC.epochs}
