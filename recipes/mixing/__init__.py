"""Allocate a budget over languages by scaling laws."""
