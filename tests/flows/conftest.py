"""One home and one finished run for all tests of the path: a run costs seconds, a question costs none."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.artifacts import Outcome
from tests.flows import small


@dataclass(frozen=True)
class Ran:
    """A finished run: where its recipe lies, what came of it, and its steps."""

    recipe: Path
    outcome: Outcome
    states: list


@pytest.fixture(scope="module")
def path_home(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ``ASSAY_HOME`` that the tests of a module share, with Prefect's records in it."""
    from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSAY_STORE", "ASSAY_SUBJECT_KEY", "ASSAY_VALUE_KEY", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.setenv("ASSAY_HOME", str(home))
        patch.setenv("ASSAY_WORKERS", "1")
        with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: home / "results"}):
            yield home


@pytest.fixture(scope="module")
def ran(path_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The small recipe, run once."""
    recipe = small.recipe(tmp_path_factory.mktemp("recipe"))
    return Ran(recipe, *small.run(recipe))
