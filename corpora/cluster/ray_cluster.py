"""A cluster that Ray runs: the only file that imports Ray."""

import importlib.util
import logging
import os
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from corpora.cluster.protocol import ONE_CORE, Call, Cluster, Resources
from corpora.errors import InputError, first_line

MAX_RETRIES = 5  # of a call whose process or node was lost
MAX_RESTARTS = 100  # of a worker


def open_cluster(address: str) -> Cluster:
    """Connect to a running Ray cluster; `auto` finds that of this machine.

    Raises:
        InputError: Ray is not installed, or no cluster is there.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError("--cluster needs Ray, which is not installed. Run pip install 'coit-builders[cluster]'.")
    _check_listens(address)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray's future default, without its warning
    import ray

    try:
        ray.init(
            address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False, namespace="coit"
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise _no_cluster(address, first_line(error)) from None
    return RayCluster()


def _check_listens(address: str) -> None:
    """Raise InputError at once if nobody listens at an address: Ray would try for minutes."""
    host, separator, port = address.rpartition(":")
    if separator and port.isdigit() and "/" not in address:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise _no_cluster(address, first_line(error)) from None


def _no_cluster(address: str, reason: str) -> InputError:
    return InputError(
        f"--cluster {address}: no Ray cluster was found there: {reason} Start one with `ray start --head`, and run "
        "this command on one of its machines, with `auto` or HOST:PORT."
    )


class RayCluster:
    """The Ray cluster that this process is connected to. Ray carries paths and small values."""

    def nodes(self) -> Mapping[str, str]:
        import ray

        return {node["NodeID"]: node["NodeName"] for node in ray.nodes() if node["Alive"]}

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        after: Sequence[Call] = (),
        resources: Resources = ONE_CORE,
        node: str | None = None,
        title: str = "",
    ) -> Call:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        strategy: Any = NodeAffinitySchedulingStrategy(node, soft=False) if node else "SPREAD"
        remote = ray.remote(num_cpus=resources.cores, num_gpus=resources.gpus)(function)
        options: dict[str, Any] = {"memory": resources.memory} if resources.memory else {}
        reference = remote.options(
            name=title or function.__name__, max_retries=MAX_RETRIES, scheduling_strategy=strategy, **options
        ).remote(*arguments, *(call.reference for call in after))
        return Call(reference, _future(reference, title or function.__name__))

    def start_worker(self, kind: Callable[..., Any], *arguments: Any, resources: Resources = ONE_CORE) -> Any:
        import ray

        options: dict[str, Any] = {"memory": resources.memory} if resources.memory else {}
        actor: Any = ray.remote(kind)
        return actor.options(
            num_cpus=resources.cores,
            num_gpus=resources.gpus,
            max_restarts=MAX_RESTARTS,
            max_task_retries=MAX_RETRIES,
            scheduling_strategy="SPREAD",
            **options,
        ).remote(*arguments)

    def call_worker(self, worker: Any, method: str, *arguments: Any) -> Call:
        reference = getattr(worker, method).remote(*arguments)
        return Call(reference, _future(reference, method))

    def stop_worker(self, worker: Any) -> None:
        import ray

        ray.kill(worker)

    def cancel(self, calls: Collection[Call], is_forced: bool = False) -> None:
        import ray

        for call in calls:
            ray.cancel(call.reference, force=is_forced)

    def free(self) -> Mapping[str, float]:
        import ray

        return _named(ray.available_resources())

    def total(self) -> Mapping[str, float]:
        import ray

        return _named(ray.cluster_resources())

    def close(self) -> None:
        import ray

        ray.shutdown()


def _named(resources: Mapping[str, float]) -> Mapping[str, float]:
    return {name: resources.get(name, 0.0) for name in ("CPU", "GPU", "memory")}


def _future(reference: Any, title: str) -> "Future[Any]":
    """Return a future of what a call returns, or of what it raised itself instead of Ray's error about it."""
    own: Future[Any] = Future()

    def end(theirs: "Future[Any]") -> None:
        if error := theirs.exception():
            own.set_exception(_own_error(error, title))
        else:
            own.set_result(theirs.result())

    reference.future().add_done_callback(end)
    return own


def _own_error(error: BaseException, title: str) -> BaseException:
    """Return what a call raised itself, or a sentence on how it was lost."""
    from ray.exceptions import RayError, RayTaskError, TaskCancelledError

    if isinstance(error, RayTaskError):
        return error.cause if isinstance(error.cause, Exception) else error
    if isinstance(error, TaskCancelledError):
        return InterruptedError(f"{title} was cancelled")
    if isinstance(error, RayError):
        return InputError(
            f"{title} was lost {MAX_RETRIES + 1} times: {first_line(error)} Finished work is kept: run the same "
            "command again, with more memory for a task or other nodes."
        )
    return error
