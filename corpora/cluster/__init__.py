"""Run functions on the machines of a Ray cluster, which share a folder; only `ray_cluster.py` knows Ray."""

from corpora.cluster.nodes import NodeFacts, check_versions, node_name, own_versions
from corpora.cluster.protocol import Call, Cluster, Resources
from corpora.cluster.ray_cluster import open_cluster
from corpora.cluster.silence import SILENCE_S, silence_text
from corpora.cluster.start_check import appears, check_nodes

__all__ = [
    "SILENCE_S",
    "Call",
    "Cluster",
    "NodeFacts",
    "Resources",
    "appears",
    "check_nodes",
    "check_versions",
    "node_name",
    "open_cluster",
    "own_versions",
    "silence_text",
]
