"""The linter: facts from source, without importing it."""
