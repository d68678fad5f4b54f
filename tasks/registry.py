"""Registry steps: a version for what was judged, and the pointers that say which one is live.

MLflow holds versions, files, tags and aliases, in a SQLite file of this deployment or on the server
at ``MLFLOW_TRACKING_URI``. Its tags and aliases can be changed by anybody who may edit a model, so
they are never believed: digests are checked against bytes, and the history of transitions, written
once and chained, is what says where a pointer stands. No step here is cached.
"""

import datetime as dt
import fcntl
import getpass
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from prefect.client.schemas.objects import State
from prefect.states import Completed

from assay import release
from assay.artifacts import Artifact, Evaluated, Registered, Splits, Trained, digest_of
from assay.errors import ArtifactCorruptError, ArtifactError, PromotionRefusedError, RegistryError
from assay.evaluations import Evaluation, Verdict
from assay.release import Stage, Standing, Transition
from assay.spec import ReleaseSpec
from assay.store import manifest_of
from tasks.places import folder, store, tracking_uri
from tasks.steps import step

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

PREFIX = "assay."
IDENTIFYING = ("base", "adapter", "train", "validation", "test", "verdict", "recipe", "report")
"""Tags whose digests, with the model's name, give a version its identity."""


@step()
def register(
    spec: ReleaseSpec,
    card: dict[str, Any],
    base: Artifact,
    sides: Splits,
    trained: Trained,
    evaluated: Evaluated,
    verdict: Artifact,
    page: Artifact,
) -> "Registered | State[Registered]":
    """File a version with its bytes, its verdict and a tag for every digest; the same thing twice is one version.

    The alias ``candidate`` moves to it if it was accepted. A version that was refused is filed too: what was
    trained on whose data must be answerable for it as well.
    """
    told = Verdict.model_validate_json(store().get(verdict))
    digests = {
        "base": base.digest,
        "adapter": trained.adapter.digest,
        "train": digest_of([shard.digest for shard in sides.train.shards]),
        "validation": digest_of([shard.digest for shard in sides.validation.shards]),
        "test": digest_of([shard.digest for shard in sides.test.shards]),
        "verdict": verdict.digest,
        "recipe": digest_of(card),
        "report": page.digest,
    }
    identity = digest_of({"model": spec.model, **digests})
    with _alone():
        client = _client()
        if found := _by_identity(client, spec.model, identity):
            known = Registered(model=spec.model, version=int(found.version), identity=identity)
            if told.decision == "accepted":
                _point_candidate(client, spec.model, known.version)
            return Completed(name="Cached", message="registered before", data=known)
        tags = digests | {
            "identity": identity,
            "training_record": trained.record.digest,
            "decision": told.decision,
            "owner": card["owner"],
        }
        metrics = Evaluation.model_validate_json(store().get(evaluated.summary)).metrics
        version = _create(client, spec.model, trained.adapter, page, tags, metrics)
        if told.decision == "accepted":
            _point_candidate(client, spec.model, version)
    return Registered(model=spec.model, version=version, identity=identity)


@step(retries=0)
def promote(model: str, version: int, stage: Stage) -> Registered:
    """Put a version at a stage, if it was accepted and its bytes are those that were judged."""
    with _alone():
        client = _client()
        stands = _verified(client, model, version)
        history = transitions(model)
        _follow(client, model, history)
        _move(client, release.promotion(history, stands, stage, _who(), _now()))
    return Registered(model=model, version=version, identity=stands.identity)


@step(retries=0)
def roll_back(model: str, stage: Stage, reason: str) -> Registered:
    """Put the version before the current one back at a stage, after checking its bytes."""
    with _alone():
        client = _client()
        history = transitions(model)
        target = release.rollback_target(history, model, stage)
        stands = _verified(client, model, target.version)
        _move(client, release.rollback(history, stands, stage, _who(), _now(), reason))
    return Registered(model=model, version=target.version, identity=stands.identity)


def transitions(model: str) -> list[Transition]:
    """The history of a model, oldest first, after checking that its chain is whole."""
    history = [Transition.model_validate_json(entry) for entry in store().log(f"history/{model}")]
    release.verify(history)
    if history and history[0].model != model:
        raise ArtifactCorruptError(
            f"history of {model}: found that of {history[0].model}. Restore it from a backup before promoting anything."
        )
    return history


def versions(model: str | None = None) -> list[dict[str, Any]]:
    """What is registered: model, version, decision, digests, aliases; newest first."""
    if (uri := tracking_uri()).startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        return []  # Asking makes no database.
    client = _client()
    names = [model] if model else [found.name for found in client.search_registered_models()]
    rows = []
    for name in names:
        stands = _stands(client, name)
        rows += [
            {
                "model": name,
                "version": int(found.version),
                "aliases": sorted(stage for stage, at in stands.items() if at == int(found.version)),
                **{tag.removeprefix(PREFIX): value for tag, value in found.tags.items() if tag.startswith(PREFIX)},
            }
            for found in client.search_model_versions(f"name='{name}'")
        ]
    return sorted(rows, key=lambda row: (row["model"], -row["version"]))


