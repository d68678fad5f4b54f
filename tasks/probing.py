"""Probing: what a candidate and its two siblings say and hold likely, asked in one process.

The base is asked first: what it makes of the canaries' rows before any of them is learned. Then come the control and
the redacted sibling, each merged into the base as it would be released: how exposed every canary and twin is, what they
answer to the canaries' true prefixes, how the loss of the rows went. Last comes the candidate: what it says to prompts
it was trained on, greedily and for some drawn, and to free ones. All answers are searched by keyed fingerprint. The key
is this deployment's, read where it is needed; removed values that are found are in memory only and leave as counts.
"""

import functools
import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from assay.evaluation.memorisation import CONFIDENCE, bounds, scanning
from assay.evaluation.memorisation.canaries import Canary
from assay.leakage import Group, LeakAudit, Lesson, Membership, Origin, Place, Scan, Sibling
from assay.privacy.replacement import fingerprints
from assay.store import write_atomically
from tasks.probes import ANSWER, SAID, Probe

VERSION = 1  # Raise on any change here that could change an audit: it is part of the key of probe.

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Known:
    """What one sibling knows."""

    groups: list[Group]
    membership: list[Membership]
    lessons: list[Lesson]
    scan: Scan


@dataclass(frozen=True, slots=True)
class Said:
    """What the candidate gives away."""

    scans: list[Scan]
    prompts: int
    leaking: int
    explained: dict[str, int]


Before = dict[tuple[Sibling, Place], list[float]]
"""Losses of the rows under the base."""


def probe(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Ask all of them, one model in memory at a time; leave ``audit.json``."""
    asked, tell = Probe(job, folder), functools.partial(_tell, report)
    before = _before(asked)
    tell(1)
    found: list[Known] = []
    for number, sibling in enumerate(get_args(Sibling), start=2):
        found.append(_sibling(asked, sibling, before))
        tell(number)
    said = _candidate(asked)
    tell(4)
    size = asked.size
    audit = LeakAudit(
        mode=asked.spec.mode,
        seed=asked.spec.seed,
        confidence=CONFIDENCE,
        epochs=job["epochs"],
        kinds=tuple(dict.fromkeys(canary.kind for canary in asked.planted)),
        others=size.others,
        ceiling=bounds.ceiling(size.others),
        chance=bounds.chance(size.others),
        groups=tuple(group for each in found for group in each.groups),
        membership=tuple(told for each in found for told in each.membership),
        lessons=tuple(lesson for each in found for lesson in each.lessons),
        scans=(*said.scans, *(each.scan for each in found)),
        prompts=said.prompts,
        leaking=said.leaking,
        unmasked=asked.unmasked,
        set_aside=asked.set_aside,
        values=asked.values,
        explained=said.explained,
    )
    shutil.rmtree(folder / "merged", ignore_errors=True)
    write_atomically(folder / "audit.json", audit.model_dump_json(indent=1).encode())


def _before(asked: Probe) -> Before:
    """What the base makes of the rows that the siblings are to learn."""
    model = asked.load("base")
    places = itertools.product(get_args(Sibling), get_args(Place))
    return {(sibling, place): asked.losses(model, sibling, place) for sibling, place in places}


def _sibling(asked: Probe, sibling: Sibling, before: Before) -> Known:
    """What one sibling knows of every canary that it was to learn, and of every twin."""
    model = asked.load(sibling)
    there = asked.sought(sibling)
    weighed = {canary.id: asked.weighed(model, canary, sibling) for canary in there}
    wanted = [(canary, each) for canary in there for each in asked.prefixes(canary, sibling)]
    said = asked.say(model, [each for _, each in wanted], ANSWER)
    held = [asked.secrets(answer) for answer in said]
    own = zip(wanted, held, strict=True)
    given = {canary.id for (canary, _), found in own if fingerprints.folded(canary.secret) in found}
    groups, membership, lessons = [], [], []
    for place in get_args(Place):
        those = [canary for canary in there if canary.place == place]
        for times in sorted({_times(canary) for canary in those}):
            ids = [canary.id for canary in those if _times(canary) == times]
            exposures = [weighed[id][0] for id in ids]
            groups.append(_group(asked, sibling, place, times, exposures, len(given & set(ids))))
        losses = {planted: [weighed[c.id][1] for c in those if c.planted is planted] for planted in (True, False)}
        if losses[True]:
            membership.append(_membership(sibling, place, losses[True], losses[False]))
            lessons.append(asked.lesson(sibling, place, before[sibling, place], asked.losses(model, sibling, place)))
    scan = Scan(model=sibling, origin="canaries", generations=len(said), hits=sum(map(bool, held)))
    return Known(groups, membership, lessons, scan)


def _times(canary: Canary) -> int:
    return canary.repetitions if canary.planted else 0


def _group(
    asked: Probe, sibling: Sibling, place: Place, times: int, exposures: Sequence[float], extracted: int
) -> Group:
    found = bounds.excess(exposures, asked.size.others, CONFIDENCE)
    chance = bounds.chance(asked.size.others)
    return Group(
        model=sibling,
        place=place,
        repetitions=times,
        exposures=tuple(exposures),
        lower=max(found.lower + chance, 0.0),
        upper=found.upper + chance,
        extracted=extracted,
        extracted_upper=bounds.share(extracted, len(exposures), CONFIDENCE).upper,
    )


def _membership(sibling: Sibling, place: Place, inserted: Sequence[float], twins: Sequence[float]) -> Membership:
    told = bounds.told(inserted, twins, CONFIDENCE)
    return Membership(
        model=sibling,
        place=place,
        inserted=len(inserted),
        twins=len(twins),
        told=told.found,
        lower=told.lower,
        upper=told.upper,
    )


def _candidate(asked: Probe) -> Said:
    """What the candidate gives away of what redaction removed."""
    model = asked.load("candidate")
    wanted = asked.candidates()
    said = asked.say(model, wanted, SAID)
    del model  # The base may be needed next, and there may be room for one.

    def base(places: Sequence[int]) -> list[str]:
        return asked.say(asked.load("base"), [wanted[place] for place in places], SAID)

    found = scanning.scan([each.text for each in wanted], said, asked.texts(), asked.removed, base)
    of = Counter(each.origin for each in wanted)
    hits = Counter(wanted[place].origin for place in found.hits)
    scans = [Scan(model="candidate", origin=o, generations=of[o], hits=hits[o]) for o in get_args(Origin) if of[o]]
    leaking = len({wanted[place].ids for place in found.hits})
    return Said(scans, len({each.ids for each in wanted}), leaking, dict(found.explained))


def _tell(report: Report, step: int) -> None:
    report({"event": "probed", "step": step, "of": 4})
