"""Everything that is left behind is listed, wherever it lies."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from assay.store import ArtifactStore
from tasks import persisted
from tasks.places import folder


def names(home: Path) -> set[str]:
    """What is listed."""
    return {place.name for place in persisted.files()}


def test_every_file_of_the_home_is_listed_with_its_log_and_links_are_not_followed(home):
    """Hidden ones too: drafts and caches are persisted."""
    (folder("work") / ".draft-1").write_text("draft")
    (folder("work") / "link").symlink_to("/etc/hostname")
    with closing(sqlite3.connect(folder("mlflow") / "mlflow.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE some (text TEXT)")
        connection.commit()

        (database,) = (place for place in persisted.files() if place.name == "mlflow/mlflow.db")
        assert database.log()

        assert {"work/.draft-1", "mlflow/mlflow.db", "mlflow/mlflow.db-wal"} <= names(home)
    assert "work/link" not in names(home)


def test_a_store_elsewhere_is_listed_by_its_url_and_can_be_read(home, monkeypatch):
    """Whatever fsspec opens, logs of stages included."""
    monkeypatch.setenv("ASSAY_STORE", "memory://left/behind")
    held = ArtifactStore("memory://left/behind")
    filed = held.put("report", b"a page")
    held.append("stages/small", 1, b"{}")

    places = {place.name: place for place in persisted.files()}

    assert places[f"memory://left/behind/{filed.digest[:2]}/{filed.digest}"].open().read() == b"a page"
    assert "memory://left/behind/stages/small/00000001.json" in places


def test_a_server_that_does_not_answer_is_like_a_file_that_cannot_be_read():
    """It is told by the kind of the error, and nothing is called clean; what it answers is asked for once."""
    asked = []

    def silent() -> bytes:
        raise ValueError("nobody at http://secret:token@there")

    def answering() -> bytes:
        asked.append(1)
        return b"{}"

    with pytest.raises(OSError, match=r"^ValueError$"):
        persisted._answer("a server", silent).open()
    place = persisted._answer("a server", answering)
    assert (place.open().read(), place.open().read(), len(asked)) == (b"{}", b"{}", 1)
