"""Publishing: what Prefect's pages show of a run: progress, tables, and where the report is.

Nothing shown here is the record of anything; it points at artefacts. Failing to show something
never fails a run.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.logging import get_logger
from prefect.runtime import flow_run

from assay.artifacts import Artifact, Checked, Described, Evaluated, Outcome, Registered, Trained, Validated
from assay.evaluations import Verdict
from assay.spec import DOORWAYS
from tasks import pages, telling
from tasks.places import address, place_page, store
from tasks.steps import planned

EVERY = 5.0
"""Seconds between two updates of a progress bar."""

listeners: list[Callable[[str, dict[str, Any]], None]] = []
"""Called with the step and each progress event of a run in this process."""


class Progress(AbstractContextManager["Progress"]):
    """Passes the events of a job on: to a Prefect progress artifact, and to this process's listeners."""

    def __init__(self, task: str, key: str) -> None:
        self._task, self._key = task, key
        self._artifact: UUID | None = None
        self._last = 0.0

    def __enter__(self) -> Self:
        if not flow_run.id:  # Outside of a run there is no page to show it on.
            return self
        with harmless():
            made = create_progress_artifact(
                0.0, key=f"progress-{self._key[:12]}", description=f"{self._task}: progress"
            )
            self._artifact = made if isinstance(made, UUID) else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._show(100.0)

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one event in."""
        for listener in listeners:
            listener(self._task, event)
        if event.get("of") and time.monotonic() - self._last > EVERY:
            self._last = time.monotonic()
            self._show(100.0 * float(event.get("step", 0)) / float(event["of"]))

    def _show(self, percent: float) -> None:
        if self._artifact is not None:
            with harmless():
                update_progress_artifact(self._artifact, min(percent, 100.0))


def publish(
    registered: Registered,
    trained: Trained,
    baseline: Evaluated,
    candidate: Evaluated,
    verdict: Artifact,
    page: Artifact,
    content: Artifact,
    doorways: list[Validated | Checked],
    described: Described,
    redaction: Artifact,
) -> Outcome:
    """Lay every page out as a file, link them from the run, show the verdict, and bundle what came of it."""
    if planned():
        return cast("Outcome", registered)
    outcome = Outcome(
        registered=registered,
        adapter=trained.adapter,
        baseline=baseline,
        candidate=candidate,
        verdict=verdict,
        page=page,
        content=content,
        doorways={name: each.outcome for name, each in zip(DOORWAYS, doorways, strict=True)},
        described=described,
        redaction=redaction,
    )
    told = Verdict.model_validate_json(store().get(verdict))
    about = f"{registered.model} version {registered.version}"
    with harmless():
        for name, path in _laid_out(outcome).items():
            link(name, path, f"{name} of {about}")
        create_markdown_artifact(
            f"# {told.decision}\n\n{told.sentence}\n\n" + "\n".join(f"- {reason}" for reason in told.reasons),
            key="verdict",
            description=about,
        )
        rows = [criterion.model_dump(mode="json") for criterion in told.criteria]
        create_table_artifact(rows, key="criteria", description="Every criterion against its threshold")
    return outcome


def _laid_out(outcome: Outcome) -> dict[str, Path]:
    """Every page of a run by its name, as a file."""
    card = pages.dataset(outcome.described)
    beside = {"report": report_name(outcome.registered), "card": card["page"]}
    place_page(card["croissant"], store().get(outcome.described.croissant))
    telling.lay_out(beside["report"], outcome.content)
    return {
        "report": place_page(beside["report"], store().get(outcome.page)),
        "data-card": place_page(beside["card"], store().get(outcome.described.card)),
        **{
            f"expectations-{name}": pages.place_doorway(name, filed, beside=beside)
            for name, filed in outcome.doorways.items()
        },
        "redaction": pages.place_redaction(outcome.redaction, beside=beside),
    }


def link(key: str, path: Path, about: str) -> None:
    """Link a page from the run that is under way."""
    create_link_artifact(address(path), link_text=key.replace("-", " "), key=key, description=about)


def report_name(registered: Registered) -> str:
    """Of the page that belongs to a version."""
    return f"{registered.model}-{registered.identity[:12]}.html"


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Go on without what could not be shown: a page that cannot be drawn is no reason to lose a model."""
    try:
        yield
    except Exception:  # noqa: BLE001  # whatever it was, it is logged
        get_logger("assay").warning("could not publish to Prefect", exc_info=True)
