"""How a report is to look."""

from __future__ import annotations

from safecelery.deferred import dataclass

__all__ = ["RenderOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """What the reader asked for. A format takes what it has a use for and leaves the rest."""

    colour: bool = False
    """Escape sequences for colours; only for a terminal."""
    width: int = 0
    """Columns to wrap text at; 0: lines are not wrapped."""
    base: str = "."
    """The directory that relative paths of findings start in, to read source lines from."""
    statistics: bool = False
    """Counts by rule after the summary of a text format."""
    show_source: bool = True
    """Quote the line a finding is about."""
    summary: bool = True
    """End a text format with a summary."""
