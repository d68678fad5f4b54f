"""Artefacts and the keys that name them: references, never bytes (those are in :mod:`assay.store`).

An :class:`Artifact` is a kind and a digest of bytes: a file, or a tree of files whose digest is
that of its manifest. A :func:`question` is what would be computed (a step, its methods' versions,
its inputs) and :func:`cache_key` its digest. Both are sha256 of canonical bytes, so the same
question has the same name on every machine. The other classes here bundle references; they are
all that one task hands to the next.

"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import BaseModel, ConfigDict

from assay.errors import UnstableKeyError
from assay.fields import CONTEXT

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


class Reference(BaseModel):
    """Something small that travels between tasks: safe to log, holds no personal data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Artifact(Reference):
    """A reference to bytes in the store."""

    kind: str
    digest: str
    tree: bool = False
    """Whether the bytes are the manifest of a folder."""


class Dataset(Reference):
    """Records in shards, in order."""

    shards: tuple[Artifact, ...]


class Validated(Reference):
    """What passed a suite, what was set aside, and the outcome that says why."""

    records: Dataset
    quarantined: Artifact
    outcome: Artifact


class Checked(Reference):
    """What a suite said of rows that are counted already, so that none could leave."""

    outcome: Artifact


class Redacted(Reference):
    """One redacted shard, or all of them."""

    records: Dataset
    dropped: Artifact
    audit: Artifact
    captures: Artifact
    """How often its detectors agreed."""


class Seeded(Reference):
    """Records with invented values, and where those stand."""

    records: Dataset
    values: Artifact


class Screened(Reference):
    """What a filtering step files: both halves, so lineage reaches the dropped rows too."""

    kept: Dataset
    dropped: Artifact
    suspects: Artifact
    """Records that a person should look at."""


class Splits(Reference):
    """Each subject on one side."""

    train: Dataset
    validation: Dataset
    test: Dataset


class Tokenised(Reference):
    """Rows as training takes them, shard by shard beside the records."""

    train: Dataset
    validation: Dataset
    facts: Artifact
    """What the suite needs of the model: its window, and the tokens that end a turn."""


class Described(Reference):
    """A dataset version's card: as a page, and for machines (Croissant)."""

    version: str
    """Digest of the records on all sides."""

    profile: Artifact
    card: Artifact
    croissant: Artifact


class Trained(Reference):
    """An adapter and how it came to be."""

    adapter: Artifact
    record: Artifact
    dynamics: Artifact | None = None
    """Loss of each example whenever it was visited."""


class Questions(Reference):
    """Files that both models are asked from."""

    schema_: Artifact
    benchmark: Artifact
    """General ability."""

    text: Artifact | None = None
    """Held-out text."""

    safety: Artifact | None = None
    harness: Artifact | None = None
    """A folder of task files of the recipe's own."""

    metrics: dict[str, str] = {}
    """The recipe's own metrics → digest of the code that each stands in."""

    releases: dict[str, str] = {}
    """Libraries that these questions in particular need → release."""


class Evaluated(Reference):
    """One model's answers, and what they are worth."""

    summary: Artifact
    answers: Artifact
    choices: Artifact
    texts: Artifact | None = None
    probes: Artifact | None = None
    variants: Artifact | None = None
    guesses: Artifact | None = None


class Timed(Reference):
    """How long the same requests took, made of both models in turn."""

    baseline: Artifact
    candidate: Artifact


class Registered(Reference):
    """A version in the registry."""

    model: str
    version: int
    identity: str


class Outcome(Reference):
    """All that came of a run."""

    registered: Registered
    adapter: Artifact
    baseline: Evaluated
    candidate: Evaluated
    verdict: Artifact
    page: Artifact
    content: Artifact
    """All that the page says."""

    doorways: dict[str, Artifact]
    """Doorway → what its suite found."""

    described: Described
    redaction: Artifact
    """How well it worked, as judged."""


def canonical(value: object) -> JSON:
    """``value`` as data with one spelling in JSON, or :class:`UnstableKeyError`.

    Fields of a spec that only say where bytes were found are left out.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case BaseModel():
            fields: dict[str, JSON] = {
                name: canonical(getattr(value, name))
                for name, info in type(value).model_fields.items()
                if not (isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get(CONTEXT))
            }
            return {"__type__": type(value).__qualname__, **fields}
        case list() | tuple():
            return [canonical(item) for item in cast("Sequence[object]", value)]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: canonical(item) for key, item in cast("Mapping[str, object]", value).items()}
        case _:
            raise UnstableKeyError(
                f"cannot put a {type(value).__qualname__} in a cache key: it has no canonical bytes. "
                "Pass a spec, an Artifact, or a plain value; sort a set into a tuple first."
            )


def question(step: str, versions: Mapping[str, JSON], inputs: Mapping[str, object]) -> dict[str, JSON]:
    """What ``step`` would be asked: the components of its key, by name."""
    return {"step": step, "versions": dict(versions), "inputs": canonical(dict(inputs))}


def cache_key(step: str, versions: Mapping[str, JSON], inputs: Mapping[str, object]) -> str:
    """Name the result of ``step`` over ``inputs``, as computed by methods at ``versions``."""
    return digest_of(question(step, versions, inputs))


def digest_of(value: JSON) -> str:
    """sha256 of ``value`` in canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
