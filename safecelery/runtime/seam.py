"""One place upstream that this package builds on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Seam"]


@dataclass(frozen=True, slots=True)
class Seam:
    """One of upstream's names, what is assumed of it, and where."""

    target: str
    """``module:qualified.name`` upstream."""
    used: str
    """``file:name`` below ``safecelery/``: ours that uses, replaces or extends it."""
    why: str
    """What would go wrong if it changed."""
    parameters: tuple[str, ...] = ()
    """Parameters that are passed on or relied upon."""
    lines: tuple[str, ...] = ()
    """Pieces of upstream's source that must be there; whitespace does not count."""
