"""Fixtures every test may use: a home that is thrown away, its store, and a Prefect that forgets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.records import Record, Turn
from assay.store import ArtifactStore


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the rooms of whole runs first, so that no worker is left alone with one at the end."""
    heavy = ("tests/flows", "tests/deployments", "tests/tasks")
    items.sort(key=lambda item: next((n for n, room in enumerate(heavy) if item.nodeid.startswith(room)), len(heavy)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``ASSAY_HOME``, and nothing else said about where things are."""
    for name in ("ASSAY_STORE", "ASSAY_SUBJECT_KEY", "ASSAY_VALUE_KEY", "ASSAY_DEVICE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> ArtifactStore:
    """An empty store, the one that tasks will find."""
    return ArtifactStore(str(home / "store"))


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """One throwaway Prefect server for the session; only tests of tasks and flows ask for it."""
    from prefect.settings import (
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_LEVEL,
        PREFECT_SERVER_ANALYTICS_ENABLED,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness

    # A heartbeat costs a second of waiting a flow, and proves nothing here.
    quiet = {
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_LOGGING_LEVEL: "CRITICAL",
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def prefect(prefect_server: None, home: Path) -> Iterator[None]:
    """Prefect with an empty cache, where a run of this home keeps it."""
    from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: home / "results"}):
        yield


@pytest.fixture
def record() -> Callable[..., Record]:
    """A record with only the fields a test cares about spelled out."""

    def made(prompt: str = "where is my parcel", completion: str = "{}", **fields: Any) -> Record:
        plain: dict[str, Any] = {"id": "r1", "subject": "s1", "bucket": 0, "source": "tickets"}
        return Record(**plain | fields, context=(Turn("user", prompt),), completion=completion)

    return made
