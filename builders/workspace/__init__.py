"""Do tasks once: each result is a file under the key of its inputs, made by DuckDB or Python, on all cores.

Names are loaded when they are used, so that a module that needs one of them does not load DuckDB for the others.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.workspace.executor import Executor, LocalExecutor
    from builders.workspace.free_memory import release_unused_memory
    from builders.workspace.queries import macros, sql
    from builders.workspace.stages import Stage, all_stages, funnel_stages
    from builders.workspace.table_file import write_groups
    from builders.workspace.task import Functions, Inputs, Query, Tables, Task, inputs_json, query_task
    from builders.workspace.worker_pool import ThreadWorkers, WorkerPool
    from builders.workspace.workspace import Workspace, temporary_workspace

__all__ = [
    "Executor",
    "Functions",
    "Inputs",
    "LocalExecutor",
    "Query",
    "Stage",
    "Tables",
    "Task",
    "ThreadWorkers",
    "WorkerPool",
    "Workspace",
    "all_stages",
    "funnel_stages",
    "inputs_json",
    "macros",
    "query_task",
    "release_unused_memory",
    "sql",
    "temporary_workspace",
    "write_groups",
]
_MODULES = {
    "builders.workspace.executor": ("Executor", "LocalExecutor"),
    "builders.workspace.free_memory": ("release_unused_memory",),
    "builders.workspace.queries": ("macros", "sql"),
    "builders.workspace.stages": ("Stage", "funnel_stages", "all_stages"),
    "builders.workspace.table_file": ("write_groups",),
    "builders.workspace.task": ("Functions", "Inputs", "Query", "Tables", "Task", "inputs_json", "query_task"),
    "builders.workspace.worker_pool": ("ThreadWorkers", "WorkerPool"),
    "builders.workspace.workspace": ("Workspace", "temporary_workspace"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
