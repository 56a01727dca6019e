"""Reading what tasks leave behind while they run."""

from __future__ import annotations

from pathlib import Path

__all__ = ["whole_lines"]


def whole_lines(file: Path) -> list[str]:
    """The lines of a file to which processes append; one that is being written does not count yet."""
    return file.read_text().rpartition("\n")[0].splitlines()
