"""A real Prefect server of our own with the deployments of this repository, for tests and measurements."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))


@dataclass(frozen=True)
class Server:
    """A running server, and the environment in which it is the one that is spoken to."""

    environment: dict[str, str]
    home: Path

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Call the server's API."""
        url = f"{self.environment['PREFECT_API_URL']}/{path}"
        answer = httpx.request(method, url, json=body or None, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def prefect(self, *arguments: str) -> str:
        """Run Prefect's command line from the repository's root."""
        command = [PREFECT, "--no-prompt", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server on a free port, with its database in ``home``; what it says is in ``server.log`` there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "assay" / "results"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "ASSAY_HOME": str(home / "assay"),
        "ASSAY_ROOT": str(ROOT),
        "ASSAY_POOL": "assay",
        "ASSAY_WORKERS": "1",
    }
    (home / "prefect").mkdir()
    server = Server(environment, home)
    command = [PREFECT, "server", "start", "--port", str(port), "--no-ui"]
    with started(command, server, home / "server.log"):
        eventually(lambda: server.api("GET", "health"), 90)
        server.prefect("work-pool", "create", "assay", "--type", "process")
        server.prefect("deploy", "--prefect-file", "deployments/prefect.yaml", "--all")
        yield server


@contextmanager
def started(command: list[str], server: Server, log: Path) -> Iterator[None]:
    """A process that is ended when this is left."""
    with log.open("w") as out:
        running = subprocess.Popen(command, env=server.environment, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()


def eventually(found: Callable[[], Any], seconds: float) -> Any:
    """What ``found`` gives once it gives something.

    Raises:
        TimeoutError: nothing came.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if given := found():
                return given
        except (OSError, httpx.HTTPError):
            pass
        time.sleep(0.5)
    raise TimeoutError(f"nothing came within {seconds:g} seconds")
