"""Do the tasks of a build on the nodes of a cluster that share the work folder."""

from builders.cluster.cluster_executor import ClusterExecutor
from builders.cluster.remote_task import RunSettings, TaskReport, do_task

__all__ = ["ClusterExecutor", "RunSettings", "TaskReport", "do_task"]
