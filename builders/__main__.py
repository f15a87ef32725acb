"""Run the command `builders`: `python -m builders`."""

from builders.cli.main import main

main()
