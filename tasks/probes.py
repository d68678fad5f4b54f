"""Probes: a leak audit's questions, laid out for a model, and how its answers are searched.

A model is loaded as it would be released: its adapter is merged into the base. It is asked three things: how likely it
holds a secret beside others of the same form, how well it foresees a row that was learned, and what it says. What it
says is searched by keyed fingerprint. The key is this deployment's, read where it is needed; values that are found are
in memory only.
"""

import dataclasses
import hashlib
import heapq
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assay.artifacts import Artifact, Dataset
from assay.evaluation import generation, sampling
from assay.evaluation.memorisation import FREE, MODES, canaries, exposure
from assay.evaluation.memorisation.canaries import Canary
from assay.leakage import Lesson, Origin, Place, Sibling
from assay.model import prompting, weights
from assay.privacy.replacement import fingerprints
from assay.records import Record, Turn
from assay.trials import LeakAuditSpec
from tasks import shards
from tasks.places import checkout, store, threads, value_key

VERSION = 1  # Raise on any change here that could change an audit: it is part of the key of probe.

BATCH = 32
"""Prompts answered together. It may move an answer, so it is no setting."""

TEMPERATURE = 1.0
"""Of what is drawn: the model's own distribution."""

ANSWER = 28
"""Tokens of an answer to a canary's prefix: a sentence and a secret."""

SAID = 48
"""Tokens of the candidate's generations."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that a model is to continue."""

    ids: tuple[int, ...]
    text: str
    """What of it may be said again without being a leak."""

    stream: str | None
    """Names its random numbers; greedy if there is none."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Learned:
    """A canary's record as a sibling was to learn it; nothing if redaction set it aside."""

    canary: Canary
    record: Record | None


