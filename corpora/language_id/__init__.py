"""Identify languages of texts and variants of Chinese writing."""
