"""What the rest of the project knows of a cluster: functions that are called on its nodes, and what they return."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Resources:
    """What a call holds while it runs."""

    cores: float = 1
    gpus: float = 0
    memory: int | None = None  # bytes

    def __str__(self) -> str:
        memory = f", {self.memory / 1e9:.1f} GB" if self.memory else ""
        gpus = f", {self.gpus:g} GPU{'s' * (self.gpus != 1)}" if self.gpus else ""
        return f"{self.cores:g} core{'s' * (self.cores != 1)}{gpus}{memory}"


ONE_CORE = Resources()


@dataclass(frozen=True, eq=False)
class Call:
    """A call under way; its future receives what it returns or raises."""

    reference: Any  # the engine's own
    future: "Future[Any]"


class Cluster(Protocol):
    """Calls functions on nodes. Arguments and results are small: paths and counts, never data."""

    def nodes(self) -> Mapping[str, str]:
        """Return the names of the nodes that are alive, by the engine's own identifier."""

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        after: Sequence[Call] = (),
        resources: Resources = ONE_CORE,
        node: str | None = None,
        title: str = "",
    ) -> Call:
        """Call a function on a node, with the results of other calls as further arguments, when these have ended.

        A call whose process or node is lost is repeated elsewhere; one that raises is not.
        """

    def start_worker(self, kind: Callable[..., Any], *arguments: Any, resources: Resources = ONE_CORE) -> Any:
        """Start a process that makes an object, keeps it, and is started again if it is lost."""

    def call_worker(self, worker: Any, method: str, *arguments: Any) -> Call:
        """Call a method of a worker's object; calls of one worker are done one after the other."""

    def stop_worker(self, worker: Any) -> None:
        """End a worker, so that what it holds is free for others."""

    def total(self) -> Mapping[str, float]:
        """Return the resources of all nodes, by name: CPU, GPU, memory."""

    def cancel(self, calls: Collection[Call], is_forced: bool = False) -> None:
        """Interrupt calls, or end their processes."""

    def free(self) -> Mapping[str, float]:
        """Return the resources that no call holds, by name: CPU, GPU, memory."""

    def close(self) -> None:
        """Leave the cluster."""
