"""Recipes and prompts of releases, evaluation results, scaling laws, and allocations of a budget by them."""
