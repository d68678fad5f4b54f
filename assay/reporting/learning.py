"""Learning: what a training run shows, in sentences and two charts, for who approves its result.

Whether a model overfitted is read off the held-out loss, which is measured on the same records each time: it fell, and
rose again while the loss of the training batches went on falling. A rise counts from :data:`RISE` of the lowest loss
on, and from :data:`LEAST` nats. That is a judgement and no theorem: less than that moves few answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup
from pydantic import JsonValue

from assay.reporting import curves, wording
from assay.reporting.training import Attempt, Replay, Training

VERSION = 3

RISE, LEAST = 0.05, 0.005

_loss = wording.loss

_WIDE = 20
"""Times the smallest of all losses that the largest may be before the axis is a logarithmic one."""

NOT_HELD_OUT = (
    "No loss was measured on held-out records, so nothing is known of overfitting. Give `split.validation` a share."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How well learning carried over to records that nothing was learned from."""

    word: str
    colour: str
    said: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that training passed through, by what was learned from and what was held out."""

    step: float
    learned: float | None
    held_out: float
    is_kept: bool

    @property
    def gap(self) -> float | None:
        """By how much more is lost on what was held out."""
        return None if self.learned is None else self.held_out - self.learned


@dataclass(frozen=True, slots=True)
class Learning:
    """What a training run shows."""

    standing: Standing
    losses: Markup
    is_logarithmic: bool
    metric: str | None
    """Of the task, that was measured on the validation side."""

    scores: Markup
    """By that metric."""

    checkpoints: list[Checkpoint]
    notes: list[tuple[str, str]]
    """A word or two, and what there is to say of it."""


def shown(training: Training, recipe: Mapping[str, JsonValue], metric: str | None) -> Learning:
    """What a training run shows; ``recipe`` is the recipe's part on training."""
    losses = [loss for points in (training.losses, training.held_out) for _, loss in points if loss > 0]
    wide = bool(losses) and max(losses) > _WIDE * min(losses)
    mark = curves.Mark(training.kept_at, f"kept: step {wording.count(training.kept_at)}") if training.held_out else None
    last = max((step for step, _ in training.losses), default=float(training.steps))
    return Learning(
        standing=standing(training),
        losses=curves.lines(
            [
                curves.Line("training", training.losses, "first"),
                curves.Line("held-out", training.held_out, "second", dots=True),
            ],
            "Loss by step: of the training batches, and on held-out records",
            axis=curves.logarithmic if wide else curves.linear,
            mark=mark,
            reach=last,
        ),
        is_logarithmic=wide,
        metric=metric,
        scores=curves.lines(
            [curves.Line(metric, training.measured(metric), "second", dots=True)],
            f"{wording.metric(metric)} on held-out records by step",
            axis=curves.shares,
            mark=mark,
            reach=last,
        )
        if metric
        else Markup(),
        checkpoints=checkpoints(training),
        notes=_notes(training, recipe),
    )


def checkpoints(training: Training) -> list[Checkpoint]:
    """Each measurement with the losses on either side of what was held out."""
    beside = dict(training.beside)
    return [Checkpoint(at, beside.get(at), loss, at == training.kept_at) for at, loss in training.held_out]


def standing(training: Training) -> Standing:
    """Overfitted or not, and by what one can tell."""
    points, kept = training.held_out, training.kept_loss
    if len(points) < 2 or kept is None:  # noqa: PLR2004
        return Standing("not known", "plainly", NOT_HELD_OUT)
    first, last = points[0][1], points[-1][1]
    at, lowest = min(points, key=lambda point: (point[1], point[0]))
    where = f"{_loss(lowest)} at step {wording.count(at)}"
    gap = _gap(training, kept)
    if kept >= first:
        said = f"On held-out records the weights that were kept are no better than those of the start: {_loss(kept)}."
        return Standing("nothing carried over", "bad", said)
    if _rose(lowest, kept):
        said = (
            f"The held-out loss was lowest with {where}, and is {_loss(kept)} in the weights that were kept: they know "
            f"their examples better than the task. {_otherwise(training)} {gap}"
        )
        return Standing("overfitted", "odd", said)
    if _rose(lowest, last):
        said = (
            f"Training went on into overfitting, up to {_loss(last)}; what was kept is of before, with {where}. {gap}"
        )
        return Standing("not overfitted", "good", said)
    before = points[-2][1]
    if at == points[-1][0] and _rose(last, before):
        said = (
            f"The held-out loss was still falling at the end, from {_loss(before)} to {_loss(last)}: more epochs may "
            f"help. {gap}"
        )
        return Standing("not overfitted", "good", said)
    return Standing("not overfitted", "good", f"The held-out loss did not rise again. {gap}")


