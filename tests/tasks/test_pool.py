"""Where shards are worked on: what is asked of processes is asked of a cluster alike."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.errors import RecipeError
from tasks import clusters, pool


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own, and no pool left behind."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    yield tmp_path
    pool.close()


@pytest.fixture
def dask(home, monkeypatch):
    """A real Dask cluster of one process on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        monkeypatch.setenv("ASSAY_CLUSTER", made.scheduler_address.replace("tcp", "dask"))
        yield made
        pool.close()


def test_work_is_done_in_another_process(home):
    """So that a shard that kills its process kills no flow."""
    assert pool.in_process(os.getpid) not in {os.getpid(), os.getppid()}


def test_work_is_done_on_a_dask_cluster(dask):
    """By configuration alone: the call is the same."""
    there = set(dask.scheduler_info["workers"]) and {worker.pid for worker in dask.workers.values()}

    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(lambda _: pool.in_process(os.getpid), range(8)))

    assert found <= there
    assert os.getpid() not in found


def test_an_error_on_the_cluster_is_the_error_here_and_the_next_call_is_served(dask):
    """A step judges by the class whether it is worth another try."""
    with pytest.raises(FileNotFoundError):
        pool.in_process(os.listdir, "/there/is/nothing/here")

    assert pool.in_process(os.getcwd)


def test_a_cluster_that_is_not_there_is_named_with_what_to_do(home, monkeypatch):
    """At once, not after a run has waited for it."""
    pytest.importorskip("distributed")
    monkeypatch.setenv("ASSAY_CLUSTER", "dask://127.0.0.1:9")
    monkeypatch.setattr(clusters, "CONNECTING", "1s")

    with pytest.raises(RecipeError, match=r"found no Dask scheduler at 127\.0\.0\.1:9"):
        pool.in_process(os.getpid)


def test_a_kind_of_cluster_that_is_not_known_is_refused(home, monkeypatch):
    """With those that are."""
    monkeypatch.setenv("ASSAY_CLUSTER", "slurm://head")

    with pytest.raises(RecipeError, match="expected processes, dask://HOST:PORT or ray://HOST:PORT"):
        pool.in_process(os.getpid)


def test_work_is_done_on_a_ray_cluster(home, monkeypatch):
    """Where Ray is installed: it is not in the lock."""
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    monkeypatch.setenv("ASSAY_CLUSTER", "ray://")
    try:
        assert pool.in_process(os.getpid) != os.getpid()
        with pytest.raises(FileNotFoundError):
            pool.in_process(os.listdir, "/there/is/nothing/here")
    finally:
        pool.close()
        ray.shutdown()
