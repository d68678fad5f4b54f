"""Throw hostile records at redaction, and count what it does with them.

    python -m bench.fuzz_redaction --records 10000 --seed 0 --jobs 2

Every record is made from the seed and its number alone: broken and odd Unicode, tokens of thousands of characters,
strings that make bad expressions backtrack, JSON of every kind, placeholders, white space, texts at the limit and far
over it. In two of three a value of a shape that rules know (e-mail address, card, telephone) or that the record's own
columns give stands at a word boundary, between spaces. Each record is redacted alone and, if it is kept, once more.

What must hold: no exception; nothing planted is left in a record that is kept; the second pass changes nothing and
drops nothing; JSON stays JSON with the same keys, and every leaf is what it was or a string; a record takes at most
:data:`LIMIT` CPU seconds for each thousand characters, and :data:`START` beside. A record under way after
:data:`HANGS` CPU seconds is stopped and counted. The exit status is 1 if any of it does not hold, and ``--examples N``
prints so many failing texts of each kind, cut down to what still fails; all of it is invented.

Hidden values (a zero-width space within, full-width digits, in a JSON key) are counted beside it and prove nothing.
"""

import argparse
import json
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from multiprocessing import get_context

from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector
from assay.privacy.replacement.redaction import redact
from assay.records import Dropped, Record, Turn
from bench.hostile_records import Case, case

LIMIT, START, HANGS = 1.0, 1.0, 120.0
"""CPU seconds. Where every character is a token, as in ``[[[[``, the tagger needs a quarter of the limit a pass."""

SLOW = ("took too long", f"still under way after {HANGS:.0f} CPU seconds")
"""Failures that take too long to cut down."""

WINDOW = 7
"""Characters of a planted value that must not be left together."""


@dataclass(slots=True)
class Seen:
    """What came of one case."""

    number: int
    kinds: tuple[str, ...]
    characters: int
    seconds: float = 0.0
    reason: str = ""
    """Why the record was dropped, with every number a N; empty if it was kept."""

    failures: list[str] = field(default_factory=list)
    hidden_left: list[str] = field(default_factory=list)
    planted: list[str] = field(default_factory=list)


class HangsError(BaseException):
    """A record took too long. Not an Exception, so that redaction does not take it for a bad text."""


def _stop(*_: object) -> None:
    raise HangsError


_detector: list[Detector] = []
_spec: list[RedactionSpec] = []


def load(profile: str) -> None:
    """In each process: the detector, and the clock that stops a record that hangs."""
    _spec[:] = [RedactionSpec.model_validate({"profile": profile})]
    _detector[:] = [Detector(_spec[0])]
    signal.signal(signal.SIGVTALRM, _stop)


def judged(given: Case, number: int = 0) -> Seen:
    """Redact a case twice and say what does not hold."""
    characters = sum(map(len, _texts(given.record)))
    seen = Seen(number, given.kinds, characters, planted=[shape for shape, _ in given.planted])
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS)
    started = time.process_time()
    try:
        kept, dropped, _ = redact([given.record], _spec[0], _detector[0].find)
        seen.seconds = time.process_time() - started
        again, lost, _ = redact(kept, _spec[0], _detector[0].find)
    except HangsError:
        seen.seconds = time.process_time() - started
        seen.failures.append(SLOW[1])
        return seen
    except Exception as error:  # noqa: BLE001
        seen.failures.append(f"raised {type(error).__name__}")
        return seen
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if seen.seconds > START + LIMIT * characters / 1000:
        seen.failures.append(SLOW[0])
    if dropped:
        seen.reason = _reason(dropped[0])
        return seen
    seen.failures += _faults(given, kept[0], again, lost)
    seen.hidden_left = [shape for shape, value in given.hidden if _left(value, _texts(kept[0]))]
    return seen


def _reason(dropped: Dropped) -> str:
    """Why, without what differs from record to record."""
    reason = re.sub(r"\d+", "N", dropped.reason)
    reason = re.sub(r"attributes\[.*\]", "attributes[…]", reason, flags=re.DOTALL)
    return re.sub(r"(?<= are ).*(?=, which)", "…", reason)


def _faults(given: Case, kept: Record, again: list[Record], lost: list[Dropped]) -> Iterator[str]:
    for shape, value in given.planted:
        if _left(value, _texts(kept)):
            yield f"{shape} is left"
    if lost:
        yield f"the second pass dropped it: {_reason(lost[0])}"
    elif again[0] != kept:
        yield "the second pass changed it"
    if kept.known:
        yield "known values are left"
    try:
        before = json.loads(given.record.completion)
    except (ValueError, RecursionError):
        return
    if isinstance(before, dict | list):
        try:
            if not same_shape(before, json.loads(kept.completion)):
                yield "JSON has another shape"
        except (ValueError, RecursionError):
            yield "JSON is broken"


def _texts(record: Record) -> list[str]:
    return [*(turn.content for turn in record.context), record.completion, *record.attributes.values()]


def _left(value: str, texts: list[str]) -> bool:
    """Whether enough of a value stands together somewhere; of an e-mail address the domain says nothing."""
    part = value.partition("@")[0].casefold()
    windows = [part[at : at + WINDOW] for at in range(max(1, len(part) - WINDOW + 1))]
    if len(part) < WINDOW:
        pattern = re.compile(rf"(?<!\w){re.escape(part)}(?!\w)")
        return any(pattern.search(each.casefold()) for each in texts)
    return any(window in each.casefold() for each in texts for window in windows)


