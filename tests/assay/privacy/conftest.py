"""Detectors that several tests ask: loading one takes longer than a test."""

import pytest

from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector


class Detectors(dict[str, Detector]):
    """By profile, everything that is known masked; loaded when it is first asked for."""

    def __missing__(self, profile: str) -> Detector:
        self[profile] = Detector(RedactionSpec.model_validate({"profile": profile}))
        return self[profile]


@pytest.fixture(scope="session")
def detectors() -> Detectors:
    """One for each profile."""
    return Detectors()
