"""A question is worked on once, in a folder that is kept while it may be gone on from, and no longer."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from assay.artifacts import Artifact
from tasks import launch, workspaces
from tasks.locks import held
from tasks.places import folder, store
from tasks.steps import step
from tasks.workspaces import once, work_key
from tests.tasks.conftest import in_flow

pytestmark = pytest.mark.usefixtures("home")

KEY = "k" * 32


def made(calls: list[Path], seconds: float = 0.0) -> Callable[[Path], Artifact]:
    """Work that takes a while, and notes where it was done."""

    def make(work: Path) -> Artifact:
        calls.append(work)
        time.sleep(seconds)
        return Artifact(kind="text", digest=f"{len(calls)}" * 64)

    return make


def twice(asked: Callable[[], Any]) -> list[Any]:
    """The same command, twice at once."""
    with ThreadPoolExecutor(2) as pool:
        return [future.result() for future in [pool.submit(asked) for _ in range(2)]]


def test_who_waited_for_the_same_question_takes_its_answer():
    """Its folder is gone by then, and would have to be filled from the first step on."""
    calls: list[Path] = []

    first, second = twice(lambda: once(KEY, made(calls, 0.6)))

    assert len(calls) == 1
    assert first == second
    assert not calls[0].exists()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_step_that_two_runs_take_at_once_is_taken_once():
    """The second looked before the first had answered, so Prefect's cache could not tell it."""
    calls: list[Path] = []
    method = ModuleType("slow")
    method.VERSION = 1  # type: ignore[attr-defined]

    @step(method)
    def slow(text: str) -> Artifact:
        def make(work: Path) -> Artifact:
            calls.append(work)
            time.sleep(3)
            return store().put("text", text.encode())

        return once(work_key(), make)

    first, second = twice(lambda: in_flow(lambda: slow("a")))

    assert len(calls) == 1
    assert first == second


def test_an_answer_from_before_is_no_answer():
    """Whoever asks again wants it made again, or would have found it in the cache."""
    calls: list[Path] = []

    assert once(KEY, made(calls)) != once(KEY, made(calls))


def test_an_answer_that_was_torn_is_no_answer():
    """Its author was killed while it wrote."""
    with held(f"work-{KEY}") as lock:
        lock.write('{"when": 9e9, "ans')

    assert once(KEY, made([])).digest == "1" * 64


def fail(work: Path) -> Artifact:
    """Leave something behind."""
    (work / "checkpoint").write_text("states")
    raise ValueError


def test_a_folder_is_kept_if_the_same_command_goes_on_from_it():
    """One of a step outside of any run is found by nobody, and goes."""
    for key in (KEY, work_key()):
        with pytest.raises(ValueError):  # noqa: PT011  # its own
            once(key, fail)

    assert [path.name for path in folder("work").iterdir()] == [KEY]


def test_a_crash_promises_no_checkpoint_to_those_that_have_none():
    """Only a training goes on from where it was, and only within a run."""
    keyed, unkeyed = folder("work") / KEY, folder("work") / work_key()

    assert "goes on from its last checkpoint" in launch.remedy("train", keyed)
    assert str(keyed / "output.log") in launch.remedy("train", keyed)
    for kind in ("evaluate", "prepare", "replay"):
        assert "asks for it again, from its beginning" in launch.remedy(kind, keyed)
    assert "begins anew, and nothing of this is kept" in launch.remedy("train", unkeyed)


def aged(name: str, days: float) -> Path:
    """A folder of work that nobody has touched for so long."""
    work = folder("work") / name
    work.mkdir()
    (work / "checkpoint").write_text("states")
    for path in (work / "checkpoint", work):
        os.utime(path, (time.time() - days * workspaces.DAY,) * 2)
    return work


def test_work_that_was_abandoned_is_removed_when_other_work_begins(monkeypatch: pytest.MonkeyPatch):
    """Not what is recent, what somebody holds, what was written to within, or what is about to be gone on from."""
    old, recent, at_work, alone, written, link = (
        aged(name, days)
        for name, days in (
            ("old", 15), ("recent", 13), ("held", 15), ("orphaned", 15), ("written", 15), ("elsewhere", 15),
        )
    )  # fmt: skip
    (written / "progress.jsonl").write_text("{}")
    os.utime(written, (0, 0))
    (folder("work") / "link").symlink_to(link.rename(folder("moved") / "elsewhere"))
    current = aged(KEY, 15)

    with held("work-held"), held("child-orphaned"):
        once(KEY, made(seen := []))

    assert seen == [current]
    assert {path.name for path in folder("work").iterdir()} == {"recent", "held", "orphaned", "written", "link"}
    assert (folder("moved") / "elsewhere" / "checkpoint").exists()

    monkeypatch.setenv("ASSAY_WORK_DAYS", "1")
    once(KEY, made([]))

    assert not any(path.exists() for path in (old, recent, at_work, alone))
