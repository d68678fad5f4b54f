"""Unwanted: which runs have failed or were stopped, so that nothing is started for them and nobody waits for them."""

import threading

from prefect.runtime import flow_run

from assay.errors import TrainingError

stopped = threading.Event()
"""Set once a person or a scheduler wants this process to end."""

failed: dict[str, BaseException] = {}
"""Run → the error of the first of its steps that failed: no child of that run is wanted any more."""


def this_run() -> str:
    """Id of the run that this thread works for; empty if there is none."""
    return str(flow_run.id or "")


def refuse_unwanted(run: str) -> None:
    """Raise why a run is over, if it is.

    Raises:
        TrainingError: this process was told to end.
        BaseException: what its first failed step raised.
    """
    if stopped.is_set():
        raise TrainingError("the run was stopped; the same command goes on from where it was.")
    if run in failed:
        raise failed[run]
