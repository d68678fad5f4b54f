"""Where this deployment keeps things: the only module that reads Assay's environment.

None of it may change a model, so none of it enters a key.

| variable | what | default |
|---|---|---|
| ``ASSAY_HOME`` | all state, checkpoints of unfinished trainings too | ``.assay`` in the working directory |
| ``ASSAY_STORE`` | artefacts: a folder or any fsspec URL | ``ASSAY_HOME/store`` |
| ``ASSAY_SUBJECT_KEY`` | secret that turns subjects into pseudonyms | made once in ``ASSAY_HOME/secrets`` |
| ``ASSAY_VALUE_KEY`` | secret behind the fingerprints of masked values | the same |
| ``ASSAY_THREADS`` | threads of a training or evaluation process | 2, or the machine's cores if fewer |
| ``ASSAY_WORKERS`` | shards that are redacted at once | the same |
| ``ASSAY_CLUSTER`` | who redacts them: ``processes``, ``dask://HOST:PORT`` or ``ray://HOST:PORT`` | ``processes`` |
| ``ASSAY_CHECKPOINT_STEPS`` | optimiser steps between two checkpoints | 10 |
| ``ASSAY_WORK_DAYS`` | days after which what failed or abandoned work has left is removed | 14 |
| ``ASSAY_DEVICE`` | names the device that a model step holds alone | the host's name |
| ``ASSAY_PROCESSES`` | processes of each node that share a training: one for each of its GPUs | 1 |
| ``ASSAY_NODES`` | machines that share a training; :mod:`tasks.nodes` says how | 1 |
| ``ASSAY_NODE`` | which of them this is; 0 runs the flow | 0 |
| ``ASSAY_RENDEZVOUS`` | ``HOST:PORT`` of node 0 where their processes meet; needed with several nodes | none |
| ``ASSAY_SHARED_RUN`` | tells nodes that share one run from those that share another | ``default`` |
| ``ASSAY_REPORTS_URL`` | where the reports folder is served, for links in Prefect | none: links to files |
| ``ASSAY_DEBUG`` | shows the traceback of an unforeseen error; it may quote a record | off |
| ``PREFECT_API_URL`` | a Prefect server; without it one lives inside the run | none |
| ``MLFLOW_TRACKING_URI`` | an MLflow server | ``ASSAY_HOME/mlflow/mlflow.db`` |

Workers that share the store and not ``ASSAY_HOME`` find one another's artefacts, and not what unfinished work has left:
a run that another worker takes over trains from its first step. With one ``ASSAY_HOME`` for all it goes on from the
last whole checkpoint, as on the same worker.
"""

import contextlib
import hashlib
import os
import re
import secrets
import socket
from pathlib import Path

from assay.artifacts import Artifact
from assay.errors import RecipeError, StoreError
from assay.privacy.replacement import fingerprints
from assay.store import ArtifactStore, write_atomically, write_once


def home() -> Path:
    """The folder that holds all state of this deployment."""
    return Path(os.environ.get("ASSAY_HOME") or ".assay").absolute()


def store() -> ArtifactStore:
    """The artefact store this deployment was given."""
    return ArtifactStore(os.environ.get("ASSAY_STORE") or str(home() / "store"))


def folder(name: str) -> Path:
    """A folder of ``ASSAY_HOME``, made if need be.

    Raises:
        StoreError: it cannot be made.
    """
    path = home() / name
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make {path}: found {error.strerror or error}; expected a folder that can be written; "
            "set ASSAY_HOME to one."
        ) from None
    return path


def place_page(name: str, data: bytes) -> Path:
    """Lay a page out as a file that a browser opens; ``name`` is its path below the reports."""
    path = folder("reports") / name
    folder(str(path.parent.relative_to(home())))
    write_atomically(path, data)
    return path


def address(page: Path) -> str:
    """Where a browser finds a page: on this machine's disk, or below ``ASSAY_REPORTS_URL`` if pages are served."""
    if not (served := os.environ.get("ASSAY_REPORTS_URL")):
        return page.as_uri()
    return f"{served.rstrip('/')}/{page.relative_to(home() / 'reports').as_posix()}"


def checkout(artifact: Artifact) -> Path:
    """A tree of the store laid out as a local folder, checked and shared by all runs."""
    return store().checkout(artifact, folder("trees") / artifact.digest)


def threads() -> int:
    """Threads of a training or evaluation process."""
    return _count("ASSAY_THREADS", min(2, os.cpu_count() or 1))


