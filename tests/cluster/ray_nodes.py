"""Ray clusters of several nodes on this machine, for tests and for the scripts of benchmarks.

`ray stop` would end every Ray on the machine; these end their own processes only.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NODE = {"num_cpus": 1, "object_store_memory": 80 * 10**6, "include_dashboard": False}  # no data go through Ray's store


@contextmanager
def ray_nodes(names: Sequence[str]) -> Iterator[Any]:
    """Yield a cluster of `ray.cluster_utils` with a node of one core for each name; the first is its head."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for name in names:
            cluster.add_node(node_name=name, **NODE)
        yield cluster
    finally:
        cluster.shutdown()
