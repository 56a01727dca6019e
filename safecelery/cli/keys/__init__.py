"""``safecelery keys``: one file per command."""
