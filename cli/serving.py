"""``assay reports build`` and ``assay reports serve``: the pages as files, and a look at them through a browser.

The server only reads, answers this machine alone, and gives out nothing but pages of the reports' folder. A request
that was lured here by another site's name (DNS rebinding) is refused by its ``Host``; the headers forbid scripts,
frames and guesses at types, should a page ever hold what it must not.
"""

import errno
import os
import re
import shutil
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from assay.errors import AssayError

ADDRESS = "127.0.0.1"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
"""Whatever ends otherwise is not given out."""

PATIENCE = 10
"""Seconds for a client to say what it wants."""

_HOST = re.compile(r"(localhost|127\.0\.0\.1)(:\d{1,5})?", re.IGNORECASE)
_PORTS = {
    errno.EADDRINUSE: "in use",
    errno.EACCES: "reserved for the system",
}


def build() -> None:
    """Write every page anew and print where they begin."""
    from tasks import comparing, deciding, pages, sweeping

    for filed in (sweeping, deciding, comparing):
        filed.build()
    print(pages.build())


def serve(port: int, folder: Path | None = None) -> None:
    """Serve the reports to a browser on this machine until interrupted.

    Args:
        port: 0 for any that is free.
        folder: Of the pages; this deployment's reports if not given.

    Raises:
        AssayError: the port cannot be had.
    """
    from tasks import places

    with server(port, folder or places.folder("reports")) as listening:
        print(f"reports at http://{ADDRESS}:{listening.server_port}/  (Ctrl-C ends this)", flush=True)
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            print()


def server(port: int, folder: Path) -> ThreadingHTTPServer:
    """A server of the pages in a folder, listening and not yet answering."""
    try:
        return ThreadingHTTPServer((ADDRESS, port), partial(_Reader, folder.resolve()))
    except OverflowError:
        why = "out of range"
    except OSError as error:
        why = _PORTS.get(error.errno or 0, error.strerror or "refused")
    raise AssayError(f"port {port}: found it {why}; expected a free one from 1024 to 65535. Choose one with --port.")


def find(folder: Path, path: str) -> Path | None:
    """The file that a request's path names, or None: only a page, only inside, whatever links and dots are in it.

    Args:
        folder: Resolved.
        path: As the browser sent it, without a query.
    """
    name = unquote(path, errors="replace").removeprefix("/") or "index.html"
    parts = name.split("/")
    if any(part.startswith(".") or not part or {"\\", "\0"} & set(part) for part in parts):
        return None
    try:
        found = folder.joinpath(*parts).resolve(strict=True)
    except (OSError, RuntimeError):  # absent, a loop of links, a name that is too long
        return None
    return found if found.is_relative_to(folder) and found.is_file() and found.suffix in TYPES else None


class _Reader(BaseHTTPRequestHandler):
    """Answers one request."""

    server_version, sys_version = "assay", ""
    timeout = PATIENCE

    def __init__(self, folder: Path, *rest: object) -> None:
        self._folder = folder
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:  # the name is http.server's
        """Give out a page."""
        self._answer()

    def do_HEAD(self) -> None:
        """Say what a GET would."""
        self._answer()

    def _answer(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        path, _, _ = self.path.partition("?")
        found = find(self._folder, path) if path.startswith("/") else None
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with found.open("rb") as page:
            self._begin(HTTPStatus.OK, TYPES[found.suffix], os.fstat(page.fileno()).st_size)
            if self.command == "GET":
                shutil.copyfileobj(page, self.wfile)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse without quoting what was asked; a method that is not there is one that is not allowed."""
        status = HTTPStatus(HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else code)
        body = f"{status.value} {status.phrase}\n".encode()
        if status == HTTPStatus.NOT_FOUND and self.path == "/":
            body = b"404 There is no index yet: `assay reports build` makes one.\n"
        self._begin(status, "text/plain; charset=utf-8", len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Connection", "close")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was looked at is the reader's business."""
