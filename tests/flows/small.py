"""A recipe small enough to run in a test: a hundred and fifty records, a model of two layers, twelve items."""

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from assay.artifacts import Outcome
from assay.model import weights
from assay.spec import DOORWAYS
from tests import tiny_model

if TYPE_CHECKING:
    from tasks.steps import StepState

SECRET = "Quillon Terrabask"
"""A person in the data whom no persisted file may name after redaction."""

WANTS = {
    "refund": ("I want my money back for {order}", "please return what I paid for {order}"),
    "delivery": ("where is the parcel of {order}", "{order} has not arrived after two weeks"),
    "account": ("my password stopped working", "I cannot sign in to my account any more"),
}
SUITE = """\
suite: {name}
version: 1
owner: steward@example.com
max_quarantine: 20%
checks:
  - id: {name}-1
    expect: column_values_to_not_be_blank
    column: prompt
    why: Nothing can be learned from silence.
    on_fail: quarantine
  - id: {name}-2
    expect: column_values_to_satisfy_json_schema
    column: completion
    parameters: {{schema: output}}
    why: The form of the answer is what is learned.
    on_fail: quarantine
"""
SPLITS = """\
suite: splits
version: 1
owner: steward@example.com
max_quarantine: 0%
checks:
  - id: splits-1
    expect: column_learned_tokens_to_exclude_prompt
    column: labels
    where: {column: side, in: [train, validation]}
    why: The model must not learn to write what customers write.
    on_fail: stop
  - id: splits-2
    expect: column_learned_tokens_to_include_end_of_turn
    column: labels
    parameters: {end_of_turn: end_of_turn}
    where: {column: side, in: [train, validation]}
    why: A model that never learns to stop rambles.
    on_fail: stop
"""
PREDICTIONS = """\
suite: predictions
version: 1
owner: steward@example.com
max_quarantine: 0%
checks:
  - id: predictions-1
    expect: column_values_to_satisfy_json_schema
    column: answer
    parameters: {schema: output}
    why: What is not of the form cannot be used.
    on_fail: warn
"""
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["intent", "order_id"],
    "properties": {"intent": {"enum": sorted(WANTS)}, "order_id": {"type": ["string", "null"]}},
}


def rows(count: int, *, first: int = 0, side: str = "t") -> list[dict[str, str]]:
    """Tickets of made-up people, the same for the same arguments."""
    dice = random.Random(f"{side}{first}")
    made = []
    for number in range(first, first + count):
        intent = dice.choice(sorted(WANTS))
        order = f"AB-{dice.randrange(100000, 999999)}"
        wish = dice.choice(WANTS[intent])
        words = " ".join(dice.choice(("really", "soon", "now", "again", "truly", "still")) for _ in range(4))
        name = SECRET if number % 10 == 0 else f"Person{side}{number} Madeupname{number}"
        named = order if "{order}" in wish else None
        made.append(
            {
                "ticket": f"{side}-{number}",
                "customer": f"CUST-{side}{number // 2}",
                "name": name,
                "message": f"{wish.format(order=f'order {order}')} {words} case {number}. Regards, {name}",
                "answer": json.dumps({"intent": intent, "order_id": named}),
            }
        )
    return made


def run(path: Path, **settings: object) -> "tuple[Outcome, list[StepState]]":
    """Run a recipe and collect its steps."""
    from flows.train_candidate import train_candidate
    from tasks import steps

    states: list[StepState] = []
    steps.observers.append(states.append)
    try:
        return train_candidate(str(path), settings or None), states
    finally:
        steps.observers.remove(states.append)


def write_jsonl(path: Path, given: list[dict[str, str]]) -> None:
    """One object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in given))


def recipe(folder: Path) -> Path:
    """Write everything a run needs below ``folder`` and return the recipe's path."""
    base = tiny_model.build(folder / "base")
    write_jsonl(folder / "tickets.jsonl", rows(120))
    write_jsonl(folder / "heldout.jsonl", rows(30, side="h"))
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    for name in ("raw", "redacted", "curated"):
        (folder / f"{name}.yml").write_text(SUITE.format(name=name))
    (folder / "splits.yml").write_text(SPLITS)
    (folder / "predictions.yml").write_text(PREDICTIONS)
    (folder / "waivers.yml").write_text("waivers: []\n")
    items = [
        {
            "id": f"item-{i}",
            "group": f"group {i % 3}",
            "kind": "cloze",
            "context": f"Case {i} is about an",
            "choices": [" order", " xylophone"],
            "gold": 0,
        }
        for i in range(12)
    ]
    (folder / "ability.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(_tree(weights.digest(base)), sort_keys=False))
    return path


def by_rules(path: Path) -> Path:
    """Names stay in a recipe's texts, so that redaction needs no tagger: for tests to which it is nothing."""
    tree = yaml.safe_load(path.read_text())
    tree["redaction"] = {"profile": "fast", "policy": {"CITY": "keep", "PERSON": "keep"}}
    tree["measurement"] |= {"floors": {"EMAIL": 0.5}}
    for source in tree["sources"]:
        source["columns"].pop("known_values", None)
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


def _tree(digest: str) -> dict[str, object]:
    columns = {
        "id": "ticket",
        "prompt": "message",
        "completion": "answer",
        "subject": "customer",
        "known_values": {"PERSON": "name"},
    }
    tickets = {"uri": "tickets.jsonl", "format": "jsonl", "columns": columns}
    right = {"licence": "CC0-1.0", "lawful_basis": "made up"}
    return {
        "name": "small",
        "owner": "tests@example.com",
        "purpose": "See the whole path run.",
        "intended_use": "Tests.",
        "sources": [
            {"name": "tickets", **tickets, **right},
            {"name": "heldout", **tickets, **right, "uri": "heldout.jsonl", "side": "test"},
        ],
        "base": {"uri": "base", "digest": digest, "licence": "CC0-1.0", "dtype": "float32"},
        "prompt": {"system": "Reply with JSON.", "output_schema": "schema.json", "label": "intent"},
        "expectations": {name: f"{name}.yml" for name in (*DOORWAYS, "waivers")},
        "redaction": {"policy": {"CITY": "keep"}},
        "measurement": {
            "seeded": 60,
            "least": 5,
            "floors": {"PERSON": 0.5},
            "max_leak": 0.4,
            "max_over_redaction": 0.2,
        },
        "curation": {
            "contamination": {"max_share": 0.5, "overlap": 0.95},
            "near_duplicates": {"on_found": "review"},
        },
        "split": {"train": 0.8, "validation": 0.2, "test": 0.0},
        "training": {
            "method": "lora",
            "rank": 4,
            "alpha": 8,
            "target_modules": ["q_proj", "v_proj"],
            "learning_rate": 0.01,
            "epochs": 2,
            "batch_size": 8,
            "max_length": 192,
        },
        "evaluation": {
            "max_new_tokens": 8,
            "batch_size": 16,
            "latency_requests": 3,
            "general_ability": {"name": "ability", "uri": "ability.jsonl"},
        },
        "gate": {
            "confidence": 0.95,
            "target": "exact_match",
            "min_gain": 0.1,
            "min_format_adherence": 0.9,
            "ability_margin": 0.05,
            "max_latency_ratio": 5.0,
        },
        "release": {"model": "small"},
    }
