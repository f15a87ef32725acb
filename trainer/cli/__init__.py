"""The command line of trainer."""
