"""How Prefect caches our tasks, and how a key that changed is explained.

Prefect's own policies do not fit thin tasks: ``TASK_SOURCE`` hashes only the wrapper, so a
changed method would be served a stale result; ``INPUTS`` knows neither the task nor the bytes
behind a path. Its own serializers import what a record names, so a result is a way to run code.
Ours key on methods' versions and inputs' content, store references as typed JSON, and take a
record for a hit only while everything it refers to is still whole.

Each question asked is filed under ``ASSAY_HOME/questions``, so that "why did this run again?" is
answered by the component that differs from the nearest question asked before.
"""

import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from uuid import UUID

from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.logging import get_run_logger
from prefect.results import ResultStore
from prefect.serializers import Serializer
from pydantic import Field, TypeAdapter, ValidationError

from assay import errors
from assay.artifacts import (
    JSON,
    Artifact,
    Checked,
    Dataset,
    Described,
    Evaluated,
    Redacted,
    Reference,
    Registered,
    Screened,
    Seeded,
    Splits,
    Timed,
    Tokenised,
    Trained,
    Validated,
    digest_of,
    question,
)
from assay.errors import AssayError, UnexpectedError, UnstableKeyError
from assay.store import write_atomically
from tasks.faults import described
from tasks.places import folder, store

Filed = (
    Artifact
    | Dataset
    | Validated
    | Checked
    | Redacted
    | Screened
    | Seeded
    | Splits
    | Tokenised
    | Described
    | Trained
    | Evaluated
    | Timed
    | Registered
)
_FILED: TypeAdapter[Filed] = TypeAdapter(Filed)
_RECENT = 40
_TOLD = 3
_IMPLIED = (".__type__", ".kind", ".tree")
"""Leaves that change only together with a digest."""

why: dict[UUID, list[str]] = {}
"""For each task run of this process that was not a hit: what in its key changed."""


class ReferenceSerializer(Serializer):
    """Results as typed JSON: loading validates, and imports or executes nothing."""

    type: str = Field(default="reference", frozen=True)

    def dumps(self, obj: Any) -> bytes:
        """Encode a reference, or an error by name and message, a foreign one without its own; else refuse."""
        if isinstance(obj, BaseException):
            told = obj if isinstance(obj, AssayError) else UnexpectedError(described(obj))
            return json.dumps({"error": type(told).__name__, "message": str(told)}).encode()
        return _FILED.dump_json(_FILED.validate_python(obj))

    def loads(self, blob: bytes) -> Filed | AssayError:
        """Decode what :meth:`dumps` wrote."""
        told = json.loads(blob)
        if isinstance(told, dict) and told.keys() == {"error", "message"}:
            return error_named(told["error"], told["message"])
        return _FILED.validate_json(blob)


class ByContent(CachePolicy):
    """Keys of what is computed; hits only of what is still whole."""

    def __init__(self, methods: tuple[ModuleType | str, ...], libraries: tuple[str, ...] = ()) -> None:
        self.versions: dict[str, JSON] = dict(map(_version, methods))
        self._libraries = libraries

    def question(self, step: str, inputs: Mapping[str, object]) -> dict[str, JSON]:
        """The components of the key of ``step`` over ``inputs``."""
        libraries: dict[str, JSON] = {name: importlib.metadata.version(name) for name in self._libraries}
        return question(step, self.versions | libraries, inputs)

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **_: Any
    ) -> str:
        """Name the result, after forgetting a record of it that cannot be honoured."""
        asked = self.question(task_ctx.task.name, inputs)
        key = digest_of(asked)
        if not _forget_unless_whole(task_ctx.result_store, key):
            why[task_ctx.task_run.id] = changes(asked)
            get_run_logger(task_ctx).info("computed because: %s", reason(why[task_ctx.task_run.id]))
        remember(asked)
        return key


def error_named(name: str, message: str) -> AssayError:
    """An error of Assay's own tree; a name that is not in it becomes :class:`UnexpectedError`."""
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, AssayError):
        return kind(message)
    return UnexpectedError(message)


def _version(method: ModuleType | str) -> tuple[str, int]:
    """Name and ``VERSION`` of a method; one given by name is not imported, since some import heavy libraries."""
    if isinstance(method, ModuleType):
        return method.__name__, int(method.VERSION)
    spec = importlib.util.find_spec(method)
    source = Path(str(spec.origin if spec else None)).read_text(encoding="utf-8")
    found = re.search(r"^VERSION = (\d+)", source, re.MULTILINE)
    if found is None:
        raise UnstableKeyError(f"{method} declares no VERSION; expected `VERSION = 1` on a line of its own.")
    return method, int(found.group(1))


