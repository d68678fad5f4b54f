"""Records and suites small enough to count by hand."""

import json

import pytest

from assay.records import Record, Turn, to_parquet
from expectations import frames
from expectations.suite import Suite, load

ENGLISH = (
    "Hello, the printer on the second floor has been broken since this morning, could somebody please have a look at it"
)
SCHEMA = {
    "type": "object",
    "required": ["label"],
    "properties": {"label": {"enum": ["hardware", "billing"]}},
    "additionalProperties": False,
}
RESOURCES = {"output": SCHEMA}


def record(
    number: int, *, id: str | None = None, prompt: str = ENGLISH, completion: str | None = None, **attributes: str
):
    """A ticket as it should be, save for what is given."""
    return Record(
        id=id or f"t-{number:04}",
        subject="s",
        bucket=0,
        source="tickets",
        context=(Turn("user", prompt),),
        completion=json.dumps({"label": "billing"}) if completion is None else completion,
        attributes={"licence": "cleared", "channel": "email"} | attributes,
    )


def suite(*checks: dict[str, object], max_quarantine: object = "100%") -> Suite:
    """A suite of ``checks``, with the words that every check needs filled in."""
    full = [{"id": f"C-{i}", "why": "Because.", "on_fail": "quarantine"} | check for i, check in enumerate(checks)]
    fields = {"suite": "planted", "version": 1, "owner": "s", "max_quarantine": max_quarantine, "checks": full}
    return load(json.dumps(fields).encode(), "planted.yml")


def frame(records: list[Record], **given: object):
    """A shard as a gate is handed it."""
    return frames.of_records(to_parquet(records), "label", **given)


@pytest.fixture
def records():
    """Twenty tickets as they should be."""
    return [record(i) for i in range(20)]
