"""What was masked is nowhere: canaries go through real runs, finished and failed, and everything persisted is searched.

Whatever a run leaves behind is searched by the command that users have; and that it would have found something is
shown by planting some of it where leaks have been seen: in a page, a database, a packed table, a log.
"""

import base64
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from prefect.settings import get_current_settings

from assay.data import splitting
from assay.errors import AssayError
from cli.main import main
from tasks import persisted, runs
from tasks.places import folder
from tests.flows import small

CANARIES = {
    "PERSON": "Żaneta Kwiatkowiak-Øster",
    "EMAIL": "zaneta.kwiatkowiak.7731@example.org",
    "PHONE": "+48 601 772 931",
    "ACCOUNT_ID": "ACC-88310277",
    "ORDER_ID": "QX-904417",
    "CREDIT_CARD": "4539 1488 0343 6467",
    "IBAN": "GB82 WEST 1234 5698 7654 32",
    "SSN": "536-90-4399",
    "IP_ADDRESS": "203.0.113.77",
    "SECRET": "sk-proj-9fK2mQ7xV4tB8nL1pR6wZ3yC",
}
"""Made up; nobody has them. The card and the bank account have the right check digits, or no rule would see them."""

AGENT = "Theodora Brandvoll-Haas"
"""Somebody whom no column of known values names; she stands in one attribute alone, and in a sentence of another."""

SPELT = (
    "I am {PERSON}, mail {EMAIL}, phone {PHONE}, account {ACCOUNT_ID}, where is order {ORDER_ID}",
    "i paid with card {CREDIT_CARD}, iban {IBAN}, and my ssn is {SSN}",
    "my api key is {SECRET} and i came from ip address {IP_ADDRESS}",
)
ANSWER = json.dumps({"intent": "delivery", "order_id": CANARIES["ORDER_ID"]})


def chats() -> list[dict[str, object]]:
    """Conversations with canaries in system text, messages, answers, attributes and known columns."""
    texts = [text.format(**CANARIES) for text in SPELT]
    upper = f"THIS IS {CANARIES['PERSON'].upper()} AGAIN, WRITE TO {CANARIES['EMAIL'].upper()}"
    spaced = f"{CANARIES['PERSON'].replace(' ', chr(10))} here, where is order {CANARIES['ORDER_ID']}"
    made: list[dict[str, object]] = []
    for number, text in enumerate([*texts, upper, spaced]):
        system = f"The customer is {CANARIES['PERSON']}, reachable at {CANARIES['EMAIL']}."
        made.append(
            {
                "chat": f"chat-{number}",
                "who": CANARIES["ACCOUNT_ID"],
                "name": CANARIES["PERSON"],
                "mail": CANARIES["EMAIL"],
                "phone": CANARIES["PHONE"],
                "agent": AGENT,
                "note": f"Escalated to {AGENT}, who rang back about the parcel",
                "turns": [
                    {"role": "system", "content": system},
                    {"role": "user", "content": f"{text}, please look"},
                    {
                        "role": "assistant",
                        "content": ANSWER if "order" in text else ANSWER.replace("delivery", "account"),
                    },
                ],
            }
        )
    return made


def planted(folder: Path) -> Path:
    """The small recipe with a source of canaries beside its own."""
    path = small.recipe(folder)
    (folder / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chats()), encoding="utf-8")
    tree = yaml.safe_load(path.read_text())
    known = {"PERSON": "name", "EMAIL": "mail", "PHONE": "phone", "ACCOUNT_ID": "who"}
    columns = {
        "id": "chat",
        "messages": "turns",
        "subject": "who",
        "attributes": ["agent", "note"],
        "known_values": known,
    }
    tree["sources"].append(tree["sources"][0] | {"name": "chats", "uri": "chats.jsonl", "columns": columns})
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


@pytest.fixture(autouse=True, scope="module")
def _environment() -> Iterator[None]:
    """What the command sets for libraries is taken back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def canary_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The canaries, as a person would hand them over: outside everything that is searched."""
    path = tmp_path_factory.mktemp("canaries") / "canaries.jsonl"
    values = [*CANARIES.values(), *CANARIES["PERSON"].split(), AGENT, *AGENT.split()]
    path.write_text("".join(json.dumps({"value": value}) + "\n" for value in values))
    return path