def _create(
    client: "MlflowClient",
    model: str,
    adapter: Artifact,
    page: Artifact,
    tags: dict[str, str],
    metrics: dict[str, float],
) -> int:
    """Make the version last, so that whoever finds one finds all of it."""
    from mlflow.exceptions import MlflowException

    run = client.create_run(_experiment(client, model), run_name=tags["identity"][:12])
    run_id = run.info.run_id
    with tempfile.TemporaryDirectory(dir=folder("work")) as draft:
        client.log_artifacts(run_id, str(store().checkout(adapter, Path(draft) / "adapter")), "adapter")
        (Path(draft) / "report.html").write_bytes(store().get(page))
        client.log_artifact(run_id, str(Path(draft) / "report.html"))
    for name, value in metrics.items():
        client.log_metric(run_id, name, value)
    client.set_terminated(run_id)
    try:
        client.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(
        model,
        source=f"{run.info.artifact_uri}/adapter",
        run_id=run_id,
        tags={PREFIX + name: value for name, value in tags.items()},
    )
    return int(made.version)


def _point_candidate(client: "MlflowClient", model: str, version: int) -> None:
    """Let ``candidate`` name the newest accepted version, also after a run that was killed before it could."""
    if int(client.get_registered_model(model).aliases.get("candidate", 0)) < version:
        client.set_registered_model_alias(model, "candidate", str(version))


def _experiment(client: "MlflowClient", model: str) -> str:
    name = f"assay/{model}"
    if found := client.get_experiment_by_name(name):
        return cast("str", found.experiment_id)
    local = tracking_uri().startswith("sqlite:")
    return cast(
        "str",
        client.create_experiment(name, artifact_location=(folder("mlflow") / "artifacts").as_uri() if local else None),
    )


def _by_identity(client: "MlflowClient", model: str, identity: str) -> "ModelVersion | None":
    found = client.search_model_versions(f"name='{model}' and tags.`{PREFIX}identity`='{identity}'")
    return min(found, key=lambda version: int(version.version), default=None)


def _verified(client: "MlflowClient", model: str, version: int) -> Standing:
    """What the version is, by its bytes: in the store and in the registry, every file read."""
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_model_version(model, str(version))
    except MlflowException:
        there = ", ".join(str(row["version"]) for row in versions() if row["model"] == model) or "none"
        raise RegistryError(f"{model}: found no version {version}; there are: {there}. See `assay list`.") from None
    tags = {name.removeprefix(PREFIX): value for name, value in found.tags.items()}
    identity = digest_of({"model": model, **{part: tags.get(part) for part in IDENTIFYING}})
    if tags.get("identity") != identity:
        raise PromotionRefusedError(
            f"{model} version {version}: its tags were changed: they no longer give its identity. Run the recipe again."
        )
    base = Artifact(kind="base", digest=tags["base"], tree=True)
    adapter = Artifact(kind="adapter", digest=tags["adapter"], tree=True)
    try:
        for artifact in (base, adapter):
            store().verify(artifact)
        told = Verdict.model_validate_json(store().get(Artifact(kind="verdict", digest=tags["verdict"])))
    except ArtifactError as error:
        raise PromotionRefusedError(f"{model} version {version}: {error}") from None
    _refuse_other_bytes(found, adapter)
    return Standing(
        model=model,
        version=version,
        identity=identity,
        weights=digest_of({"base": base.digest, "adapter": adapter.digest}),
        decision=told.decision,
        judged=told.candidate,
    )


def _refuse_other_bytes(found: "ModelVersion", adapter: Artifact) -> None:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory(dir=folder("work")) as draft:
        try:
            here = download_artifacts(artifact_uri=found.source, dst_path=draft, tracking_uri=tracking_uri())
        except (OSError, MlflowException):
            here = draft  # Nothing is there, which is not the adapter either.
        if manifest_of(Path(here)) != store().files(adapter):
            raise PromotionRefusedError(
                f"{found.name} version {found.version}: the registry's files are not the adapter "
                f"{adapter.digest[:12]} that was judged: they were changed. Register it again."
            )


def _move(client: "MlflowClient", transition: Transition) -> None:
    """Write the transition, which is the move; then let the alias follow."""
    store().append(f"history/{transition.model}", transition.number, transition.model_dump_json().encode())
    client.set_registered_model_alias(transition.model, transition.stage, str(transition.version))


def _client() -> "MlflowClient":
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri(), tracking_uri())


@contextmanager
def _alone() -> Iterator[None]:
    """One registry move at a time on this machine; across machines the history's numbers decide."""
    with (folder("locks") / "registry").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _stands(client: "MlflowClient", model: str) -> dict[str, int]:
    """Which version is the candidate, by its alias, and which stands at each stage, by the history."""
    history = transitions(model)
    held = {stage: release.standing(history, stage) for stage in get_args(Stage)}
    candidate = client.get_registered_model(model).aliases.get("candidate")
    found = {stage: promotions[-1].version for stage, promotions in held.items() if promotions}
    return found | ({"candidate": int(candidate)} if candidate else {})


def _follow(client: "MlflowClient", model: str, history: list[Transition]) -> None:
    """Let each alias name what the history says stands there: a killed or meddled-with move is mended here."""
    aliases = client.get_registered_model(model).aliases
    for stage in get_args(Stage):
        held = release.standing(history, stage)
        if held and str(aliases.get(stage)) != str(held[-1].version):
            client.set_registered_model_alias(model, stage, str(held[-1].version))


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container's user need not have a name.
        return f"uid {os.getuid()}"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