def _otherwise(training: Training) -> str:
    """What keeps the lowest held-out loss, or why another was kept."""
    chosen = training.chosen
    if chosen is None or chosen.keep == "last":
        return "`training.selection.keep: best` keeps the lowest."
    return f"They were kept as the best by {wording.metric(chosen.metric).lower()}."


def _gap(training: Training, kept: float) -> str:
    """The losses on either side of what was held out."""
    learned = training.learned_loss
    if learned is None:
        return f"With the weights that were kept it is {_loss(kept)}."
    mixed = " Batches hold replayed examples too, held-out records do not." if training.replayed else ""
    return (
        f"Kept weights: {_loss(learned)} on the batches last learned from, {_loss(kept)} on held-out records, a gap "
        f"of {wording.changed(kept - learned, 'held_out_loss').lstrip('+')}.{mixed}"
    )


def _notes(training: Training, recipe: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    said = [
        ("Kept", _kept(training)),
        ("End", _end(training, recipe)),
        ("Cut short", _truncated(training, recipe)),
        ("Replay", _replay(training)),
        ("Update", _update(training)),
        ("Rows", _rows(training)),
        ("Memory", _memory(training)),
        ("Repeating it", repeatable(training)),
    ]
    return [(name, sentence) for name, sentence in said if sentence]


def _kept(training: Training) -> str:
    chosen = training.chosen
    if chosen is None:
        return ""
    metric = wording.metric(chosen.metric).lower()
    how = "the last" if chosen.keep == "last" else f"the best of all measured by {metric}"
    value = "" if chosen.value is None else f"; {metric} {wording.scaled(chosen.value, chosen.metric)}"
    return f"the weights of step {wording.count(chosen.step)}, {how}{value}."


def _end(training: Training, recipe: Mapping[str, JsonValue]) -> str:
    steps, planned = training.steps, training.planned_steps
    if planned is None:
        return ""
    if steps >= planned and not training.stopped_early:
        return f"all {wording.count(planned)} planned steps were made."
    said = f"stopped at step {wording.count(steps)} of {wording.count(planned)}"
    if not training.stopped_early:
        return f"{said}."
    selection = recipe.get("selection")
    patience = selection.get("patience") if isinstance(selection, dict) else None
    metric = wording.metric(training.chosen.metric if training.chosen else "held_out_loss").lower()
    row = f"the last {patience} measurements" if patience else "the last measurements"
    return f"{said}, as the recipe asks: {row} were no better than the best before them, by {metric}."


def _truncated(training: Training, recipe: Mapping[str, JsonValue]) -> str:
    if not training.truncated:
        return "no example."
    share = wording.share(training.truncated / training.examples) if training.examples else wording.UNKNOWN
    limit = f" than {recipe['max_length']} tokens" if recipe.get("max_length") else ""
    return (
        f"{wording.count(training.truncated)} of {wording.count(training.examples)} examples ({share}), which are "
        f"longer{limit}: the beginning of their prompts was not read."
    )


def _replay(training: Training) -> str:
    if not training.replayed and training.replay is None:
        return ""
    share = wording.share(training.replayed / training.examples) if training.examples else wording.UNKNOWN
    return (
        f"{wording.count(training.replayed)} of {wording.count(training.examples)} examples ({share}) are the base's "
        f"own answers to general prompts, learned against forgetting.{_answered(training.replay)}"
    )


def _answered(replay: Replay | None) -> str:
    """How many answers were wanted, asked for and kept, and why the others were left out."""
    if replay is None:
        return ""
    said = f" Wanted were {wording.count(replay.wanted)}, of {wording.count(replay.asked)} answers asked for."
    reasons = sorted(replay.left_out.items(), key=lambda reason: (-reason[1], reason[0]))
    if told := ", ".join(f"{wording.count(count)} {name}" for name, count in reasons):
        said += f" Left out: {told}."
    if replay.kept < replay.wanted:
        said += " The share is smaller than the recipe asks for: more prompts, or ones that are answered briefly, help."
    return said


def _update(training: Training) -> str:
    size = training.update_size
    if size is None:
        return ""
    where = f", in {size.module}" if size.module else ""
    still = f" {wording.count(size.unmoved)} of {wording.count(size.matrices)} did not move." if size.unmoved else ""
    return (
        f"{wording.percent(size.median)} of a matrix in the median, {wording.percent(size.max)} at most{where} (norm "
        f"of what was added over norm of what was there).{still}"
    )


def _rows(training: Training) -> str:
    """How examples were laid out, and what of it is a fallback."""
    layout = training.layout
    if layout is None:
        return ""
    said = "packed end to end without padding; no example sees another"
    if layout.name == "padded":
        said = "examples beside one another, filled up with padding"
        said += f". Packing was asked for and not possible: {layout.why.rstrip('.')}" if layout.why else ""
    computed = layout.computed_tokens
    if not computed or not training.tokens or computed == training.tokens:
        return f"{said}."
    if computed > training.tokens:
        return f"{said}. {wording.share(1 - training.tokens / computed)} of what was computed is padding."
    return (
        f"{said}. {wording.share(1 - computed / training.tokens)} of tokens needed no computing of their own, as they "
        "are beginnings that examples share."
    )


def _memory(training: Training) -> str:
    """What was tried until it fitted."""
    *failed, last = training.attempts or (Attempt(),)
    facts = (training.fact("micro_batch"), training.fact("checkpoint_activations"))
    micro, again = last.micro_batch or facts[0], last.checkpoint_activations or facts[1] is True
    saved = "activations were computed again on the way back instead of kept, which takes longer and less memory"
    if not failed:
        return f"{saved}." if again else ""
    tried = ", then ".join(f"{each.micro_batch or 'the whole batch'} ({each.outcome})" for each in failed)
    then = f"; {saved}" if again else ""
    return f"of examples at a time {tried}, then {micro}, which fitted{then}. A batch of the recipe stayed as large."


def repeatable(training: Training) -> str:
    """Whether the same recipe gives the same bytes on such a machine, and what stands in the way."""
    machine = _machine(training)
    if (exact := training.fact("deterministic")) is None:
        return "whether the same recipe gives the same bytes again was not recorded."
    if exact is True:
        return f"the same recipe gives the same bytes on such a machine ({machine})."
    given = training.fact("not_deterministic")
    names = " and ".join(str(name) for name in given) if isinstance(given, list) and given else "something unnamed"
    return f"on such a machine ({machine}) the last bits differ from run to run, because of {names}."


def _machine(training: Training) -> str:
    """What equal bytes depend on beyond the recipe."""
    device, facts = training.fact("device"), []
    if device == "cpu":
        facts = [("{}", training.fact("cpu")), ("{} threads", training.fact("threads"))]
    facts += [("{}", training.fact("dtype")), ("torch {}", training.fact("torch"))]
    facts += [("{} processes", training.fact("processes"))] if training.fact("processes") not in {None, 1} else []
    return ", ".join(
        ["CPU" if device == "cpu" else str(device or "unnamed"), *(said.format(fact) for said, fact in facts if fact)]
    )


def _rose(low: float, high: float) -> bool:
    return high - low > max(RISE * low, LEAST)
