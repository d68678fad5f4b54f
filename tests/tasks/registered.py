"""Versions that are registered, and what they answered, as runs leave them: in the store, and on file."""

import json
from typing import Any

from assay.artifacts import Artifact, Evaluated, digest_of
from assay.evaluations import Evaluation
from assay.store import ArtifactStore
from tasks.places import folder


def versions(store: ArtifactStore) -> list[dict[str, Any]]:
    """Two versions of one model and one of another, as the registry lists them, with their bytes in the store."""
    named = (("triage", ["production"]), ("triage", ["candidate", "staging"]), ("other", []))
    return [
        {
            "model": model, "version": number, "aliases": aliases, "identity": f"{number}" * 64,
            "base": tree(store, "base", f"base {number}"), "adapter": tree(store, "adapter", f"adapter {number}"),
        }
        for number, (model, aliases) in enumerate(named, 1)
    ]  # fmt: skip


def tree(store: ArtifactStore, kind: str, text: str) -> str:
    """Digest of a folder of one file that the store holds."""
    place = folder("work") / text
    place.mkdir()
    (place / "file").write_text(text)
    return store.put_tree(kind, place).digest


def record(run: str, number: int, recipe: str = "/somewhere/recipe.yaml", **settings: object) -> dict[str, Any]:
    """A run that made a version."""
    return {
        "run": run, "started": f"2026-11-20T10:0{number}:00", "identity": f"{number}" * 64, "settings": settings,
        "recipe": "r", "recipe_file": recipe,
    }  # fmt: skip


def answered(
    store: ArtifactStore, row: dict[str, Any], asked: dict[str, Any], shard: Artifact, **inputs: object
) -> None:
    """File a question that was asked of a version, and an answer of which only the summary matters."""
    told = Evaluation(
        question=asked, model=digest_of(row["adapter"]), metrics={}, fields={}, slices={}, ability_groups={},
        environment={},
    )  # fmt: skip
    summary = store.put("evaluation", told.model_dump_json().encode())
    remember(row, Evaluated(summary=summary, answers=summary, choices=summary), shard, **inputs)


def remember(row: dict[str, Any], answer: Evaluated, shard: Artifact, **more: object) -> None:
    """File a question that was asked of a version, and its answer, as the step does."""
    inputs = {
        "base": {"__type__": "Artifact", "kind": "base", "digest": row["base"], "tree": True},
        "adapter": {"__type__": "Artifact", "kind": "adapter", "digest": row["adapter"], "tree": True},
        "test": {"__type__": "Dataset", "shards": [{"__type__": "Artifact", **shard.model_dump()}]},
        "questions": {},
        **more,
    }
    question = {"step": "evaluate", "versions": {}, "inputs": inputs, "n": answer.summary.digest}
    place = folder("questions") / "evaluate-candidate"
    place.mkdir(exist_ok=True)
    key = digest_of(question)
    (place / f"{key}.json").write_text(json.dumps(question))
    kept = {"metadata": {"serializer": {"type": "reference"}}, "result": answer.model_dump_json()}
    (folder("results") / key).write_text(json.dumps(kept))
