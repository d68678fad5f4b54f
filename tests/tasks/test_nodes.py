"""Processes that share a training learn what one does, and end together; other nodes follow the first."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.errors import RecipeError, TrainingError
from tasks import launch, models, nodes
from tests.tasks.small_training import (
    PROGRAM,
    ROWS,
    SPEC,
    Given,
    adapter,
    checkpointed,
    processes,
    until,
    write_inputs,
)


@pytest.fixture
def two(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes to a training."""
    monkeypatch.setenv("ASSAY_PROCESSES", "2")


@pytest.mark.usefixtures("two")
def test_two_processes_learn_what_one_does_and_stop_together(given: Given):
    """Over gloo: the loss of one process within rounding, and one checkpoint that both go on from."""
    plain = {"dropout": 0.0, "epochs": 2}
    work = given.work("shared")

    def stop_once(event: dict[str, Any]) -> None:
        if event["event"] == "checkpoint" and not told:
            told.append(event["step"])
            for child in launch._children:
                child.end()

    told: list[int] = []
    with pytest.raises(TrainingError, match="run it again"):
        models.fit(given.job(**plain), work, stop_once)
    assert not processes(work)
    events: list[dict[str, Any]] = []
    models.fit(given.job(**plain), work, events.append)
    shared = json.loads((work / "record.json").read_text())

    alone = given.work("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_PROCESSES", "1")
        models.fit(given.job(**plain), alone, lambda _: None)

    assert events[0]["event"] == "resumed"
    assert events[0]["step"] >= told[0]
    ones = json.loads((alone / "record.json").read_text())["losses"]
    assert [step for step, _ in shared["losses"]] == [step for step, _ in ones]
    assert [loss for _, loss in shared["losses"]] == pytest.approx([loss for _, loss in ones], abs=0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_what_one_of_several_raises_comes_back_as_it_was_meant(given: Given):
    """Not as the end of the launcher that started them."""
    with pytest.raises(RecipeError, match="no_such_module"):
        models.fit(given.job(target_modules=("no_such_module",)), given.work("refused"), lambda _: None)
    with pytest.raises(RecipeError, match=r"ASSAY_PROCESSES: found 2 on each of 1 nodes; expected them to divide"):
        models.fit(given.job(batch_size=3), given.work("odd"), lambda _: None)


RANK = """
import json, sys
from pathlib import Path
from tasks import jobs, nodes
job, place = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]) / str(nodes.rank())
place.mkdir()
nodes.rank = lambda: 0  # Each leaves what it has learned, where otherwise the first alone would.
jobs.train(job | {"micro_batch": None, "checkpoint_activations": False}, place, lambda event: None)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_processes_that_share_a_training_end_with_equal_adapters(given: Given, tmp_path: Path):
    """Where gradients are not exchanged, each learns its own half and only the first one's is kept."""
    (tmp_path / "rank.py").write_text(RANK)
    inputs = write_inputs(given, tmp_path / "inputs.json")
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    subprocess.run(
        [*start, str(tmp_path / "rank.py"), str(inputs), str(tmp_path)], env=given.environment, check=True, timeout=300
    )

    assert adapter(tmp_path / "0") == adapter(tmp_path / "1")


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_processes_that_share_a_training_end_with_whoever_started_them(given: Given, tmp_path: Path):
    """The launcher between has the kernel's word too, and passes it on: they save, and none is left."""
    work = given.work("shared and orphaned")
    command = [sys.executable, "-c", PROGRAM, str(write_inputs(given, tmp_path / "inputs.json")), str(work)]
    with subprocess.Popen(command, env=given.environment, stdout=subprocess.DEVNULL) as running:
        until(lambda: checkpointed(work))
        running.kill()

    until(lambda: not processes(work), launch.GRACE)

    assert checkpointed(work) == max(map(step_of, (work / "progress.jsonl").open()))


def step_of(line: str) -> int:
    """Of a progress event."""
    return int(json.loads(line)["step"])


def test_several_nodes_must_know_where_they_meet(monkeypatch: pytest.MonkeyPatch):
    """Said before anything is started."""
    monkeypatch.setenv("ASSAY_NODES", "2")
    for name, value, says in (
        ("ASSAY_RENDEZVOUS", "nowhere", "expected HOST:PORT of node 0"),
        ("ASSAY_NODE", "2", "expected 0 to 1"),
    ):
        monkeypatch.setenv(name, value)
        with pytest.raises(RecipeError, match=says):
            nodes.share(4)


@pytest.mark.slow
def test_another_node_follows_each_training_that_the_first_one_calls_for(given: Given, monkeypatch):
    """Two nodes of one process each, on one machine: they meet, learn together, and the second ends when told."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    for name, value in {"ASSAY_NODES": "2", "ASSAY_RENDEZVOUS": at, "ASSAY_SHARED_RUN": "a run"}.items():
        monkeypatch.setenv(name, value)
    work = given.work("afar")
    follow = [sys.executable, "-m", "tasks.nodes", "follow"]
    with subprocess.Popen(follow, env=given.environment | {"ASSAY_NODE": "1"}, stderr=subprocess.DEVNULL) as other:
        try:
            models.fit(given.job(epochs=1), work, lambda _: None)
            subprocess.run([*follow[:3], "lead", sys.executable, "-c", ""], env=given.environment, check=True)
            assert other.wait(60) == 0
        finally:
            other.kill()

    assert json.loads((work / "record.json").read_text())["steps"] == ROWS // SPEC.batch_size
    assert not processes(work)
