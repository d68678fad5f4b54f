"""Too little memory halves what passes at a time, and not what is learned."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import OutOfMemoryError
from assay.model import machine
from tasks import faults, models
from tests.tasks.small_training import ROOT, Given

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
    assert record["attempts"][0].pop("seconds") > 0
    assert record["attempts"] == [
        {"micro_batch": None, **kept, "outcome": "out of memory"},
        {"micro_batch": 16, **kept, "outcome": "trained"},
    ]
    assert record["steps"] == 2


@pytest.mark.slow
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
    assert all(map(machine.lacked_memory, short))
    assert not any(map(machine.lacked_memory, [ValueError("x"), RuntimeError("shapes"), OSError(28, "No space")]))
    assert faults.killed_for_memory() >= 0
