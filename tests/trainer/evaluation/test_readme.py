"""The README's part on evaluation: its tables are generated."""

from pathlib import Path

from corpora.tables import keys_table
from trainer.evaluation import (
    Benchmark,
    LanguageFiles,
    Metric,
    MetricOption,
    SubjectFiles,
    load_benchmarks,
    load_metrics,
)

README = Path(__file__).parents[3] / "trainer" / "README.md"


def benchmarks_table() -> str:
    """Return the table of benchmarks."""
    lines = ["| benchmark | task | files | default metrics |", "|---|---|---|---|"]
    for benchmark in load_benchmarks().values():
        option = "`--release`" if benchmark.task == "validation" else "`--data`"
        files = benchmark.source or (f"corpus `{benchmark.corpus}`" if benchmark.corpus else option)
        metrics = ", ".join(f"`{name}`" for name in benchmark.metrics)
        lines.append(f"| `{benchmark.name}` | {benchmark.task} | {files} | {metrics} |")
    return "\n".join(lines) + "\n"


def metrics_table() -> str:
    """Return the table of metrics."""
    lines = ["| metric | description | tasks | range | computed from |", "|---|---|---|---|---|"]
    for metric in load_metrics().values():
        source = f"`trainer {metric.verb}`" if metric.verb else f"`{metric.output_type}`"
        tasks = ", ".join(metric.tasks)
        lines.append(
            f"| `{metric.name}` | {metric.description} | {tasks} | {metric.min:g} to {metric.max:g} | {source} |"
        )
    return "\n".join(lines) + "\n"


def options_table() -> str:
    """Return the table of metric options."""
    options = {
        name: (option, [m.name for m in load_metrics().values() if name in m.options])
        for metric in load_metrics().values()
        for name, option in metric.options.items()
    }
    lines = ["| option | of | value | default |", "|---|---|---|---|"]
    for name, (option, metrics) in options.items():
        default = f"`{option.default}`" if option.default else "required"
        of = ", ".join(f"`{metric}`" for metric in metrics)
        lines.append(f"| `{name}` | {of} | {option.description} | {default} |")
    return "\n".join(lines) + "\n"


TABLES = {
    "BENCHMARKS_HERE": benchmarks_table,
    "METRICS_HERE": metrics_table,
    "OPTIONS_HERE": options_table,
    "BENCHMARK_KEYS_HERE": lambda: keys_table(Benchmark, "name"),
    "SUBJECT_KEYS_HERE": lambda: keys_table(SubjectFiles),
    "LANGUAGE_KEYS_HERE": lambda: keys_table(LanguageFiles),
    "METRIC_KEYS_HERE": lambda: keys_table(Metric, "name"),
    "METRIC_OPTION_KEYS_HERE": lambda: keys_table(MetricOption),
}


def test_tables_are_generated() -> None:
    text = README.read_text(encoding="utf-8")
    missing = [table() for table in TABLES.values() if table() not in text]
    assert not missing, missing[0]