def reason(changed: list[str]) -> str:
    """One line that says why a step ran: a changed setting or version before changed data, and no more than fits."""
    if [change.partition(":")[0] for change in changed] == ["shard.digest"]:
        return "a new shard"
    if not changed:
        return "its earlier result is gone or damaged"
    told = sorted(changed, key=lambda change: ".digest: " in change)
    return "; ".join(told[:_TOLD]) + (f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else "")


def slot(step: str, inputs: Mapping[str, object]) -> str:
    """The place in the path that a question belongs to: its step, and the doorway or model it stands at."""
    if "doorway" in inputs:
        return f"validate-{inputs['doorway']}"
    if "sibling" in inputs:
        return f"{step}-{inputs['sibling']}"
    if "adapter" in inputs and "questions" in inputs:
        return f"{step}-{'baseline' if inputs['adapter'] is None else 'candidate'}"
    return step


def remember(asked: dict[str, JSON]) -> None:
    """File a question, so that a later one can be compared with it."""
    place = folder("questions") / _slot_of(asked)
    place.mkdir(exist_ok=True)
    path = place / f"{digest_of(asked)}.json"
    if path.exists():
        path.touch()
    else:
        write_atomically(path, json.dumps(asked, sort_keys=True).encode())


def changes(asked: dict[str, JSON]) -> list[str]:
    """Which components of the key differ from the nearest question asked before, as ``name: old → new``.

    An empty list means that this very question was asked before (its answer is gone); ``["first time"]`` that
    none was.
    """
    place = folder("questions") / _slot_of(asked)
    recent = sorted(place.glob("*.json"), key=lambda path: path.stat().st_mtime)[-_RECENT:] if place.is_dir() else []
    if not recent:
        return ["first time"]
    now = _leaves(asked)
    return min((_differences(_leaves(json.loads(path.read_text())), now) for path in reversed(recent)), key=len)


def answer_to(key: str) -> Filed | None:
    """What is on record for ``key`` in this deployment's result folder, if all of it is whole."""
    path = folder("results") / key
    return _whole(path.read_bytes()) if path.is_file() else None


def _slot_of(asked: Mapping[str, JSON]) -> str:
    return slot(str(asked["step"]), cast("dict[str, JSON]", asked["inputs"]))


def _leaves(value: JSON, name: str = "") -> dict[str, JSON]:
    match value:
        case dict():
            return {k: v for key, item in value.items() for k, v in _leaves(item, f"{name}.{key}".lstrip(".")).items()}
        case list():
            return {k: v for i, item in enumerate(value) for k, v in _leaves(item, f"{name}[{i}]").items()}
        case _:
            return {name: value}


def _differences(before: dict[str, JSON], now: dict[str, JSON]) -> list[str]:
    return [
        f"{name.removeprefix('inputs.')}: {_short(before.get(name))} → {_short(now.get(name))}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name) and not name.endswith(_IMPLIED)
    ]


def _short(value: JSON) -> str:
    digits = 64
    text = "none" if value is None else str(value)
    return text[:12] if len(text) == digits else text


def _forget_unless_whole(results: ResultStore, key: str) -> bool:
    """Whether a record can be honoured; one that is not ours, or refers to damaged bytes, is blanked.

    An empty record is a miss. It is read as plain JSON here, because Prefect would load it with whatever serializer the
    record itself names, pickle included.
    """
    storage = cast("Any", results.result_storage)
    try:
        text = storage.read_path(key, _sync=True)
    except ValueError:  # Prefect's word for "nothing recorded yet".
        return False
    if _whole(text) is not None:
        return True
    storage.write_path(key, content=b"", _sync=True)
    if results.cache is not None:
        results.cache.clear()
    return False


def _whole(text: bytes) -> Filed | None:
    try:
        record = json.loads(text)
        if record["metadata"]["serializer"]["type"] != "reference":
            return None
        reference = _FILED.validate_json(record["result"])
    except (ValueError, KeyError, TypeError, ValidationError):
        return None
    return reference if all(store().holds(artifact) for artifact in _artifacts(reference)) else None


def _artifacts(reference: Reference) -> Iterator[Artifact]:
    if isinstance(reference, Artifact):
        yield reference
        return
    for name in type(reference).model_fields:
        value = getattr(reference, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Reference):
                yield from _artifacts(item)
