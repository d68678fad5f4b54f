"""The server gives out pages of one folder, to this machine, and nothing else."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assay.errors import AssayError
from cli.serving import HEADERS, serve, server

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder of pages beside a secret, with links that lead in and out."""
    folder = tmp_path / "reports"
    (folder / "runs").mkdir(parents=True)
    (tmp_path / "reports-too").mkdir()
    (tmp_path / "reports-too" / "secret.html").write_text("secret")
    (tmp_path / "secret.html").write_text("secret")
    for name in ("index.html", "runs/raw.html", "croissant.json", "a b.html", "notes.txt", ".hidden.html", "index.htm"):
        (folder / name).write_text(name)
    (folder / "out.html").symlink_to(tmp_path / "secret.html")
    (folder / "in.html").symlink_to(folder / "index.html")
    (folder / "away").symlink_to(tmp_path)
    (folder / "round.html").symlink_to(folder / "round.html")
    return folder


@pytest.fixture
def ask(reports: Path) -> Iterator[Ask]:
    """Asks a real server."""
    with server(0, reports) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def asked(path: str, method: str = "GET", host: str | None = "localhost") -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", listening.server_port, timeout=5)
            connection.putrequest(method, path, skip_host=True)
            if host is not None:
                connection.putheader("Host", host)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, dict(answer.getheaders()), body

        yield asked
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/", b"index.html", "text/html; charset=utf-8"),
        ("/index.html?x=1", b"index.html", "text/html; charset=utf-8"),
        ("/runs/raw.html", b"runs/raw.html", "text/html; charset=utf-8"),
        ("/a%20b.html", b"a b.html", "text/html; charset=utf-8"),
        ("/in.html", b"index.html", "text/html; charset=utf-8"),
        ("/croissant.json", b"croissant.json", "application/json"),
    ],
)
def test_a_page_is_given_out_with_its_type(ask: Ask, path: str, body: bytes, kind: str):
    """Links within the folder are followed."""
    status, headers, given = ask(path)

    assert (status, given, headers["Content-Type"]) == (200, body, kind)
    assert headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.html", "/%2e%2e/secret.html", "/runs/../../secret.html", "/runs/%2e%2e%2f%2e%2e%2fsecret.html",
        "/..%5csecret.html", "//etc/passwd", "/%2fetc/passwd", "/out.html", "/away/secret.html", "/round.html",
        "/../reports-too/secret.html", "/runs", "/runs/", "/notes.txt", "/index.htm", "/.hidden.html", "/none.html",
        "/index.html%00.png", "/index.html/", "/%ff.html", "/" + "a" * 5000 + ".html", "http://localhost/index.html",
    ],
)  # fmt: skip
def test_nothing_else_is_there(ask: Ask, path: str):
    """Not what lies outside, whatever dots and links lead there; no folder is listed; no file of another kind."""
    status, headers, body = ask(path)

    assert status == 404
    assert body == b"404 Not Found\n"
    assert HEADERS.items() <= headers.items()


def test_an_absolute_path_to_a_page_outside_is_not_there(ask: Ask, tmp_path: Path):
    """A second slash does not begin at the root."""
    for path in (f"/{tmp_path}/secret.html", f"/%2f{str(tmp_path)[1:]}/secret.html", f"{tmp_path}/secret.html"):
        assert ask(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_it_only_reads(ask: Ask, method: str, reports: Path):
    """Whatever else is asked for is not allowed."""
    status, headers, _ = ask("/index.html", method)

    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert HEADERS.items() <= headers.items()
    assert (reports / "index.html").read_text() == "index.html"


def test_head_gives_the_headers_alone(ask: Ask):
    """Of a page and of what is not there."""
    status, headers, body = ask("/index.html", "HEAD")

    assert (status, headers["Content-Length"], body) == (200, "10", b"")
    assert ask("/none.html", "HEAD")[::2] == (404, b"")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1", "127.0.0.1:1"])
def test_this_machine_is_answered_by_any_of_its_names(ask: Ask, host: str):
    """With whatever port a tunnel has."""
    assert ask("/", host=host)[0] == 200


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:x", "0.0.0.0"]
)
def test_another_name_is_refused(ask: Ask, host: str | None):
    """A site that points its name at this machine learns nothing (DNS rebinding)."""
    status, headers, body = ask("/", host=host)

    assert (status, body) == (403, b"403 Forbidden\n")
    assert HEADERS.items() <= headers.items()


def test_every_answer_forbids_scripts_frames_and_guesses(ask: Ask):
    """A second lock, should a page ever hold what it must not."""
    headers = ask("/")[1]

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Python" not in headers["Server"]


def test_before_anything_was_built_it_says_how(tmp_path: Path, ask: Ask, reports: Path):
    """An empty folder is no riddle."""
    (reports / "index.html").unlink()

    assert b"assay reports build" in ask("/")[2]


def test_nonsense_is_refused_and_the_next_is_answered(ask: Ask, reports: Path):
    """A broken request breaks nothing."""
    with server(0, reports) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with socket.create_connection(("127.0.0.1", listening.server_port), timeout=5) as line:
            line.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert b"400" in line.recv(4096)
        listening.shutdown()
        thread.join()
    assert ask("/")[0] == 200


def test_it_listens_to_this_machine_alone(reports: Path):
    """Nobody else on the network is answered."""
    with server(0, reports) as listening:
        assert listening.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_told_with_what_to_do(reports: Path):
    """So is one that does not exist."""
    with server(0, reports) as listening, pytest.raises(AssayError, match=r"in use; .* Choose one with --port"):
        serve(listening.server_port, reports)
    with pytest.raises(AssayError, match="out of range"):
        serve(70000, reports)


def test_it_prints_its_address_and_ends_cleanly_when_interrupted(
    reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The socket is free again."""
    from http.server import ThreadingHTTPServer

    def interrupted(listening: ThreadingHTTPServer) -> None:
        ports.append(listening.server_port)
        raise KeyboardInterrupt

    ports: list[int] = []
    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    serve(0, reports)

    assert f"http://127.0.0.1:{ports[0]}/" in capsys.readouterr().out
    with server(ports[0], reports):
        pass
