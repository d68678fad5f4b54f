"""``assay promote`` and ``assay roll-back``: which version is live."""

from assay.errors import RegistryError
from assay.release import Stage


def promote(model: str | None, version: int, stage: Stage) -> None:
    """Point a stage at a version."""
    from flows.promote_candidate import promote_candidate

    done = promote_candidate(_only(model), version, stage)
    print(f"{done.model} version {done.version} ({done.identity[:12]}) is in {stage}")


def roll_back(model: str | None, stage: Stage, reason: str) -> None:
    """Point a stage back at the version before."""
    from flows.roll_back_version import roll_back_version

    done = roll_back_version(_only(model), stage, reason)
    print(f"{done.model} version {done.version} ({done.identity[:12]}) is in {stage} again")


def _only(model: str | None) -> str:
    if model:
        return model
    from tasks.registry import versions

    names = sorted({row["model"] for row in versions()})
    if len(names) != 1:
        raise RegistryError(f"found {len(names)} registered models ({', '.join(names)}); say which one with --model.")
    return str(names[0])
