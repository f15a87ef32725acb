"""The command line of builders."""
