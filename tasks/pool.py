"""A pool of processes that mapped steps share: shards are threads to Prefect, cores to the machine."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from tasks.places import store, workers

P = ParamSpec("P")
T = TypeVar("T")

_lock = threading.Lock()
_pools: dict[str, ProcessPoolExecutor] = {}
"""By the store that their processes read and write: they keep the environment they were started in."""


PATIENCE = 1800.0
"""Seconds for one shard, its wait included. Prefect cannot stop a thread; a process can be killed."""


def in_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``function`` in a process of the pool and wait for it.

    Raises:
        BrokenProcessPool: a process died; the next call starts a new pool.
        TimeoutError: :data:`PATIENCE` is over; the pool's processes are killed.
    """
    pool = _pool()
    try:
        return pool.submit(function, *args, **kwargs).result(PATIENCE)
    except BrokenProcessPool:
        close(pool)
        raise
    except TimeoutError:
        for process in multiprocessing.active_children():
            process.kill()
        close(pool)
        raise


def release() -> None:
    """Let the processes of this store's pool end with their work: each holds half a gigabyte of models."""
    with _lock:
        if pool := _pools.pop(store().url, None):
            pool.shutdown(wait=False)


def close(pool: ProcessPoolExecutor | None = None) -> None:
    """Stop a pool's processes; all of them without an argument."""
    with _lock:
        for url, each in list(_pools.items()):
            if pool in (None, each):
                each.shutdown(wait=False, cancel_futures=True)
                del _pools[url]


def _pool() -> ProcessPoolExecutor:
    url = store().url
    with _lock:
        if url not in _pools:
            # Spawned, not forked: a fork would copy the threads' locks of Prefect in whatever state they are.
            _pools[url] = ProcessPoolExecutor(workers(), mp_context=multiprocessing.get_context("spawn"))
        return _pools[url]
