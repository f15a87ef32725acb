"""Do tasks once: each result is a file under the key of its inputs, made by DuckDB or Python, on all cores.

Names are loaded when they are used, so that a worker process, which needs `parallel` alone, does not load DuckDB.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.workspace.parallel import on_all_cores, on_all_threads, report_rows
    from builders.workspace.queries import execute, macros, sql
    from builders.workspace.stages import Stage, all_stages, funnel_stages
    from builders.workspace.task import Inputs, Task, inputs_json, sql_task
    from builders.workspace.workspace import Tables, Workspace, temporary_workspace

__all__ = [
    "Inputs",
    "Stage",
    "Tables",
    "Task",
    "Workspace",
    "all_stages",
    "execute",
    "funnel_stages",
    "inputs_json",
    "macros",
    "on_all_cores",
    "on_all_threads",
    "report_rows",
    "sql",
    "sql_task",
    "temporary_workspace",
]
_MODULES = {
    "builders.workspace.parallel": ("on_all_cores", "on_all_threads", "report_rows"),
    "builders.workspace.queries": ("execute", "macros", "sql"),
    "builders.workspace.stages": ("Stage", "funnel_stages", "all_stages"),
    "builders.workspace.task": ("Inputs", "Task", "inputs_json", "sql_task"),
    "builders.workspace.workspace": ("Tables", "Workspace", "temporary_workspace"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
