"""Whatever befalls a training, it ends in time, leaves no process behind, and goes on to the same adapter."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts import Artifact, Dataset, Tokenised, digest_of
from assay.errors import OutOfMemoryError, RecipeError, TrainingCrashError, TrainingError
from assay.model import checkpoints, weights
from assay.records import Record, Turn, to_parquet
from assay.store import ArtifactStore
from assay.tuning import TrainingSpec
from tasks import faults, jobs, launch, models, nodes
from tests import tiny_model

ROOT = Path(__file__).parents[2]
SYSTEM = "Reply with JSON."
ROWS = 32
SPEC = TrainingSpec(
    method="lora",
    rank=4,
    alpha=8,
    dropout=0.1,
    target_modules=("q_proj", "v_proj"),
    learning_rate=0.01,
    epochs=12,
    batch_size=4,
    max_length=192,
)
STEPS = ROWS * SPEC.epochs // SPEC.batch_size
INTERVAL = 5


def _record(number: int) -> Record:
    words = " ".join(f"case{number}-{place}" for place in range(2 + number % 5))
    turns = (Turn("user", f"where is the parcel of order {number}? {words}"),)
    answer = json.dumps({"intent": "delivery", "order_id": str(number)})
    return Record(id=f"r{number}", subject=f"s{number}", bucket=0, source="tickets", context=turns, completion=answer)


@dataclass(frozen=True)
class Given:
    """A prepared base and tokenised records in a store, in a home of their own."""

    home: Path
    inputs: dict[str, Any]
    """Of the step."""

    def job(self, **changes: Any) -> dict[str, Any]:
        """What the step hands to its process, with a recipe that differs by ``changes``."""
        inputs = self.inputs | {"spec": SPEC.model_copy(update=changes)}
        plain = {name: value.model_dump(mode="json") for name, value in inputs.items() if hasattr(value, "model_dump")}
        return inputs | plain

    def work(self, name: str) -> Path:
        """A folder to work in, with nothing to go on from."""
        path = self.home / "work" / name
        (path / "checkpoints").mkdir(parents=True)
        return path

    @property
    def environment(self) -> dict[str, str]:
        """For a process of its own that is to find all this."""
        return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    """Two layers and thirty-two records; a checkpoint every five of ninety-six steps."""
    home = tmp_path_factory.mktemp("launch")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSAY_STORE", "ASSAY_DEVICE", "MLFLOW_TRACKING_URI", "ASSAY_PROCESSES", "ASSAY_NODES"):
            patch.delenv(name, raising=False)
        patch.setenv("ASSAY_HOME", str(home))
        patch.setenv("ASSAY_THREADS", "1")
        patch.setenv("ASSAY_CHECKPOINT_STEPS", str(INTERVAL))
        store = ArtifactStore(str(home / "store"))
        weights.prepare(tiny_model.build(home / "tiny"), "float32", home / "base")
        base = store.put_tree("base", home / "base")
        shard = store.put("records", to_parquet([_record(number) for number in range(ROWS)]))
        held_out = store.put("records", to_parquet([_record(number) for number in range(100, 104)]))
        laid_out = [Dataset(shards=(jobs.tokenise(base, each, SYSTEM, SPEC.max_length),)) for each in (shard, held_out)]
        facts = jobs.facts(base, SPEC.max_length)
        inputs = {
            "base": base,
            "tokens": Tokenised(train=laid_out[0], validation=laid_out[1], facts=facts),
            "replayed": None,
            "validation": Dataset(shards=(held_out,)),
            "base_digest": weights.digest(home / "tiny"),
            "system": SYSTEM,
            "spec": SPEC,
        }
        yield Given(home, inputs)


def adapter(work: Path) -> str:
    """Digest of what a training left."""
    return digest_of({path.name: weights.sha256(path) for path in sorted((work / "adapter").iterdir())})


@pytest.fixture(scope="module")
def undisturbed(given: Given) -> str:
    """The adapter of a training that nothing befell."""
    work = given.work("undisturbed")
    models.fit(given.job(), work, lambda _: None)
    return adapter(work)


def processes(work: Path) -> set[int]:
    """Those that have a folder in their command line and are no zombies."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            state = path.with_name("stat").read_text().rpartition(")")[2].split()[0]
            if str(work).encode() in path.read_bytes().split(b"\0") and state != "Z":
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


def until(found: Callable[[], object], seconds: float = 120) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"nothing came within {seconds} seconds"
        time.sleep(0.05)


def checkpointed(work: Path) -> int:
    """Step of the last whole checkpoint; 0 if there is none."""
    sealed = [path.parent for path in work.glob(f"checkpoints/{checkpoints.PREFIX}*/{checkpoints.MANIFEST}")]
    return max(map(checkpoints.step, sealed), default=0)


PROGRAM = """
import json, sys
from pathlib import Path
from tasks import launch, models
job, work = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
models.fit(job, work, lambda event: print(json.dumps(event), flush=True))
"""

