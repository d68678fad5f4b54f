"""Persisted: everything that this deployment has left behind, one place after another.

Every file under ``ASSAY_HOME``, behind links too; the store, Prefect's database and results, and MLflow's database and
artefacts where they lie elsewhere; and what the API of a Prefect or MLflow server gives for one run. A place that
cannot be searched from here is listed with the reason.
"""

import functools
import io
import json
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import UUID

import fsspec

from assay.errors import StoreError
from tasks.places import home, store, tracking_uri

PAGE = 200
"""What a Prefect server gives at once."""

KEPT = (("experiments", "artifact_location"), ("runs", "artifact_uri"), ("model_versions", "storage_location"))
"""Tables and columns of an MLflow database that say where artefacts are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or something that a server gives."""

    name: str
    open: Callable[[], BinaryIO]
    log: Callable[[], bytes] = bytes
    """Reads the write-ahead log beside a database."""

    reason: str = ""
    """Why it cannot be searched, if so."""


def files() -> list[Place]:
    """Every file of this deployment, by name, behind links too; what cannot be listed is a place with a reason."""
    known: set[tuple[int, int]] = set()
    held, kept = store(), _kept_by_registry()
    roots = [home(), *_of_prefect(), *_database(tracking_uri()), *filter(None, map(_path, kept.urls))]
    roots += [Path(held.root)] if held.is_local else []
    found = {place.name: place for root in roots for place in _below(root, known)}
    places = [*(found[name] for name in sorted(found)), *kept.unread, *_database_server()]
    places += [place for url in kept.urls if not _path(url) for place in _listed(url)]
    return places if held.is_local else [*places, *_elsewhere(held.url)]


def _below(root: Path, known: set[tuple[int, int]]) -> Iterator[Place]:
    """Files in a folder, or a file alone; folders behind links are entered, each once."""
    if os.path.isfile(root):  # noqa: PTH113  # pathlib's raises where one may not look; walking says that
        yield _local(root)
        return
    if not _is_new(root, known):
        return
    failed: list[OSError] = []
    for folder, inner, names in os.walk(root, onerror=failed.append, followlinks=True):
        inner[:] = sorted(name for name in inner if _is_new(Path(folder, name), known))
        yield from filter(None, (_at(Path(folder, name)) for name in names))
    for error in failed:
        if not isinstance(error, FileNotFoundError):
            yield Place(_name(Path(error.filename)), _none, reason=f"cannot be listed: {type(error).__name__}")


def _at(path: Path) -> Place | None:
    """What is at a path: a file or, behind a link, nothing; sockets and the like hold nothing."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Place(_name(path), _none, reason="a link to what is not there") if path.is_symlink() else None
    except OSError as error:
        return Place(_name(path), _none, reason=f"cannot be read: {type(error).__name__}")
    return _local(path) if stat.S_ISREG(mode) else None


def _is_new(folder: Path, known: set[tuple[int, int]]) -> bool:
    """Whether a folder was not walked through yet: links may lead in a circle."""
    try:
        found = folder.stat()
    except OSError:
        return True  # Walking into it says why.
    same = found.st_dev, found.st_ino
    return same not in known and not known.add(same)  # type: ignore[func-returns-value]


def _none() -> BinaryIO:
    return io.BytesIO()


def _name(path: Path) -> str:
    return path.relative_to(home()).as_posix() if path.is_relative_to(home()) else str(path)


def _local(path: Path) -> Place:
    log = path.with_name(f"{path.name}-wal")
    return Place(_name(path), lambda: path.open("rb"), lambda: log.read_bytes() if log.is_file() else b"")


def _database_url() -> str:
    from prefect.settings import get_current_settings

    url = get_current_settings().server.database.connection_url
    return url.get_secret_value() if url else ""


def _of_prefect() -> Iterator[Path]:
    """The files of Prefect's own database, if it is one of this machine, and the folder of its results."""
    from prefect.settings import get_current_settings

    yield from _database(_database_url())
    if results := get_current_settings().results.local_storage_path:
        yield Path(results).expanduser().absolute()


def _database_server() -> Iterator[Place]:
    """Prefect's database where it is a server's, and no Prefect server is there to be asked."""
    if (url := _database_url()) and not url.startswith("sqlite") and not os.environ.get("PREFECT_API_URL"):
        yield Place("Prefect's database", _none, reason="a database server, which is not searched from here")


def _database(url: str) -> Iterator[Path]:
    """The files of an SQLite database by its URL."""
    path = Path(url.partition(":///")[2].partition("?")[0]).absolute()
    if url.startswith("sqlite") and path.is_file():
        yield from (path, *path.parent.glob(f"{path.name}-*"))


class _Kept(NamedTuple):
    """Where an MLflow registry keeps things."""

    urls: tuple[str, ...]
    unread: tuple[Place, ...] = ()


def _kept_by_registry() -> _Kept:
    """Folders and URLs of an MLflow registry: its own, or those that its database says artefacts are in."""
    told = tracking_uri()
    if told.startswith("http"):
        return _Kept(())
    if not told.startswith("sqlite"):
        return _Kept((told,))
    database = next(_database(told), None)
    try:
        return _Kept(_locations(database) if database else ())
    except sqlite3.Error as error:
        reason = f"where it keeps artefacts cannot be read: {type(error).__name__}"
        return _Kept((), (Place("MLflow's database: folders that it names", _none, reason=reason),))


def _locations(database: Path) -> tuple[str, ...]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        asked = [
            f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608  # names of ours
            for table, column in KEPT
            if table in tables
        ]
        return tuple(sorted({str(row[0]) for query in asked for row in connection.execute(query)}))


def _path(url: str) -> Path | None:
    """The folder that a URL names on this machine, there or not."""
    parts = urlsplit(url)
    if parts.scheme not in {"", "file"}:
        return None
    return Path(url2pathname(parts.path) if parts.scheme else url).absolute()


def _listed(url: str) -> list[Place]:
    """Every file below a URL, or that it cannot be listed."""
    try:
        return _elsewhere(url)
    except Exception as error:  # noqa: BLE001  # whatever a file system raises, or that there is none for the scheme
        safe = urlsplit(url)._replace(netloc=urlsplit(url).hostname or "").geturl()  # A password may stand before it.
        return [Place(safe, _none, reason=f"cannot be listed from here: {type(error).__name__}")]


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
        given.append(
            _answer("Prefect server: run, tasks, logs, artifacts", lambda: _asked_of_prefect(UUID(record["run"])))
        )
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


def _asked_of_prefect(run: UUID) -> bytes:
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
