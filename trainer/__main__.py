"""Run the command `trainer`: `python -m trainer`."""

import trainer.cli

trainer.cli.main()
