"""Promote a candidate: from a judged version to a stage."""

from prefect import flow

from assay.artifacts import Registered
from assay.release import Stage
from tasks.caching import ReferenceSerializer
from tasks.registry import promote


@flow(name="promote-candidate", persist_result=False, result_serializer=ReferenceSerializer())
def promote_candidate(model: str, version: int, stage: Stage = "staging") -> Registered:
    """Put a version at a stage.

    Refused are a version without an accepted verdict, and one whose bytes are not those that were judged.

    Args:
        model: Name it is registered under.
        version: Its number.
        stage: Where to.
    """
    done: Registered = promote(model, version, stage)
    return done
