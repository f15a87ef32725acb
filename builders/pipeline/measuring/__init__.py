"""Measure sentence pairs: the table `measured`, by SQL alone or with compiled code that counts characters.

Both make the same rows. SQL is faster for few lines, since compiled code takes half a second to load. A measure of its
own needs SQL only: it is a column of measured.sql, which both ways share.
"""

from builders.pipeline.measuring.write import measure_parameters, measured_sql, write_measured

__all__ = ["measure_parameters", "measured_sql", "write_measured"]
