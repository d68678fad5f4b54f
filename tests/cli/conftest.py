"""What every test of the command line needs: an environment that is put back."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Whatever a command sets for the libraries that it will import is taken back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
