"""Persisted: everything that this deployment has left behind, one place after another.

Every file under ``ASSAY_HOME``; the store and Prefect's database where they lie elsewhere; and what the API of a
Prefect or MLflow server gives for one run.
"""

import functools
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID

import fsspec

from assay.errors import StoreError
from tasks.places import home, store, tracking_uri

PAGE = 200
"""What a Prefect server gives at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or something that a server gives."""

    name: str
    open: Callable[[], BinaryIO]
    log: Callable[[], bytes] = bytes
    """Reads the write-ahead log beside a database."""


def files() -> list[Place]:
    """Every file of this deployment, by name; links are not followed."""
    found = {path for path in home().rglob("*") if path.is_file() and not path.is_symlink()}
    local = [_local(path) for path in sorted(found | set(_prefect_database()))]
    held = store()
    inside = held.is_local and Path(held.root).resolve().is_relative_to(home().resolve())
    return local if inside else [*local, *_elsewhere(held.url)]


def _local(path: Path) -> Place:
    name = path.relative_to(home()).as_posix() if path.is_relative_to(home()) else str(path)
    log = path.with_name(f"{path.name}-wal")
    return Place(name, lambda: path.open("rb"), lambda: log.read_bytes() if log.is_file() else b"")


def _prefect_database() -> Iterator[Path]:
    """The files of Prefect's own database, if it is one of this machine."""
    from prefect.settings import get_current_settings

    url = get_current_settings().server.database.connection_url
    told = url.get_secret_value() if url else ""
    path = Path(told.partition(":///")[2].partition("?")[0])
    if told.startswith("sqlite") and path.is_file():
        yield from (path, *path.parent.glob(f"{path.name}-*"))


def _elsewhere(url: str) -> list[Place]:
    """Every file below a URL."""
    fs, root = fsspec.core.url_to_fs(url)
    try:
        paths = sorted(fs.find(root))
    except OSError as error:
        raise StoreError(
            f"cannot list {url}: found {type(error).__name__}; expected a store. Check ASSAY_STORE."
        ) from None
    base = url.rstrip("/")
    return [Place(f"{base}/{path.removeprefix(root).lstrip('/')}", _opener(fs, path)) for path in paths]


def _opener(fs: Any, path: str) -> Callable[[], BinaryIO]:  # noqa: ANN401  # fsspec is untyped
    return lambda: cast("BinaryIO", fs.open(path, "rb"))


def served(record: Mapping[str, Any]) -> list[Place]:
    """What servers give for a run, where the deployment uses any."""
    given: list[Place] = []
    if os.environ.get("PREFECT_API_URL"):
        given.append(_answer("Prefect server: run, tasks, logs, artifacts", lambda: _of_prefect(UUID(record["run"]))))
    if tracking_uri().startswith("http") and record.get("version"):
        given.append(_answer("MLflow server: version, run, files", lambda: _of_mlflow(record)))
    return given


def _answer(name: str, ask: Callable[[], bytes]) -> Place:
    """What a server says, asked once; if it does not, that is told like a file that cannot be read."""

    @functools.cache
    def answer() -> bytes:
        try:
            return ask()
        except Exception as error:  # noqa: BLE001  # whatever its client raises
            raise ConnectionError(type(error).__name__) from None

    return Place(name, lambda: io.BytesIO(answer()))


def _of_prefect(run: UUID) -> bytes:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas import filters

    which = filters.FlowRunFilter(id=filters.FlowRunFilterId(any_=[run]))
    logged = filters.LogFilter(flow_run_id=filters.LogFilterFlowRunId(any_=[run]))
    with get_client(sync_client=True) as client:
        found: list[Any] = [client.read_flow_run(run)]
        found += _paged(lambda start: client.read_task_runs(flow_run_filter=which, limit=PAGE, offset=start))
        found += _paged(lambda start: client.read_logs(log_filter=logged, limit=PAGE, offset=start))
        found += _paged(lambda start: client.read_artifacts(flow_run_filter=which, limit=PAGE, offset=start))
    return json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False).encode()


def _paged(read: Callable[[int], list[Any]]) -> Iterator[Any]:
    start = 0
    while page := read(start):
        yield from page
        start += len(page)


def _of_mlflow(record: Mapping[str, Any]) -> bytes:
    """A version, the run behind it, and the bytes of that run's files."""
    import mlflow

    client = mlflow.MlflowClient(tracking_uri())
    version = client.get_model_version(record["model"], str(record["version"]))
    parts = [json.dumps(dict(version), default=str, ensure_ascii=False).encode()]
    if version.run_id:
        run = client.get_run(version.run_id)
        parts.append(json.dumps(run.to_dictionary(), default=str, ensure_ascii=False).encode())
        with tempfile.TemporaryDirectory() as folder:
            client.download_artifacts(version.run_id, "", folder)
            parts += [path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()]
    return b"\n".join(parts)
