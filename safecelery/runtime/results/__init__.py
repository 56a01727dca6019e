"""Results: sealed where they are stored, verified wherever they are read (docs/guides/results.md)."""