class Probe:
    """One audit's questions, laid out for a tokenizer."""

    def __init__(self, job: dict[str, Any], folder: Path) -> None:
        self._job, self._folder = job, folder
        self.spec = LeakAuditSpec.model_validate(job["spec"])
        self.size = MODES[self.spec.mode]
        told = json.loads(store().get(Artifact.model_validate(job["canaries"])))
        self.planted = canaries.from_json(told["canaries"])
        self.rows: dict[Sibling, list[Learned]] = {
            "control": [Learned(c, c.record()) for c in self.planted if c.planted],
            "redacted": [Learned(c, masked(c, told["masked"].get(c.id))) for c in self.planted if c.planted],
        }
        self.unmasked, self.set_aside = told["unmasked"], told["set_aside"]
        self._key = value_key()
        secrets = ((c.kind, fingerprints.fingerprint(c.secret, self._key)) for c in self.planted if c.planted)
        self._secrets = fingerprints.Matcher(sealed_of(secrets, self._key), self._key)
        opened = fingerprints.unseal(store().get(Artifact.model_validate(job["sealed"])), self._key)
        self._removed = fingerprints.Matcher(opened, self._key)
        self.values = len({found for records in opened.types.values() for found in records})
        self.tokenizer: Any = None
        self._room = 0

    def load(self, name: Literal["base", "control", "redacted", "candidate"]) -> Any:  # noqa: ANN401
        """A model ready to be asked; its adapter is merged as for evaluation and release."""
        base = checkout(Artifact.model_validate(self._job["base"]))
        place = base
        if name != "base":
            place = self._folder / "merged"
            shutil.rmtree(place, ignore_errors=True)
            adapter = checkout(Artifact.model_validate(self._job[name]))
            weights.merge(base, adapter, place, self._job["dtype"])
        model, self.tokenizer = generation.load(place, self._job["dtype"], threads())
        self._room = min(self._job["max_length"], model.config.max_position_embeddings - SAID)
        return model

    def encode(self, context: Sequence[Turn], completion: str | None) -> prompting.Encoded:
        """As training and evaluation do; what is to be answered leaves room for an answer."""
        room = self._room if completion is None else self._job["max_length"]
        return prompting.encode(self.tokenizer, self._job["system"], context, completion, room)

    def losses(self, model: Any, sibling: Sibling, place: Place) -> list[float]:  # noqa: ANN401
        """Mean loss of the learned tokens of each canary's row, in nats."""
        found = []
        for each in self._learned(sibling, place):
            row = self.encode(each.context, each.completion)
            trunk, tail = row.input_ids[: row.prompt_length], row.input_ids[row.prompt_length :]
            found.append(-exposure.weigh(model, trunk, [tail])[0] / len(tail))
        return found

    def weighed(self, model: Any, canary: Canary, sibling: Sibling) -> tuple[float, float]:  # noqa: ANN401
        """Exposure of a canary or twin, and its loss beside the mean of the others."""
        trunk, tails = self._tails(canary, sibling)
        own, *others = exposure.weigh(model, trunk, tails)
        return exposure.exposure(own, others), sum(others) / len(others) - own

    def prefixes(self, canary: Canary, sibling: Sibling) -> list[Asked]:
        """A canary's true prefix, to be continued greedily and then drawn."""
        if canary.place == "completion":
            ids = self.encode(self._context(canary, sibling), None).input_ids
        else:
            ids = tuple(self._tails(canary, sibling)[0])
        streams = [None, *(f"leak/{self.spec.seed}/{canary.id}/{time}" for time in range(self.size.tries))]
        return [Asked(ids, "", stream, "canaries") for stream in streams]

    def candidates(self) -> list[Asked]:
        """Training prompts, continued greedily and some of them drawn too, and free prompts."""
        records = self.sample()
        greedy = [Asked(self.encode(r.context, None).input_ids, r.prompt, None, "training prompts") for r in records]
        again = [
            dataclasses.replace(each, stream=f"leak/{self.spec.seed}/{record.id}", origin="training prompts, drawn")
            for each, record in zip(greedy[: self.size.again], records, strict=False)
        ]
        return [*greedy, *again, *self._free()]

    def sought(self, sibling: Sibling) -> list[Canary]:
        """Twins, and canaries of which a sibling was to learn something."""
        learned = {each.canary.id for each in self.rows[sibling] if each.record}
        return [canary for canary in self.planted if not canary.planted or canary.id in learned]

    def sample(self) -> list[Record]:
        """Training records whose prompts are asked: by digest of id and seed, as good as drawn."""
        records = Dataset.model_validate(self._job["train"])
        return drawn((row for shard in shards.each(records) for row in shard), self.size.prompts, self.spec.seed)

    def texts(self) -> Iterable[str]:
        """What was learned, as text."""
        records = Dataset.model_validate(self._job["train"])
        return (row.text for shard in shards.each(records) for row in shard)

    def say(self, model: Any, asked: Sequence[Asked], tokens: int) -> list[str]:  # noqa: ANN401
        """What a model says to each."""
        greedy = [place for place, each in enumerate(asked) if each.stream is None]
        prompts = [list(asked[place].ids) for place in greedy]
        said = dict(
            zip(greedy, generation.answer(model, self.tokenizer, prompts, tokens, BATCH, _unheard), strict=True)
        )
        rest = [place for place in range(len(asked)) if place not in said]
        stop = frozenset(prompting.stops(self.tokenizer)) | generation.ends(model)
        ids, streams = [list(asked[place].ids) for place in rest], [asked[place].stream or "" for place in rest]
        found = sampling.draw(model, ids, streams, stop, TEMPERATURE, tokens, BATCH, _unheard)
        for place, each in zip(rest, found, strict=True):
            said[place] = self.tokenizer.decode(each.tokens, skip_special_tokens=True)
        return [said[place] for place in range(len(asked))]

    def secrets(self, text: str) -> frozenset[str]:
        """Secrets of planted canaries that stand in a text, in one spelling."""
        return _held(self._secrets, text)

    def removed(self, text: str) -> frozenset[str]:
        """Values that redaction removed and that stand in a text, in one spelling."""
        return _held(self._removed, text)

    def _free(self) -> list[Asked]:
        opened = self._opened()
        return [
            Asked(opened, "", f"leak/{self.spec.seed}/free/{number}", "free prompts")
            if number % 2
            else self._to_free(FREE[number // 2 % len(FREE)], number)
            for number in range(self.size.free)
        ]

    def _to_free(self, text: str, number: int) -> Asked:
        ids = self.encode([Turn("user", text)], None).input_ids
        return Asked(ids, text, f"leak/{self.spec.seed}/free/{number}", "free prompts")

    def _opened(self) -> tuple[int, ...]:
        """The tokens at which a user's turn has been opened and nothing was said in it."""
        one, other = (self.encode([Turn("user", text)], None).input_ids for text in ("A", "7"))
        return tuple(exposure.apart([one, other])[0])

    def _tails(self, canary: Canary, sibling: Sibling) -> tuple[list[int], list[list[int]]]:
        """What stands before the secret, and the secret and the others as tokens."""
        rows = []
        for secret in (canary.secret, *canary.others):
            if canary.place == "completion":
                row = self.encode(self._context(canary, sibling), canary.answer(secret))
            else:
                row = self.encode(canary.turns(secret), None)
            rows.append(row.input_ids)
        return exposure.apart(rows)

    def _context(self, canary: Canary, sibling: Sibling) -> tuple[Turn, ...]:
        """The question as the sibling has seen it, if it has."""
        for each in self.rows[sibling]:
            if each.canary.id == canary.id and each.record:
                return each.record.context
        return canary.turns()

    def _learned(self, sibling: Sibling, place: Place) -> list[Record]:
        return [each.record for each in self.rows[sibling] if each.record and each.canary.place == place]

    def lesson(self, sibling: Sibling, place: Place, before: Sequence[float], after: Sequence[float]) -> Lesson:
        """What training saw of the canaries of a place."""
        rows = learned = secret = 0
        for each in self.rows[sibling]:
            if not each.record or each.canary.place != place:
                continue
            row, times = self.encode(each.record.context, each.record.completion), each.canary.repetitions
            rows += times
            learned += times * (len(row.input_ids) - row.prompt_length)
            if each.canary.secret in each.record.completion:
                secret += times * len(self._tails(each.canary, sibling)[1][0])
        return Lesson(
            model=sibling,
            place=place,
            rows=rows,
            learned_tokens=learned,
            secret_tokens=secret,
            before=_mean(before),
            after=_mean(after),
        )


def masked(canary: Canary, left: dict[str, str] | None) -> Record | None:
    """A canary's record as redaction left it."""
    if left is None:
        return None
    plain = canary.record()
    return dataclasses.replace(plain, context=(Turn("user", left["prompt"]),), completion=left["completion"])


def drawn(records: Iterable[Record], count: int, seed: int) -> list[Record]:
    """So many of the records: by digest of seed and id, the same whatever their order; no more are held in memory."""
    return heapq.nsmallest(count, records, key=lambda r: hashlib.sha256(f"leak/{seed}/{r.id}".encode()).hexdigest())


def sealed_of(secrets: Iterable[tuple[str, str]], key: bytes) -> fingerprints.Sealed:
    """Types and fingerprints as an opened set."""
    types: dict[str, dict[str, int]] = {}
    for kind, found in secrets:
        types.setdefault(kind, {})[found] = 1
    return fingerprints.Sealed(fingerprints.of_key(key), "", types)


def _held(matcher: fingerprints.Matcher, text: str) -> frozenset[str]:
    return frozenset(fingerprints.folded(text[match.start : match.end]) for match in matcher.anywhere(text))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _unheard(_: int, __: int) -> None:
    """Progress within one model is not told."""
