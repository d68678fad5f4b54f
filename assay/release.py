"""Release: which version stands at which stage, as a chain of transitions.

The history is the truth; a registry's alias only mirrors its head. Each transition names the
digest of the one before it, so a history that was edited no longer holds together. A promotion
pushes a version onto its stage, a roll-back takes the last one off again; nothing is removed.

Nothing here reads or writes: transitions in, a transition or an error out.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.artifacts import digest_of
from assay.errors import ArtifactCorruptError, PromotionRefusedError, RegistryError

VERSION = 1

Stage = Literal["staging", "production"]
Action = Literal["promote", "roll-back"]


class Transition(BaseModel):
    """One move of one stage's pointer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[int, Field(ge=1)]
    previous: str | None
    """Digest of the transition before it."""

    action: Action
    model: str
    stage: Stage
    version: Annotated[int, Field(ge=1)]
    identity: str
    """Of the version: base, adapter, data and verdict."""

    who: str
    when: str
    """ISO 8601, UTC."""

    reason: str

    def digest(self) -> str:
        """What the next transition names."""
        return digest_of(self.model_dump(mode="json"))


class Standing(BaseModel):
    """What a registry says of a version, and what the verdict that it names says itself."""

    model_config = ConfigDict(frozen=True)

    model: str
    version: int
    identity: str
    weights: str
    """Digest of base and adapter together."""

    decision: str
    judged: str
    """Digest of the weights that the verdict is about."""


def verify(history: Sequence[Transition]) -> None:
    """Check that the chain is whole, or raise :class:`ArtifactCorruptError`."""
    previous: str | None = None
    for place, transition in enumerate(history, start=1):
        expected = (place, previous, history[0].model)
        if (transition.number, transition.previous, transition.model) != expected:
            raise ArtifactCorruptError(
                f"history of {transition.model}: transition {place} does not follow from the one before it; "
                "it was edited or lost. Restore it from a backup before promoting anything."
            )
        previous = transition.digest()


def standing(history: Sequence[Transition], stage: Stage) -> list[Transition]:
    """The promotions that hold at ``stage``, the current one last."""
    held: list[Transition] = []
    for transition in history:
        if transition.stage != stage:
            continue
        if transition.action == "promote":
            held.append(transition)
        elif held:
            held.pop()
    return held


def refuse_unfit(version: Standing) -> None:
    """Raise :class:`PromotionRefusedError` unless the version was accepted, and as the weights it is."""
    name = f"{version.model} version {version.version}"
    if version.judged != version.weights:
        raise PromotionRefusedError(
            f"{name}: its verdict is about weights {version.judged[:12]}; the version is {version.weights[:12]}. "
            "Run the recipe again."
        )
    if version.decision != "accepted":
        raise PromotionRefusedError(
            f"{name}: found verdict {version.decision!r}; expected 'accepted'. See its report; mend the recipe or "
            "the data and run it again."
        )


def promotion(history: Sequence[Transition], version: Standing, stage: Stage, who: str, when: str) -> Transition:
    """The transition that puts ``version`` at ``stage``.

    Raises:
        PromotionRefusedError: it is unfit, or it stands there already.
    """
    refuse_unfit(version)
    held = standing(history, stage)
    if held and held[-1].version == version.version:
        raise PromotionRefusedError(f"{version.model} version {version.version} is in {stage} already.")
    return _next(history, version, stage, "promote", who, when, f"verdict {version.decision}")


def rollback_target(history: Sequence[Transition], model: str, stage: Stage) -> Transition:
    """The promotion that would hold again after a roll-back.

    Raises:
        RegistryError: nothing stands before the current one.
    """
    held = standing(history, stage)
    back = 2
    if len(held) < back:
        found = f"only version {held[-1].version}" if held else "no version"
        raise RegistryError(f"{model}: found {found} in {stage}; expected an earlier one to roll back to.")
    return held[-back]


def rollback(  # noqa: PLR0913, PLR0917
    history: Sequence[Transition], target: Standing, stage: Stage, who: str, when: str, reason: str
) -> Transition:
    """The transition that takes the current version off ``stage``, so that ``target`` holds again.

    Raises:
        RegistryError: ``target`` is not what stood there before the current version.
        PromotionRefusedError: it is unfit.
    """
    before = rollback_target(history, target.model, stage)
    if (before.version, before.identity) != (target.version, target.identity):
        raise RegistryError(
            f"{target.model}: found version {target.version} ({target.identity[:12]}) to roll {stage} back to; "
            f"expected version {before.version} ({before.identity[:12]}), which stood there before."
        )
    refuse_unfit(target)
    return _next(history, target, stage, "roll-back", who, when, reason)


def _next(  # noqa: PLR0913, PLR0917
    history: Sequence[Transition], version: Standing, stage: Stage, action: Action, who: str, when: str, reason: str
) -> Transition:
    return Transition(
        number=len(history) + 1,
        previous=history[-1].digest() if history else None,
        action=action,
        model=version.model,
        stage=stage,
        version=version.version,
        identity=version.identity,
        who=who,
        when=when,
        reason=reason,
    )
