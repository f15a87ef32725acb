"""The check before a run on a cluster: every node sees the shared folder, and has the versions of this machine."""

from collections.abc import Sequence
from concurrent.futures import wait
from pathlib import Path
from time import monotonic, sleep

from corpora.cluster.nodes import NodeFacts, check_versions, own_versions
from corpora.cluster.protocol import Call, Cluster, Resources
from corpora.errors import InputError, first_line
from corpora.files import temporary_folder

SHARED_FOLDER_S = 15.0  # until a network filesystem shows a file of another machine
NODE_S = 120.0  # until a node answers
ADVICE = "Give --work a folder that all nodes of the cluster have under the same path, such as a network filesystem."


def check_nodes(cluster: Cluster, folder: Path) -> Sequence[NodeFacts]:
    """Return what is on each node of a cluster.

    Raises:
        InputError: A node does not answer, does not see the folder, is not seen in it, or has another version of
            something.
    """
    with temporary_folder(folder) as shared:
        (shared / "driver").write_text("")
        nodes = cluster.nodes()
        calls = {
            node: cluster.call(probe_node, name, shared, resources=Resources(cores=0), node=node)
            for node, name in nodes.items()
        }
        wait([call.future for call in calls.values()], NODE_S)
        for node, call in calls.items():
            if not call.future.done():
                raise InputError(f"The node {nodes[node]} of the cluster did not answer within {NODE_S:.0f} seconds.")
        return [_checked(_answer(nodes[node], call), shared) for node, call in calls.items()]


def _answer(name: str, call: Call) -> NodeFacts:
    """Return what a node answered, or raise why it could not."""
    error = call.future.exception()
    if error and not isinstance(error, InputError):
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise InputError(f"The node {name} cannot do tasks: {reason} Install the same as here on it.") from error
    answer: NodeFacts = call.future.result()
    return answer


def probe_node(name: str, shared: Path) -> NodeFacts:
    """Return what is on this node, and leave a file in the shared folder."""
    if not appears(shared / "driver"):
        raise InputError(f"The node {name} does not see {shared.parent}, the work folder of this run. {ADVICE}")
    (shared / f"node-{name}").write_text("")
    return NodeFacts(name, own_versions())


def _checked(node: NodeFacts, shared: Path) -> NodeFacts:
    if not appears(shared / f"node-{node.name}"):
        raise InputError(f"What the node {node.name} writes to {shared.parent} is not seen here. {ADVICE}")
    check_versions(node, own_versions())
    return node


def appears(path: Path, seconds: float = SHARED_FOLDER_S) -> bool:
    """Return whether a file is there, at the latest after some seconds."""
    end = monotonic() + seconds
    while not path.exists():
        if monotonic() > end:
            return False
        sleep(0.1)
    return True
