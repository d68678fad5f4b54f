"""Roll a version back: the one before it stands at the stage again."""

from prefect import flow

from assay.artifacts import Registered
from assay.release import Stage
from tasks.caching import ReferenceSerializer
from tasks.registry import roll_back


@flow(name="roll-back-version", persist_result=False, result_serializer=ReferenceSerializer())
def roll_back_version(model: str, stage: Stage = "production", reason: str = "not given") -> Registered:
    """Take the current version off a stage.

    Args:
        model: Name it is registered under.
        stage: Of which the pointer moves.
        reason: Kept in the history; must not hold personal data.
    """
    done: Registered = roll_back(model, stage, reason)
    return done
