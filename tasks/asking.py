"""Asking: what the base itself answers to general prompts, laid out to be learned beside the task.

A model that learns a task forgets some of what it knew. Learning, beside the task, what it would have said anyway
holds it (rehearsal; Robins 1995, doi:10.1080/09540099550039318), and answers of its own serve where the data that it
was made from are not at hand (self-synthesised rehearsal; Huang et al. 2024, arXiv:2403.01244).

All prompts are asked, and asked again, until there are as many examples as the recipe's share asks for. Some answers
are left out, each for the first of these reasons, and counted:

| reason | why it is not learned |
|---|---|
| ``empty`` | nothing was said |
| ``repetitive`` | more than half of its runs of four tokens stood in it before |
| ``unfinished`` | the limit ended it. Cut at a sentence and closed, it would teach an end that the base never spoke |
| ``control`` | it speaks a control token in mid-sentence, as another turn would begin |
| ``long`` | with its prompt it is longer than training reads, or the prompt would have to be cut |
| ``quotation`` | prompt or answer quotes an item of the general-ability benchmark |
| ``personal`` | the recipe's redaction would replace something in prompt or answer, or set it aside unexamined |

An answer that is said twice stays twice: that is how likely it is. Of more than are wanted those asked first stay, the
rest is ``surplus``. The counts lie in the Parquet file's own metadata (:func:`counts`). An answer depends on the
prompts and on how often they were asked before, and not on how many are wanted.
"""

import functools
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.artifacts import Artifact
from assay.data import contamination
from assay.errors import TrainingError
from assay.evaluation import generation, sampling
from assay.evaluation.sampling import Drawn, Prompt
from assay.model import prompting, rows
from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector
from assay.privacy.replacement import redaction
from assay.records import Record, Turn
from assay.spec import ContaminationSpec
from assay.store import write_atomically
from assay.tuning import ReplaySpec
from tasks.places import checkout, store, threads

VERSION = 2  # Raise on any change here that could change an example: it is part of the key of replay.

BATCH = 16
"""Prompts answered together. It may move an answer, so it is no setting."""

TRIES = 3
"""So many times the prompts are asked that would do if every answer could be learned; then what is there must do."""

REPETITIVE = 0.5
"""Share of repeated runs above which an answer goes round in circles."""

COUNTS = b"assay.replay"
"""Where the counts lie in the file's metadata."""


class Asked(NamedTuple):
    """One prompt, asked once more."""

    prompt: Prompt
    time: int
    """How often it was asked before."""

    @property
    def id(self) -> str:
        """Of the example."""
        return f"replay-{self.prompt.id}-{self.time + 1}"


class Judged(NamedTuple):
    """An answer as an example, or the reason why it is none."""

    row: prompting.Encoded
    reason: str | None


def replay(job: dict[str, Any], folder: Path, report: Callable[[dict[str, Any]], None]) -> None:
    """Ask the base; leave ``replay.parquet``.

    Raises:
        TrainingError: none of its answers can be learned.
    """
    spec = ReplaySpec.model_validate(job["spec"])
    prompts = sampling.parse(store().get(Artifact.model_validate(job["prompts"])))
    wanted = examples(job["records"], spec.share)
    rounds = math.ceil(wanted / len(prompts))
    asked: list[Asked] = []
    judged: list[Judged] = []
    base = Base(job, spec)
    for time in range(TRIES * rounds):
        once = [Asked(prompt, time) for prompt in prompts]
        told = functools.partial(_tell, report, len(asked), max(rounds, time + 1) * len(prompts))
        judged += base.ask(once, told)
        asked += once
        if sum(found.reason is None for found in judged) >= wanted:
            break
    _refuse_none(judged)
    write_atomically(folder / "replay.parquet", filed(asked, judged, wanted))


def examples(records: int, share: float) -> int:
    """How many examples make ``share`` of all, beside so many records."""
    return round(share / (1 - share) * records)


def turns(prompt: Prompt) -> list[Turn]:
    """The conversation that it is."""
    return [Turn("user", prompt.prompt)]


def filed(asked: Sequence[Asked], judged: Sequence[Judged], wanted: int) -> bytes:
    """Examples as training reads them, with the counts of what became of the answers."""
    import pyarrow.parquet as pq

    good = [(each.id, found.row) for each, found in zip(asked, judged, strict=True) if found.reason is None]
    kept = good[:wanted]
    reasons = [found.reason for found in judged if found.reason is not None] + ["surplus"] * (len(good) - len(kept))
    told = {"wanted": wanted, "asked": len(asked), "kept": len(kept), "left_out": dict(Counter(reasons))}
    table = pq.read_table(io.BytesIO(rows.to_parquet([row for _, row in kept], [id for id, _ in kept])))
    metadata = {**(table.schema.metadata or {}), COUNTS: json.dumps(told, sort_keys=True).encode()}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
    return buffer.getvalue()


