"""What evaluate.py stands on: benchmarks, answers, comparisons, and their verbs."""
