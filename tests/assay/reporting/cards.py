"""A data card's worth of content, for tests of what is made of it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from assay.data import profile as profiling
from assay.records import Dropped, Record, Turn, to_parquet
from assay.reporting import excerpts
from assay.reporting.content import Check, Personal, Source, Standing, Suite, Waiver
from assay.reporting.dataset import Content, Corrections, Profile, Redaction, Shard, Side, Slice
from tests.assay.reporting.measurements import redacting

SPOKEN = "where is my parcel [ORDER_ID_1]"


def records(side: str, number: int) -> list[Record]:
    """Records for a side: two to a subject, two labels, two channels."""
    return [
        Record(
            id=f"{side}-{i:04}",
            subject=f"{side}-s{i // 2}",
            bucket=0,
            source="tickets",
            context=(Turn("user", f"{SPOKEN} {'please ' * (i % 9)}"),),
            completion=json.dumps({"intent": ("refund", "login")[i % 2]}),
            attributes={"channel": ("email", "chat")[i % 3 == 0]},
        )
        for i in range(number)
    ]


SIDES = {"train": [records("train", 60), records("more", 40)], "validation": [records("validation", 20)], "test": []}
FILES = {side: [to_parquet(shard) for shard in shards] for side, shards in SIDES.items()}
WAIVERS = tuple(
    Standing(
        waiver=Waiver(check=f"RAW-{i}", reason="Being mended.", who="jane.doe@acme.example", until="2031-05-01"),
        in_force=not i,
    )
    for i in range(2)
)


def suite(name: str = "raw", decision: str = "pass", waivers: tuple[Standing, ...] = ()) -> Suite:
    """A doorway."""
    check = Check(
        id="RAW-0", asks="to not be blank", why="Why.", column="prompt", on_fail="quarantine", evaluated=131, failed=0,
        status="passed",
    )  # fmt: skip
    return Suite.model_validate(
        {"suite": name, "version": 7, "owner": "steward@acme.example", "digest": "5" * 64, "decision": decision,
         "reasons": (), "rows": 131, "findings": (check,), "waivers": waivers}
    )  # fmt: skip


def content(**changes: Any) -> Content:
    """A version that nothing stands against, and what a test changes of it."""
    aside = [Dropped(f"r{i}", "validate-raw", "fails RAW-3") for i in range(9)]
    twins = [Dropped(f"d{i}", "deduplicate", f"exact duplicate of r{i}") for i in range(2)]
    plain: Mapping[str, Any] = {
        "name": "support-triage",
        "version": "a" * 64,
        "purpose": "Route messages.",
        "intended_use": "English messages to a shop.",
        "owner": "support@acme.example",
        "sources": (
            Source(
                name="tickets",
                uri="data/t.jsonl",
                rows=131,
                licence="CC0-1.0",
                lawful_basis="contract",
                digest="7" * 64,
            ),
        ),
        "path": (
            excerpts.passage("validate-raw", 131, 122, aside),
            excerpts.passage("redact", 122, 122, []),
            excerpts.passage("deduplicate", 122, 120, twins),
        ),
        "sides": tuple(
            Side(
                name=side,
                rows=sum(map(len, shards)),
                shards=tuple(Shard(digest=hashlib.sha256(file).hexdigest(), size=len(file)) for file in FILES[side]),
            )
            for side, shards in SIDES.items()
        ),
        "suites": (suite(),),
        "profile": Profile.model_validate(profiling.profile(SIDES, "intent", ["channel"])),
        "personal": Personal(records=131, touched=130, counts={"ORDER_ID": 131}),
        "redaction": Redaction(
            profile="standard", entities=("PERSON", "ORDER_ID"), surrogates=(), threshold=0.3, max_characters=20000
        ),
        "identity": {"recipe": "9" * 64},
    }
    return Content.model_validate({**plain, **changes})


def full() -> Content:
    """A version of which there is everything to say."""
    return content(
        suites=(suite(decision="quarantine", waivers=WAIVERS), suite("curated")),
        corrections=Corrections(
            digest="c" * 64, version=3, actions={"keep": 4, "relabel": 11}, absent=2, who=("jane.doe@acme.example",)
        ),
        suspects={"label_noise": 21, "near_duplicate": 6},
        slices=(
            Slice(
                attribute="channel", n=120, values=(("email", 80), ("chat", 40)), ratio=0.42, label_of_ratio="refund",
                p_value_of_ratio=0.004, cramers_v=0.08, p_value=0.00002,
            ),
        ),
        redacting=redacting(),
        published="2031-02-03",
    )  # fmt: skip
