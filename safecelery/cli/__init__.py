"""The command line: one file per command, listed in ``safecelery.cli.main.COMMANDS``."""
