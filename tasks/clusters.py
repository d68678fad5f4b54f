"""Clusters behind the standard library's executor: a function goes to a worker, and its answer comes back.

Only references cross the wire: workers read and write the store of their own environment. Nothing is tried again
there, since Prefect does that, and shows it. Both packages are extras, imported when a deployment asks for one.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar, cast

from assay.errors import RecipeError

CONNECTING = "10s"
"""Patience with a Dask scheduler that does not answer."""

T = TypeVar("T")


class Dask(Executor):
    """The scheduler at ``tcp://address``.

    Raises:
        RecipeError: the package is not installed, or nobody answers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise RecipeError(_absent("dask", "distributed")) from None
        try:
            self._client = Client(f"tcp://{address}", timeout=CONNECTING, set_as_default=False)
        except OSError as error:
            raise RecipeError(
                f"ASSAY_CLUSTER: found no Dask scheduler at {address} ({type(error).__name__}); expected one that "
                f"answers within {CONNECTING}. Start it, or mend the address."
            ) from None
        # Not pure: to Dask two equal calls were one, also if the first one failed.
        self._executor = self._client.get_executor(pure=False, retries=0)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":  # noqa: ANN401
        """Run ``fn`` on a worker, once."""
        return cast("Future[T]", self._executor.submit(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Leave the cluster; it goes on, and so does what is under way there unless it is cancelled."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()


class Ray(Executor):
    """The head at ``ray://address``; the cluster that this process is part of already without an address.

    Raises:
        RecipeError: the package is not installed, or nobody answers.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError:
            raise RecipeError(_absent("ray", "ray")) from None
        self._ray = ray
        try:
            ray.init(f"ray://{address}" if address else None, ignore_reinit_error=True, log_to_driver=False)
        except ConnectionError:
            raise RecipeError(
                f"ASSAY_CLUSTER: found no Ray head at {address}; expected one that answers. Start it, or mend the "
                "address."
            ) from None

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":  # noqa: ANN401
        """Run ``fn`` on a worker, once."""
        return cast("Future[T]", self._ray.remote(max_retries=0)(_called).remote(fn, args, kwargs).future())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Leave the cluster; it goes on."""
        del wait, cancel_futures
        self._ray.shutdown()


def _called(function: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
    """A function of ours around any callable: Ray takes no built-in ones."""
    return function(*args, **kwargs)


def _absent(extra: str, package: str) -> str:
    return (
        f"ASSAY_CLUSTER: found no package {package}; expected it where the flow runs and on every worker. "
        f"Install assay[{extra}]."
    )
