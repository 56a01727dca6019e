"""``safecelery dlq``: one file per command."""
