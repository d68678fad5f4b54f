"""Each pod of a run that several share does its part, whichever comes first, goes or comes again."""

import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deployments" / "nodes.py"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder with an ``assay`` that says what was asked of it, and the ``python`` of this test."""
    begin = f"echo $* > {tmp_path}/said; trap 'kill $!; exit 1' TERM; echo > {tmp_path}/ready"
    program = f"{begin}; sleep $WAIT & wait; exit $STATUS"
    (tmp_path / "assay").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "assay").chmod(0o755)
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def pod(path: Path, node: int, **told: str) -> "subprocess.Popen[bytes]":
    """What a pod of two starts."""
    environment = {
        "PATH": f"{path}:/usr/bin:/bin",
        "PYTHONPATH": str(SCRIPT.parents[1]),
        "ASSAY_HOME": str(path / "home"),
        "ASSAY_NODES": "2",
        "ASSAY_NODE": str(node),
        "ASSAY_RECIPE": "a recipe",
    }
    return subprocess.Popen(["sh", "-c", runpy.run_path(str(SCRIPT))["ENTRY"]], env=environment | told)


@pytest.mark.parametrize("status", [0, 3])
def test_the_first_pod_runs_the_recipe_and_the_others_end_with_it(path: Path, status: int):
    """With its exit status; theirs is that nothing went wrong."""
    with pod(path, 1) as other, pod(path, 0, STATUS=str(status), WAIT="1") as first:
        assert first.wait(60) == status
        assert other.wait(60) == 0

    assert (path / "said").read_text() == "run a recipe\n"


def test_an_evicted_pod_passes_the_word_on_and_the_others_wait_for_the_next(path: Path):
    """A crash is no end: the pod that comes in its place goes on, and they with it."""
    with pod(path, 1) as other:
        with pod(path, 0, STATUS="0", WAIT="60") as first:
            while not (path / "ready").exists():
                time.sleep(0.05)
            first.send_signal(signal.SIGTERM)
            assert first.wait(30) == 1
        time.sleep(1.5)
        assert other.poll() is None
        with pod(path, 0, STATUS="0", WAIT="0") as second:
            assert second.wait(60) == 0
        assert other.wait(60) == 0


def end_before(path: Path) -> None:
    """What an earlier run of the same name left."""
    (path / "home" / "nodes").mkdir(parents=True)
    (path / "home" / "nodes" / "default.json").write_text('{"over": 1}')


def test_the_end_of_an_earlier_run_ends_nobody(path: Path):
    """The first pod may come later, and says anew when all is over."""
    end_before(path)
    with pod(path, 1) as other:
        time.sleep(2.5)
        assert other.poll() is None
        with pod(path, 0, STATUS="0", WAIT="0") as first:
            assert first.wait(60) == 0
        assert other.wait(60) == 0


def test_a_pod_that_comes_when_all_is_over_ends_in_time(path: Path):
    """The first one found everything in the cache, and is gone: nobody will call."""
    end_before(path)
    program = "from tasks import nodes; nodes.PATIENCE = 1.0; raise SystemExit(nodes.follow())"
    environment = {"ASSAY_HOME": str(path / "home"), "PYTHONPATH": str(SCRIPT.parents[1])}

    assert subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=False).returncode == 0
