"""Run the command `builders`: `python -m builders`."""

import builders.cli

builders.cli.main()
