"""Where shards are worked on: processes of this machine, or a Dask or Ray cluster by ``ASSAY_CLUSTER``.

A mapped step is a thread to Prefect, which caches, retries and shows it; its work is handed to an executor, so the same
flow serves one machine and many. Workers of a cluster read and write the store of their own environment: give them the
``ASSAY_`` variables of the flow, and a store that all of them reach.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from assay.errors import AssayError, RecipeError, TrainingError
from tasks import launch
from tasks.clusters import Dask, Ray
from tasks.places import cluster, store, workers

WAITING = 6
"""Threads beyond those that wait for workers: steps that run beside the mapped one."""


class Threads(ThreadPoolTaskRunner[Any]):
    """Prefect's threads, which a flow waits for at its end: when it is cancelled, terminated or interrupted too.

    What they wait for is ended before. Prefect's own word reaches only the main thread.
    """

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the work of a flow that was told to end, then wait for its threads."""
        if exc_type is not None and not issubclass(exc_type, Exception):
            launch.stop_all()
            stop()
        super().__exit__(exc_type, exc_value, traceback)


RUNNER = cast("TaskRunner[PrefectFuture[Any]]", Threads(max_workers=workers() + WAITING))
"""Of a flow's tasks: threads that wait for processes, however many shards there are."""

P = ParamSpec("P")
T = TypeVar("T")

_lock = threading.Lock()
_stopped = threading.Event()
_seats = threading.Semaphore(workers())
"""As many shards are under way as there are workers, so that patience is not spent in a queue."""

_pools: dict[str, Executor] = {}
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
    if _stopped.is_set():
        raise _unwanted()
    pool = _pool()
    future = pool.submit(function, *args, **kwargs)
    try:
        return future.result(PATIENCE)
    except (BrokenProcessPool, CancelledError):
        close(pool)
        if _stopped.is_set():  # Not worth a second try, which a broken pool is.
            raise _unwanted() from None
        raise
    except TimeoutError:
        future.cancel()
        if isinstance(pool, ProcessPoolExecutor):
            for process in multiprocessing.active_children():
                process.kill()
            close(pool)
        raise


def release() -> None:
    """Let the processes of this store's pool end with their work: each holds half a gigabyte of models."""
    with _lock:
        if pool := _pools.pop(store().url, None):
            pool.shutdown(wait=False)


def close(pool: Executor | None = None) -> None:
    """Stop a pool's processes; all of them without an argument."""
    with _lock:
        for url, each in list(_pools.items()):
            if pool in (None, each):
                each.shutdown(wait=False, cancel_futures=True)
                del _pools[url]


def stop() -> None:
    """End all work on shards at once and take no more: this process is to end, and nothing of a shard is lost."""
    _stopped.set()
    for process in multiprocessing.active_children():
        process.kill()
    close()


def _unwanted() -> AssayError:
    return TrainingError("the run was stopped; the same command goes on from where it was.")


def _end_with(parent: int) -> None:
    """Let a worker end when the process that started it is gone, however that ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _pool() -> Executor:
    url = store().url
    with _lock:
        if url not in _pools:
            _pools[url] = _executor()
        return _pools[url]


def _executor() -> Executor:
    kind, _, address = cluster().partition("://")
    match kind:
        case "processes":
            # Spawned, not forked: a fork would copy the threads' locks of Prefect in whatever state they are.
            return ProcessPoolExecutor(
                workers(),
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_end_with,
                initargs=(os.getpid(),),
            )
        case "dask":
            return Dask(address)
        case "ray":
            return Ray(address)
        case _:
            raise RecipeError(
                f"ASSAY_CLUSTER: found {kind!r}; expected processes, dask://HOST:PORT or ray://HOST:PORT. "
                "Mend the environment."
            )
