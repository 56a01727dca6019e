"""Text into HTML."""

from __future__ import annotations

from safecelery.lint.report.characters import visible

__all__ = ["escaped"]

_TABLE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def escaped(text: str) -> str:
    """For element content and for quoted attribute values; characters that act are shown as escapes."""
    return visible(text).translate(_TABLE)
