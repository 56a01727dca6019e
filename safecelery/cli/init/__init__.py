"""``safecelery init``: the command, what it checks, and the skeleton's files."""