FLOW = """
import sys
from prefect import flow
from assay.artifacts import Trained
from tasks.caching import ReferenceSerializer
from tasks.models import train
from tasks.pool import RUNNER
from tests.tasks.test_launch import read_inputs

@flow(persist_result=False, result_serializer=ReferenceSerializer(), task_runner=RUNNER)
def teach(inputs: str) -> Trained:
    return train.submit(**read_inputs(inputs)).result()

if __name__ == "__main__":
    print(teach(sys.argv[1]).adapter.digest)
"""


def write_inputs(given: Given, path: Path) -> Path:
    """For a process of its own."""
    path.write_text(json.dumps(given.job()))
    return path


def read_inputs(path: str) -> dict[str, Any]:
    """What :func:`write_inputs` wrote, as the step takes it."""
    kinds = {"base": Artifact, "tokens": Tokenised, "validation": Dataset, "spec": TrainingSpec}
    found = json.loads(Path(path).read_text())
    return {name: kinds[name].model_validate(value) if name in kinds else value for name, value in found.items()}


@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["a scheduler's word", "an impatient person"]
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


TOO_LITTLE = """
import ctypes, json, os, resource, sys
from pathlib import Path
if "tasks.jobs" in sys.orig_argv and "train" in sys.orig_argv:
    micro = json.loads((Path(sys.orig_argv[-2]) / "job.json").read_text())["micro_batch"]
    room = json.loads(os.environ["TEST_ROOM"])["all" if micro is None else "part"]
    def limit(event, arguments):
        global room
        if room is not None and event in {"os.scandir", "os.listdir"} and "checkpoints" in str(arguments[0]):
            size, room = room, None
            from transformers import Trainer
            now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (now + size, now + size))
            kept = malloc(size)
            for size in (1 << 20, 1 << 14):
                while malloc(size):
                    pass
            free(kept)
    malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
    malloc.restype, malloc.argtypes, free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    sys.addaudithook(limit)
"""
"""A ``sitecustomize``: once a training looks for a checkpoint, it finds so many more bytes of memory and no more."""


@pytest.fixture
def room(given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Limits the address space of training processes for real; in a process of the test's own make it would be none."""

    def limit(**sizes: int | None) -> None:
        (tmp_path / "sitecustomize.py").write_text(TOO_LITTLE)
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
        monkeypatch.setenv("TEST_ROOM", json.dumps(sizes))

    return limit


def test_out_of_memory_is_met_with_less_at_once_and_the_record_says_so(given: Given, room: Callable[..., None]):
    """A real allocation fails in a real process; the batch stays the recipe's."""
    room(all=8 << 20, part=None)
    work = given.work("halved")

    models.fit(given.job(batch_size=32, epochs=2), work, lambda _: None)

    record = json.loads((work / "record.json").read_text())
    kept = {"checkpoint_activations": False}
    assert record["attempts"] == [
        {"micro_batch": None, **kept, "outcome": "out of memory"},
        {"micro_batch": 16, **kept, "outcome": "trained"},
    ]
    assert record["steps"] == 2


def test_when_nothing_fits_the_error_says_what_was_tried_and_what_to_do(given: Given, room: Callable[..., None]):
    """And is none that is tried again."""
    room(all=1 << 20, part=1 << 20)

    with pytest.raises(OutOfMemoryError, match=r"in 3 attempts, the last with 1 example .* Lower training.max_length"):
        models.fit(given.job(batch_size=2), given.work("hopeless"), lambda _: None)


def test_less_at_once_always_divides_the_share():
    """By halves where that goes, else by the next smaller divisor; last, activations are not kept."""
    micro = [[way["micro_batch"] for way in models.ways_to_fit(share)] for share in (1, 8, 12, 7)]

    assert micro == [[None, 1], [None, 4, 2, 1, 1], [None, 6, 3, 1, 1], [None, 1, 1]]
    assert [way["checkpoint_activations"] for way in models.ways_to_fit(8)] == [False, False, False, False, True]


def test_every_way_to_be_short_of_memory_is_told_from_other_faults():
    """Python's, the kernel's, torch's on either device, and one that a library wrapped."""
    import torch

    with pytest.raises(RuntimeError) as cpu:
        torch.empty(1 << 60)
    wrapped = ValueError("a worker failed")
    wrapped.__cause__ = cpu.value

    short = [MemoryError(), OSError(12, "Cannot allocate memory"), torch.OutOfMemoryError("x"), cpu.value, wrapped]
    assert all(map(faults.lacked_memory, short))
    assert not any(map(faults.lacked_memory, [ValueError("x"), RuntimeError("shapes"), OSError(28, "No space")]))
    assert faults.killed_for_memory() >= 0


def test_a_killed_process_is_one_that_may_succeed_the_next_time(given: Given):
    """Its error says where to look, and that the same command goes on."""
    work = given.work("killed")

    def kill(event: dict[str, Any]) -> None:
        if event["event"] == "checkpoint":
            [child] = processes(work)
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


def test_who_waits_for_a_device_hears_that_the_run_is_over(given: Given, monkeypatch: pytest.MonkeyPatch):
    """Another run may hold it for hours."""
    stopped = threading.Event()
    monkeypatch.setattr(launch, "_stopped", stopped)
    threading.Timer(0.5, stopped.set).start()

    with launch._device(), pytest.raises(TrainingError, match="the run was stopped"), launch._device():
        pass


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
