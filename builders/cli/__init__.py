"""The command line of builders."""

from builders.cli.main import cli, main

__all__ = ["cli", "main"]
