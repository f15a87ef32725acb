"""The command line of trainer."""

from trainer.cli.main import cli, main

__all__ = ["cli", "main"]
