"""Build examples from upstream files."""
