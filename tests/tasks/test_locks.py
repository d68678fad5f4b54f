"""What one holds at a time, and who waits for it."""

import threading

import pytest

from assay.errors import TrainingError
from tasks import locks, unwanted
from tasks.places import folder

pytestmark = pytest.mark.usefixtures("home")


def test_who_waits_for_a_device_hears_that_the_run_is_over(monkeypatch: pytest.MonkeyPatch):
    """Another run may hold it for hours."""
    stopped = threading.Event()
    monkeypatch.setattr(unwanted, "stopped", stopped)
    threading.Timer(0.5, stopped.set).start()

    with locks.device(), pytest.raises(TrainingError, match="the run was stopped"), locks.device():
        pass


def test_machines_that_share_a_home_hold_a_device_each(monkeypatch: pytest.MonkeyPatch):
    """Two hosts do not wait for one another; workers that name one device do."""
    for host, name in (("one", None), ("two", None), ("two", "cuda:0")):
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        if name:
            monkeypatch.setenv("ASSAY_DEVICE", name)
        with locks.device():
            pass

    assert {path.name for path in folder("locks").iterdir()} == {"device-one", "device-two", "device-cuda-0"}


def test_a_lock_that_another_holds_is_told_and_not_waited_for():
    """As removing what it guards must know."""
    with locks.held("something"), locks.held_if_free("something") as is_ours, locks.held_if_free("other") as is_free:
        assert (is_ours, is_free) == (False, True)