def counts(data: bytes) -> dict[str, Any]:
    """Of a filed replay: answers ``wanted``, ``asked``, ``kept``, and ``left_out`` by reason."""
    import pyarrow.parquet as pq

    told: dict[str, Any] = json.loads(pq.read_schema(io.BytesIO(data)).metadata[COUNTS])
    return told


def quotation(index: contamination.Index, spec: ContaminationSpec, text: str) -> str | None:
    """The benchmark item that ``text`` quotes, if it does."""
    found = index.quoted(text)
    return found[0] if found and found[1] >= spec.overlap else None


class Base:
    """The base, ready to be asked."""

    def __init__(self, job: dict[str, Any], spec: ReplaySpec) -> None:
        self._spec = spec
        folder = checkout(Artifact.model_validate(job["base"]))
        self._model, self._tokenizer = generation.load(folder, job["dtype"], threads())
        self._window = min(job["max_length"], self._model.config.max_position_embeddings - spec.max_new_tokens)
        policy = RedactionSpec.model_validate(job["redaction"])
        self._judge = Judge(self._tokenizer, spec.system, job["max_length"], _quotes(job), policy)

    def ask(self, asked: Sequence[Asked], report: Callable[[int], None]) -> list[Judged]:
        """Each prompt once; ``report`` is told how many are answered."""
        spec = self._spec
        heads = [prompting.encode(self._tokenizer, spec.system, turns(a.prompt), None, self._window) for a in asked]
        said = sampling.draw(
            self._model,
            [list(head.input_ids[-self._window :]) for head in heads],  # One that does not fit is left out anyway.
            [f"{spec.seed}/{each.prompt.id}/{each.time}" for each in asked],
            frozenset(prompting.stops(self._tokenizer)) | generation.ends(self._model),
            spec.temperature,
            spec.max_new_tokens,
            BATCH,
            lambda done, _: report(done),
        )
        return [self._judge(*each) for each in zip(asked, heads, said, strict=True)]


class Judge:
    """Says of an answer whether it can be learned."""

    def __init__(
        self,
        tokenizer: sampling.Model,
        system: str,
        max_length: int,
        quotes: Callable[[str], str | None],
        policy: RedactionSpec,
    ) -> None:
        self._tokenizer, self._system, self._max_length = tokenizer, system, max_length
        self._quotes = quotes
        # Nothing is put in the place of what is found, so no key is needed to invent it.
        self._policy, self._detector = policy.with_masks(), Detector(policy)

    def __call__(self, asked: Asked, head: prompting.Encoded, said: Drawn) -> Judged:
        """The example, and why it is left out if it is."""
        answer = self._tokenizer.decode(said.tokens, skip_special_tokens=True).strip()
        row = prompting.encode(self._tokenizer, self._system, turns(asked.prompt), answer, self._max_length)
        controls = set(said.tokens) & set(self._tokenizer.all_special_ids)
        reasons: dict[str, Callable[[], object]] = {
            "empty": lambda: not answer,
            "repetitive": lambda: sampling.repetition(said.tokens) > REPETITIVE,
            "unfinished": lambda: not said.ended,
            "control": lambda: controls,
            "long": lambda: head.truncated or not head.fits or row.truncated or not row.fits,
            "quotation": lambda: self._quotes(answer) or self._quotes(asked.prompt.prompt),
            "personal": lambda: self._is_personal(asked, answer),
        }
        return Judged(row, next((reason for reason, holds in reasons.items() if holds()), None))

    def _is_personal(self, asked: Asked, answer: str) -> bool:
        said = Record(
            id=asked.id, subject="", bucket=0, source="replay", context=tuple(turns(asked.prompt)), completion=answer
        )
        passed, _, audited = redaction.redact([said], self._policy, self._detector.find)
        return not passed or any(row.counts for row in audited)  # What cannot be examined does not pass.


def _tell(report: Callable[[dict[str, Any]], None], before: int, of: int, done: int) -> None:
    report({"event": "answers", "step": before + done, "of": of})


def _refuse_none(judged: Sequence[Judged]) -> None:
    reasons = Counter(found.reason for found in judged)
    if judged and None not in reasons:
        told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        raise TrainingError(
            f"replay: found no answer of the base that can be learned, of {len(judged)} ({told}); expected some. Raise "
            "replay.max_new_tokens if they are unfinished, ask for shorter answers, or leave `replay` out."
        )


def _quotes(job: dict[str, Any]) -> Callable[[str], str | None]:
    spec = ContaminationSpec.model_validate(job["contamination"])
    texts = contamination.benchmark_texts(store().get(Artifact.model_validate(job["benchmark"])))
    index = contamination.Index(texts, spec.words)
    return lambda text: quotation(index, spec, text)
