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


def test_every_file_of_the_home_is_listed_with_its_log(home):
    """Hidden ones too: drafts and caches are persisted."""
    (folder("work") / ".draft-1").write_text("draft")
    with closing(sqlite3.connect(folder("mlflow") / "mlflow.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE some (text TEXT)")
        connection.commit()

        (database,) = (place for place in persisted.files() if place.name == "mlflow/mlflow.db")
        assert database.log()

        assert {"work/.draft-1", "mlflow/mlflow.db", "mlflow/mlflow.db-wal"} <= names(home)


def test_links_are_followed_once_and_a_link_to_nothing_is_told(home, tmp_path):
    """A folder that was moved to a larger disk is persisted like any; a circle has an end."""
    moved = tmp_path / "moved"
    (moved / "inner").mkdir(parents=True)
    (moved / "inner" / "left.log").write_text("left")
    (moved / "alone.log").write_text("alone")
    (folder("work") / "there").symlink_to(moved)
    (folder("work") / "file").symlink_to(moved / "alone.log")
    (folder("work") / "gone").symlink_to(tmp_path / "nothing")
    (moved / "inner" / "circle").symlink_to(home)

    places = {place.name: place for place in persisted.files()}

    assert places["work/there/inner/left.log"].open().read() == b"left"
    assert places["work/file"].open().read() == b"alone"
    assert places["work/gone"].reason == "a link to what is not there"
    assert len([name for name in places if name.endswith("left.log")]) == 1


def test_the_registry_and_its_artefacts_are_listed_wherever_they_lie(home, tmp_path, monkeypatch):
    """A database beside the home, a folder that it names, and a bucket that cannot be listed from here."""
    database, kept = tmp_path / "registry" / "mlflow.db", tmp_path / "artefacts of mlflow"
    for path in (database.parent, kept / "1"):
        path.mkdir(parents=True)
    (kept / "1" / "page.html").write_text("page")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE experiments (artifact_location TEXT)")
        rows = [(kept.as_uri(),), ("nosuch://who:secret@bucket/path",), (None,)]
        connection.executemany("INSERT INTO experiments VALUES (?)", rows)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")

    places = {place.name: place for place in persisted.files()}

    assert str(database) in places
    assert places[str(kept / "1" / "page.html")].open().read() == b"page"
    assert "cannot be listed" in places["nosuch://bucket/path"].reason


def test_a_registry_in_a_folder_or_a_database_server_is_listed_or_told(home, tmp_path, monkeypatch):
    """A folder is walked through; a server's tables are not read from here."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "meta.yaml").write_text("name: small")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    assert str(tmp_path / "runs" / "meta.yaml") in names(home)

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://who:secret@there/mlflow")
    (place,) = (place for place in persisted.files() if place.reason)
    assert place.name == "postgresql://there/mlflow"


def test_a_registry_whose_database_is_none_is_told(home):
    """Which folders it names is not known, so that they cannot be called clean."""
    (folder("mlflow") / "mlflow.db").write_bytes(b"no database at all" * 99)

    assert [place.reason for place in persisted.files() if place.reason] == [
        "where it keeps artefacts cannot be read: DatabaseError"
    ]


def test_results_of_prefect_are_listed_wherever_they_lie(home, tmp_path):
    """Somebody may have told Prefect of another folder."""
    from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "answer").write_text("{}")
    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: tmp_path / "results"}):
        assert str(tmp_path / "results" / "answer") in names(home)


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
