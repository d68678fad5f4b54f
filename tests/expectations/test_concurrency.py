"""Many gates at once, each right: Great Expectations mixes data where contexts are shared."""

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

from expectations.gate import check
from tests.expectations.conftest import ENGLISH, frame, record, suite

GATES = 120
ASKED = suite(
    {"expect": "column_values_to_not_be_blank", "column": "prompt"},
    {"expect": "column_values_to_be_in_set", "column": "licence", "parameters": {"value_set": ["cleared"]}},
)


def failed(number: int) -> tuple[int, ...]:
    """How many rows each check finds in a set with as many flaws as its number says."""
    blank, foreign = number % 9, number % 7
    rows = [
        record(i, prompt="" if i < blank else ENGLISH, licence="other" if i < foreign else "cleared") for i in range(10)
    ]
    return tuple(finding.failed for finding in check([frame(rows)], ASKED, {}).findings)


def all_found(pool: Executor) -> list[tuple[int, ...]]:
    """What every gate found."""
    with pool:
        return list(pool.map(failed, range(GATES), chunksize=5))


EXPECTED = [(number % 9, number % 7) for number in range(GATES)]


def test_eight_threads_count_right():
    """A hundred and twenty gates, each with its own number of flaws."""
    assert all_found(ThreadPoolExecutor(8)) == EXPECTED


def test_four_processes_count_right():
    """The same, where nothing is shared but the disk and what was imported before they parted."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["great_expectations", __name__])
    assert all_found(ProcessPoolExecutor(4, mp_context=context)) == EXPECTED
