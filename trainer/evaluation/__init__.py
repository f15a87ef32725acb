"""Evaluate models: benchmarks, metrics, judges, comparisons and alignment.

    table = evaluate("runs/RUN", benchmarks=["flores"], langs=["el"])     # results, also in results.jsonl
    compare("RUN-A", "RUN-B", metric="chrf++")                            # differences with intervals
    align("runs/RUN", langs=["el", "hi"])                                 # similarity to English by layer
    judge(["RUN-A", "RUN-B"], benchmark="mi-eval", endpoint=URL, judge=NAME)
    leaderboard(metric="f1")

What a benchmark's loader and a metric's function need is here too: `Benchmark`, `BenchmarkSource`, `Item`, `Items`,
`Statistics`, `mean` and `mean_percent`. Libraries that take seconds to import are imported by the first call.
"""

from corpora.endpoint import Endpoint
from trainer.evaluation.alignment import Alignment, Similarity
from trainer.evaluation.api import align, compare, evaluate, judge, leaderboard
from trainer.evaluation.benchmarks import get_benchmark, load_benchmarks, load_items
from trainer.evaluation.comparison import Comparison, ComparisonRow
from trainer.evaluation.eval_model import EvalModel, Provenance, load_model, remote_model
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item, Items
from trainer.evaluation.language_files import LanguageFiles
from trainer.evaluation.leaderboard_tables import Leaderboard
from trainer.evaluation.measurement import Scorer, Statistics, mean, mean_percent, measure
from trainer.evaluation.metrics import Metric, MetricOption, MetricOptions, ResolvedOptions, get_metric, load_metrics
from trainer.evaluation.result_tables import ResultTable
from trainer.evaluation.subject_files import SubjectFiles
from trainer.evaluation.tasks import TASKS, Task

__all__ = [
    "TASKS",
    "Alignment",
    "Benchmark",
    "BenchmarkSource",
    "Comparison",
    "ComparisonRow",
    "Endpoint",
    "EvalModel",
    "Item",
    "Items",
    "LanguageFiles",
    "Leaderboard",
    "Metric",
    "MetricOption",
    "MetricOptions",
    "Provenance",
    "ResolvedOptions",
    "ResultTable",
    "Scorer",
    "Similarity",
    "Statistics",
    "SubjectFiles",
    "Task",
    "align",
    "compare",
    "evaluate",
    "get_benchmark",
    "get_metric",
    "judge",
    "leaderboard",
    "load_benchmarks",
    "load_items",
    "load_metrics",
    "load_model",
    "mean",
    "mean_percent",
    "measure",
    "remote_model",
]