def workers() -> int:
    """Shards that are worked on at once: processes of this machine, or places on a cluster."""
    return _count("ASSAY_WORKERS", min(2, os.cpu_count() or 1))


def cluster() -> str:
    """Who works on shards: ``processes``, ``dask://HOST:PORT`` or ``ray://HOST:PORT``."""
    return os.environ.get("ASSAY_CLUSTER") or "processes"


def checkpoint_steps() -> int:
    """Optimiser steps between two checkpoints."""
    return _count("ASSAY_CHECKPOINT_STEPS", 10)


def work_days() -> int:
    """Days after which what failed or abandoned work has left is removed."""
    return _count("ASSAY_WORK_DAYS", 14)


def device_name() -> str:
    """Names the device that a model step holds alone; the host's name, since another machine has a device of its own.

    Containers of one machine that share a device must be given one name for it.
    """
    return re.sub(r"[^\w.-]", "-", os.environ.get("ASSAY_DEVICE") or socket.gethostname())


def processes() -> int:
    """Processes of each node that share a training.

    One unless the deployment says more: to count a machine's GPUs is to import torch, and which of them are free only
    the deployment knows.
    """
    return _count("ASSAY_PROCESSES", 1)


def nodes() -> int:
    """Machines that share a training."""
    return _count("ASSAY_NODES", 1)


def node() -> int:
    """Which of them this is, from 0."""
    given = os.environ.get("ASSAY_NODE") or "0"
    if not given.isdecimal() or int(given) >= nodes():
        raise RecipeError(f"ASSAY_NODE: found {given!r}; expected 0 to {nodes() - 1}. Mend the environment.")
    return int(given)


def rendezvous() -> str:
    """Where the processes of several nodes meet: host and port of node 0."""
    given = os.environ.get("ASSAY_RENDEZVOUS") or ""
    host, _, port = given.rpartition(":")
    if not host or not port.isdecimal():
        raise RecipeError(
            f"ASSAY_RENDEZVOUS: found {given!r}; expected HOST:PORT of node 0, since ASSAY_NODES is {nodes()}. "
            "Mend the environment."
        )
    return given


def shared_run() -> str:
    """Tells those who share one run from those who share another; letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]", "-", os.environ.get("ASSAY_SHARED_RUN") or "default")


def _count(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isdecimal() or not int(given):
        raise RecipeError(f"{name}: found {given!r}; expected a whole number from 1. Mend the environment.")
    return int(given)


def tracking_uri() -> str:
    """Of the MLflow registry."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder('mlflow') / 'mlflow.db'}"


def subject_key() -> bytes:
    """The secret behind subjects' pseudonyms; made once if the deployment gives none."""
    return _secret("ASSAY_SUBJECT_KEY", "subject")


def subject_key_fingerprint() -> str:
    """Tells one subject key from another without giving either away."""
    return hashlib.sha256(b"assay subject key fingerprint:" + subject_key()).hexdigest()[:16]


def value_key() -> bytes:
    """The secret behind the fingerprints of masked values; made once if the deployment gives none."""
    return _secret("ASSAY_VALUE_KEY", "value")


def value_key_fingerprint() -> str:
    """Tells one value key from another without giving either away."""
    return fingerprints.of_key(value_key())


def _secret(variable: str, name: str) -> bytes:
    if given := os.environ.get(variable):
        return given.encode()
    path = folder("secrets") / f"{name}.key"
    path.parent.chmod(0o700)
    with contextlib.suppress(FileExistsError):  # Of two first runs at once, one makes it and both read it.
        write_once(path, secrets.token_hex(32).encode(), 0o600)
    return path.read_bytes()


def prepare_environment() -> None:
    """Set what libraries read from the environment, before any of them is imported.

    Without a Prefect server of the user's own, Prefect's state lives under ``ASSAY_HOME`` too. Nothing here
    talks to a telemetry host; hub access is decided per recipe by the tasks that need it.

    Raises:
        StoreError: ``ASSAY_HOME`` cannot be made.
    """
    root = home()
    quiet = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TQDM_DISABLE": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        # What a run says here are its steps; Prefect's own log goes to its server.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOCAL_STORAGE_PATH": str(root / "results"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    if not os.environ.get("PREFECT_API_URL"):
        # Made here: Prefect makes no parents, and says so on standard error.
        quiet |= {"PREFECT_HOME": str(folder("prefect"))}
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
