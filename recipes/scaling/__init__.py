"""Fit scaling laws to evaluation results."""
