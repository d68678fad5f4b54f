"""Retraining: whether training a run's candidate again, from what is on record, gives the same bytes.

The inputs are those of the question that the run's step ``train`` asked, which is filed under ``ASSAY_HOME/questions``:
references to the store and the recipe's part. No recipe is read again, since it may have changed. The step's own
function is called, outside of any run, so that it has no key: it takes nothing from the cache, resumes no checkpoint,
and its answer is no step's answer; if it fails, its folder goes too. What came of it is filed as
``ASSAY_HOME/retrainings/RUN/WHEN.json``.
"""

import datetime as dt
import inspect
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from assay.artifacts import Artifact, Trained
from assay.errors import DataError
from assay.model import differences
from assay.store import write_once
from tasks import runs
from tasks.caching import ByContent, answer_to
from tasks.models import train
from tasks.places import checkout, folder, store

MEASURED = frozenset({"device_peak_bytes", "peak_bytes", "seconds"})
"""What differs between any two runs, and moves no weight."""

OF_RECORD = ("devices", "processes", "micro_batch", "layout", "attempts")
"""What a record may say beside its environment that can move the last bits of a weight."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run's training was asked, and what it answered."""

    inputs: dict[str, Any]
    versions: dict[str, Any]
    answer: Trained


@dataclass(frozen=True, slots=True)
class Retrained:
    """What training again gave."""

    run: str
    adapter: str
    """Digest of what the run trained."""

    again: str
    """Digest of what was trained now."""

    seconds: float
    environment: dict[str, Any]
    """That it was trained in now."""

    changed: dict[str, tuple[Any, Any]]
    """Versions and facts of the environment that differ: then and now."""

    difference: differences.Difference | None
    """Of the weights, if the digests differ."""

    @property
    def is_equal(self) -> bool:
        """Whether every byte is the same."""
        return self.adapter == self.again


def retrain(run: str) -> Retrained:
    """Train a run's candidate again and compare it with the first.

    Args:
        run: the beginning of its id, or ``latest``.

    Raises:
        RegistryError: there is no such run.
        DataError: it trained no candidate, or what it was trained from is not on record or is gone.
    """
    record = runs.find(run)
    asked = find(record)
    started = time.monotonic()
    again = cast("Trained", train.fn(**arguments(asked.inputs)))
    then, now = (_environment(trained) for trained in (asked.answer, again))
    differ = again.adapter != asked.answer.adapter
    found = Retrained(
        run=record["run"],
        adapter=asked.answer.adapter.digest,
        again=again.adapter.digest,
        seconds=round(time.monotonic() - started, 1),
        environment=now,
        changed=_changed(asked.versions | then, versions() | now),
        difference=differences.between(checkout(asked.answer.adapter), checkout(again.adapter)) if differ else None,
    )
    file(found)
    return found


def find(record: Mapping[str, Any]) -> Asked:
    """What was asked when a run's candidate was trained, by the digest of its adapter; last asked first.

    Raises:
        DataError: the run has no candidate, or no question on file has that answer.
    """
    name, digest = record["run"][:8], record.get("adapter_digest")
    if digest is None:
        raise DataError(f"run {name}: found no candidate that it trained; expected one. Name a run with a verdict.")
    for path in _questions():
        answer = answer_to(path.stem)
        if isinstance(answer, Trained) and answer.adapter.digest == digest:
            asked = json.loads(path.read_text())
            return Asked(asked["inputs"], asked["versions"], answer)
    raise DataError(
        f"run {name}: found no training of adapter {digest[:12]} among the questions and answers on file; expected "
        "one. They are where the run was made, and go with its results: run the recipe again there and verify that."
    )


def _questions() -> list[Path]:
    found = (folder("questions") / train.name).glob("*.json")
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def arguments(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the step is called with, read as its own signature says.

    Raises:
        DataError: this version of Assay trains from something else, or the store lacks what was learned from.
    """
    function = inspect.unwrap(train.fn)
    hints, given = get_type_hints(function), _plain(inputs)
    try:
        read = {name: TypeAdapter(hints[name]).validate_python(value) for name, value in given.items()}
        inspect.signature(function).bind(**read)
    except (KeyError, TypeError, ValidationError) as error:
        raise DataError(
            f"found inputs on record that this version of Assay does not train from ({type(error).__name__}); expected "
            "those of its own. Use the version that the run was made with, or run the recipe again and verify that."
        ) from None
    if gone := sorted({f"{each.kind} {each.digest[:12]}" for each in _artifacts(read) if not store().holds(each)}):
        raise DataError(f"found no {', '.join(gone)} in the store; expected it. Restore it, or run the recipe again.")
    return read


def versions() -> dict[str, Any]:
    """Of the methods and libraries that training leans on, now."""
    policy = cast("ByContent", train.cache_policy)
    return cast("dict[str, Any]", policy.question(train.name, {})["versions"])


def file(found: Retrained) -> Path:
    """File what came of a retraining, with its run."""
    now = dt.datetime.now(dt.UTC)
    place = folder("retrainings") / found.run
    place.mkdir(exist_ok=True)
    path = place / f"{now:%Y%m%dT%H%M%S%f}Z.json"
    told = {"when": now.isoformat(timespec="seconds"), "equal": found.is_equal, **asdict(found)}
    write_once(path, json.dumps(told, indent=1).encode())
    return path


def _environment(trained: Trained) -> dict[str, Any]:
    """What a record says of where a model was trained, without what was measured there."""
    record = json.loads(store().get(trained.record))
    said = {**record.get("environment", {}), **{name: record[name] for name in OF_RECORD if name in record}}
    return {name: value for name, value in said.items() if name not in MEASURED}


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = sorted(then.keys() | now.keys())
    return {name: (then.get(name), now.get(name)) for name in names if then.get(name) != now.get(name)}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A value of a question without the names of types that stand in it."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name != "__type__"}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _artifacts(value: Any) -> Iterator[Artifact]:  # noqa: ANN401
    """Every reference to the store within what a step is given."""
    if isinstance(value, Artifact):
        yield value
    elif isinstance(value, BaseModel):
        yield from _artifacts([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _artifacts(item)
