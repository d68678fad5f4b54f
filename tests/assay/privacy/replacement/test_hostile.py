"""Texts that nobody wrote: a slice of ``bench/fuzz_redaction.py``, which runs ten thousand of them."""

import signal
from collections.abc import Iterator

import pytest

from bench import fuzz_redaction


@pytest.fixture(params=[("fast", 200), ("standard", 40)], ids=lambda each: each[0])
def found(request: pytest.FixtureRequest) -> Iterator[list[fuzz_redaction.Seen]]:
    """What became of the first cases of a seed of their own, under one profile."""
    profile, cases = request.param
    before = signal.getsignal(signal.SIGVTALRM)
    fuzz_redaction.load(profile)
    yield fuzz_redaction.some(20_261_120, 0, cases)
    signal.signal(signal.SIGVTALRM, before)


def test_nothing_raises_hangs_is_left_or_changes_on_a_second_pass(found):
    """And JSON keeps its shape; what cannot be examined is set aside."""
    assert {each.number: each.failures for each in found if each.failures} == {}
    assert sum(not each.reason for each in found) > len(found) // 3
    assert sum(len(each.planted) for each in found) > len(found) // 3
