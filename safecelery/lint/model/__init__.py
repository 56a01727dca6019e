"""What the linter understands of a module."""
