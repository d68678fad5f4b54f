"""A pool of processes that mapped steps share: shards are threads to Prefect, cores to the machine."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ParamSpec, TypeVar, cast

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.places import store, workers

RUNNER = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=8))
"""Of a flow's tasks: threads that wait for processes, however many shards there are."""

P = ParamSpec("P")
T = TypeVar("T")

_lock = threading.Lock()
_seats = threading.Semaphore(workers())
"""As many shards are under way as there are processes, so that patience is not spent in a queue."""

_pools: dict[str, ProcessPoolExecutor] = {}
"""By the store that their processes read and write: they keep the environment they were started in."""


PATIENCE = 1800.0
"""Seconds for one shard. Prefect cannot stop a thread; a process can be killed."""


def in_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``function`` in a process of the pool and wait for it.

    Raises:
        BrokenProcessPool: a process died; the next call starts a new pool.
        TimeoutError: :data:`PATIENCE` is over; the pool's processes are killed.
    """
    with _seats:
        return _seated(function, *args, **kwargs)


def _seated(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
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


def _end_with(parent: int) -> None:
    """Let a worker end when the process that started it is gone, however that ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _pool() -> ProcessPoolExecutor:
    url = store().url
    with _lock:
        if url not in _pools:
            # Spawned, not forked: a fork would copy the threads' locks of Prefect in whatever state they are.
            _pools[url] = ProcessPoolExecutor(
                workers(),
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_end_with,
                initargs=(os.getpid(),),
            )
        return _pools[url]