@pytest.fixture(scope="module")
def recipe(path_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe with canaries, run to its verdict."""
    path = planted(tmp_path_factory.mktemp("recipe"))
    small.run(path)
    return path


def search(capsys: pytest.CaptureFixture[str], run: str, canaries: Path) -> tuple[int, dict]:
    """The command's exit status, and what it says."""
    capsys.readouterr()
    status = main(["verify", "leaks", run, "--canaries", str(canaries), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_nothing_that_a_finished_run_leaves_behind_holds_a_canary(recipe, canary_file, capsys):
    """Store, results, pages, registry, both databases: only raw shards hold what was masked, and there it is seen."""
    status, found = search(capsys, "latest", canary_file)

    assert status == 0, found["leaks"]
    assert found["leaks"] == []
    assert found["sought"]["CANARY"] >= len(CANARIES)
    assert found["sought"]["PERSON"] > 100
    assert found["unseen"] == {}
    assert found["raw"]
    assert not any(value in json.dumps(found, ensure_ascii=False) for value in [*CANARIES.values(), AGENT])


def test_nothing_that_failed_runs_leave_behind_holds_a_canary(recipe, canary_file, capsys, monkeypatch, tmp_path):
    """One was stopped by a suite; in the other a library quoted a record in its error, which Prefect would log."""
    stopped = shutil.copytree(recipe.parent, tmp_path / "stopped") / recipe.name
    suite = stopped.parent / "redacted.yml"
    asked = "  - id: redacted-9\n    expect: column_values_to_be_in_set\n    column: source\n"
    asked += "    parameters: {value_set: [nowhere]}\n    why: Nothing is.\n    on_fail: stop\n"
    suite.write_text(suite.read_text() + asked)
    with pytest.raises(AssayError, match="redacted-9"):
        small.run(stopped)

    pytest.importorskip("tblib.pickling_support").install()  # As Dask does: errors are pickled with those behind them.

    def quoting(shard: list, spec: object) -> None:
        raise ValueError(f"cannot split {chats()} of {shard}")

    monkeypatch.setattr(splitting, "split", quoting)
    with pytest.raises(AssayError, match="withheld"):
        small.run(recipe, **{"split.train": 0.7, "split.validation": 0.3})

    status, found = search(capsys, "latest", canary_file)

    assert found["leaks"] == []
    assert status == 0
    assert found["unseen"] == {}


@pytest.fixture
def leaking(recipe: Path) -> Iterator[list[Path]]:
    """Canaries where leaks have been seen, each spelt as it would be there; taken out again afterwards."""
    table = io.BytesIO()
    rows = [{"text": f"call {CANARIES['PHONE'].replace(' ', '-')} today"}] * 50
    pq.write_table(pa.Table.from_pylist(rows), table, compression="zstd")
    hidden = base64.b64encode(f"x{CANARIES['EMAIL']}".encode())
    left = {
        folder("reports") / "left.html": f"<p>{CANARIES['PERSON'].replace(' ', '&nbsp;')}</p>".encode(),
        folder("store") / "left.parquet": table.getvalue(),
        folder("work") / "left.log": b'{"payload": "' + hidden + b'"}',
    }
    for path, data in left.items():
        path.write_bytes(data)
    databases = [folder("mlflow") / "mlflow.db", prefect_database()]
    for database in databases:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("CREATE TABLE left_over (number INTEGER, text TEXT, after TEXT)")
            connection.execute("INSERT INTO left_over VALUES (7, ?, 'more')", (json.dumps(CANARIES["PERSON"]),))
    yield [*left, *databases]
    for database in databases:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("DROP TABLE left_over")
    for path in left:
        path.unlink()


def prefect_database() -> Path:
    """Where the server of these tests keeps everything."""
    url = get_current_settings().server.database.connection_url
    return Path(str(url.get_secret_value() if url else "").partition(":///")[2])


def test_it_finds_what_is_planted_and_names_the_files_and_never_the_value(leaking, path_home, canary_file, capsys):
    """HTML, JSON in SQLite, regrouped digits in packed Parquet, base64 in a log."""
    capsys.readouterr()
    status = main(["verify", "leaks", "latest", "--canaries", str(canary_file)])
    said = capsys.readouterr().out

    assert status == 3
    assert "FOUND" in said
    for path in leaking:
        assert (path.relative_to(path_home).as_posix() if path.is_relative_to(path_home) else str(path)) in said
    assert not any(value in said for value in CANARIES.values())


def test_what_a_server_gives_of_a_run_is_searched_too(recipe, monkeypatch):
    """Where a deployment has a Prefect server of its own, there is no database of it to search."""
    monkeypatch.setenv("PREFECT_API_URL", "http://the.one.of.these.tests/api")

    (place,) = persisted.served(runs.find("latest"))
    told = place.open().read()

    for part in (b'"parameters"', b'"ingest"', b'"metadata_"'):
        assert part in told


def test_a_run_that_is_not_there_is_bad_input(recipe, capsys):
    """One line, and an exit status of its own."""
    assert main(["verify", "leaks", "nosuchrun"]) == 2
    assert "nosuchrun" in capsys.readouterr().err
