"""Whatever befalls a training, it ends in time, leaves no process behind, and goes on to the same adapter."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts import Artifact, digest_of
from assay.errors import TrainingCrashError
from assay.model import weights
from assay.store import ArtifactStore
from tasks import launch, models
from tests.tasks.small_training import (
    PROGRAM,
    STEPS,
    Given,
    adapter,
    checkpointed,
    processes,
    until,
    write_inputs,
)


@pytest.fixture(scope="module")
def undisturbed(given: Given) -> str:
    """The adapter of a training that nothing befell."""
    work = given.work("undisturbed")
    models.fit(given.job(), work, lambda _: None)
    return adapter(work)


FLOW = """
import sys
from prefect import flow
from assay.artifacts import Trained
from tasks.caching import ReferenceSerializer
from tasks.models import train
from tasks.pool import RUNNER
from tests.tasks.small_training import read_inputs

@flow(persist_result=False, result_serializer=ReferenceSerializer(), task_runner=RUNNER)
def teach(inputs: str) -> Trained:
    return train.submit(**read_inputs(inputs)).result()

if __name__ == "__main__":
    print(teach(sys.argv[1]).adapter.digest)
"""


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGTERM], id="a scheduler's word"),
        pytest.param([signal.SIGINT, signal.SIGINT], id="an impatient person", marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("prefect_server")
def test_a_run_that_is_told_to_end_saves_first_and_goes_on_to_the_same_adapter(
    given: Given, undisturbed: str, tmp_path: Path, signals: list[signal.Signals]
):
    """Within seconds, with no process left; the same command repeats no step and ends as if nothing had been."""
    from prefect.settings import get_current_settings

    file = tmp_path / "flow.py"
    file.write_text(FLOW)
    home = tmp_path / "home"
    home.mkdir()
    (home / "store").symlink_to(given.home / "store")
    environment = given.environment | {
        "ASSAY_HOME": str(home),
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "results"),
        "PREFECT_API_URL": str(get_current_settings().api.url),
    }
    command = [sys.executable, str(file), str(write_inputs(given, tmp_path / "inputs.json"))]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        until(lambda: [work for work in home.glob("work/*") if checkpointed(work)])
        [work] = home.glob("work/*")
        told = time.monotonic()
        for sign in signals:
            running.send_signal(sign)
            time.sleep(0.1)
        running.wait(60)
        took = time.monotonic() - told

    assert took < launch.GRACE
    assert not processes(work)
    events = [json.loads(line) for line in (work / "progress.jsonl").read_text().splitlines()]
    steps = [event["step"] for event in events if event["event"] == "step"]
    assert max(steps) < STEPS
    assert checkpointed(work) == max(steps)

    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert given_digest(given, again.stdout.strip()) == undisturbed


def given_digest(given: Given, filed: str) -> str:
    """As :func:`adapter`, of one that is filed."""
    out = given.home / "filed" / filed
    if not out.exists():
        ArtifactStore(str(given.home / "store")).checkout(Artifact(kind="adapter", digest=filed, tree=True), out)
    return digest_of({path.name: weights.sha256(path) for path in sorted(out.iterdir())})


@pytest.mark.slow
def test_a_training_whose_parent_was_killed_saves_and_ends_and_holds_its_folder_till_then(
    given: Given, undisturbed: str, tmp_path: Path
):
    """SIGKILL leaves nobody to tell it but the kernel; whoever comes next waits for it and goes on."""
    work = given.work("orphaned")
    command = [sys.executable, "-c", PROGRAM, str(write_inputs(given, tmp_path / "inputs.json")), str(work)]
    with subprocess.Popen(command, env=given.environment, stdout=subprocess.DEVNULL) as running:
        until(lambda: checkpointed(work))
        running.kill()
    first = [json.loads(line)["step"] for line in (work / "progress.jsonl").read_text().splitlines()]

    events: list[dict[str, Any]] = []
    models.fit(given.job(), work, events.append)

    assert events[0]["event"] == "resumed"
    assert events[0]["step"] >= max(first)
    assert adapter(work) == undisturbed


def test_a_killed_process_is_one_that_may_succeed_the_next_time(given: Given):
    """Its error says where to look, and that the same command goes on."""
    work = given.work("killed")

    def kill(event: dict[str, Any]) -> None:
        if event["event"] == "checkpoint":
            for child in processes(work):  # None is left if two checkpoints are told of at once.
                os.kill(child, signal.SIGKILL)

    with pytest.raises(TrainingCrashError, match=r"killed by SIGKILL .* the same command goes on"):
        launch.launch("train", given.job() | models.ways_to_fit(4)[0], work, kill)


def started(program: str, kind: str) -> launch.Child:
    """A child that runs a program, once it says that it is ready."""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    with process.stdout:
        process.stdout.readline()
    return launch.Child(process, kind, "a run")


DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


def test_a_child_that_does_not_end_in_time_is_ended(monkeypatch: pytest.MonkeyPatch):
    """A step that never ends holds up nobody."""
    monkeypatch.setattr(launch, "GRACE", 0.3)
    child = started(DEAF, "train")

    child.wait()

    assert child.process.returncode == -signal.SIGKILL


def test_a_child_that_has_nothing_to_save_is_ended_at_once():
    """An evaluation would answer to its end; the answers are asked again anyway."""
    child = started(DEAF, "evaluate")

    began = time.monotonic()
    child.wait()

    assert child.process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < launch.GRACE / 2