def same_shape(before: object, after: object) -> bool:
    """Whether two values of JSON have the same keys, and leaves that are the same or have become strings.

    Without recursion, of which deep nesting leaves too little.
    """
    pairs = [(before, after)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
            pairs += [(value, other[key]) for key, value in one.items()]
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            pairs += zip(one, other, strict=True)
        elif isinstance(one, dict | list) or not (isinstance(other, str) or (other is one or repr(other) == repr(one))):
            return False
    return True


def some(seed: int, first: int, last: int) -> list[Seen]:
    """Judge the cases of these numbers."""
    return [judged(case(seed, number), number) for number in range(first, last)]


# -- examples --------------------------------------------------------------------------------------------------------


def smallest(given: Case, failure: str) -> Case:
    """The case, cut down piece by piece while it still fails in this way."""

    def fails(each: Case) -> bool:
        whole = all(any(value.casefold() in text.casefold() for text in _texts(each.record)) for value in values)
        return whole and failure in judged(each).failures

    values = [value for shape, value in given.planted if failure.startswith(shape) and shape != "known"]

    for shorter in _simpler(given):
        if fails(shorter):
            given = shorter
    for place in range(len(given.record.context)):
        given = _cut(given, place, fails)
    return given


def _simpler(given: Case) -> Iterator[Case]:
    record = given.record
    yield replace(given, record=replace(record, attributes={}))
    yield replace(given, record=replace(record, attributes={}, completion="Noted."))
    for turn in record.context:
        yield replace(given, record=replace(record, attributes={}, completion="Noted.", context=(turn,)))
    yield replace(given, record=replace(record, attributes={}, context=()))


def _cut(given: Case, place: int, fails: Callable[[Case], bool]) -> Case:
    """One turn without whatever is not needed for the failure."""
    turns = list(given.record.context)
    size = len(turns[place].content) // 2
    tries = 150
    while size and tries:
        for start in range(0, len(turns[place].content), size):
            content = turns[place].content
            shorter = [*turns]
            shorter[place] = Turn("user", content[:start] + content[start + size :])
            tries = max(0, tries - 1)
            if tries and fails(cut := replace(given, record=replace(given.record, context=tuple(shorter)))):
                given, turns = cut, shorter
        size //= 2
    return given


# -- printing --------------------------------------------------------------------------------------------------------


def report(found: list[Seen]) -> None:
    """What was kept and dropped, and how long it took."""
    reasons = Counter(seen.reason for seen in found if seen.reason)
    kept = sum(not seen.reason and not seen.failures for seen in found)
    print(f"{len(found):,} records, {sum(seen.characters for seen in found):,} characters")
    print(f"{kept:,} kept and as they must be; {sum(reasons.values()):,} dropped:")
    for reason, count in reasons.most_common():
        print(f"  {count:6,}  {reason}")
    planted = Counter(chain.from_iterable(seen.planted for seen in found if not seen.reason))
    print(f"planted in records that were kept: {dict(sorted(planted.items()))}")
    left = Counter(chain.from_iterable(seen.hidden_left for seen in found))
    print(f"hidden values that were left, for information: {dict(sorted(left.items()))}")
    times = sorted(found, key=lambda seen: -seen.seconds)
    total = sum(seen.seconds for seen in found)
    print(f"{total:,.0f} CPU seconds; slowest: " + "; ".join(_slow(seen) for seen in times[:3]))
    rates = sorted((s for s in found if s.characters >= 1000 and s.seconds), key=lambda s: -s.seconds / s.characters)
    print("slowest for its length: " + "; ".join(_slow(seen) for seen in rates[:3]))


def _slow(seen: Seen) -> str:
    return f"{seen.seconds:.2f} s for {seen.characters:,} characters ({', '.join(seen.kinds)}; number {seen.number})"


def main() -> int:
    """Fuzz and print; the exit status is 1 if anything does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first record")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--profile", default="standard", choices=["fast", "standard", "strict"])
    parser.add_argument("--examples", type=int, default=0, help="failing texts to print of each kind")
    options = parser.parse_args()
    last, size = options.first + options.records, 50
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), load, (options.profile,)) as jobs:
        parts = [jobs.submit(some, options.seed, at, min(at + size, last)) for at in range(options.first, last, size)]
        found = [seen for part in parts for seen in part.result()]
    report(found)
    failures: dict[str, list[int]] = defaultdict(list)
    for seen in found:
        for failure in seen.failures:
            failures[failure].append(seen.number)
    print("failures: " + ("none" if not failures else ""))
    if failures and options.examples:
        load(options.profile)
    for failure, at in sorted(failures.items()):
        print(f"  {len(at):6,}  {failure}; numbers {at[:10]}")
        for number in at[: options.examples]:
            found_at = case(options.seed, number)
            record = (found_at if failure in SLOW else smallest(found_at, failure)).record
            print(f"          {number}: {[t.content[:300] for t in record.context]!r} → {record.completion[:200]!r}")
            print(f"          known {[(k.type, k.value) for k in record.known]}, attributes {record.attributes}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
