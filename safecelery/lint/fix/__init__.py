"""Fixes: exact replacements in the text of a file, and nothing else changed."""
