"""What a source of private keys is: how its documents are read, and which files to look at for a change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Document", "Source"]


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one private key, and where it was found."""

    where: str
    """For errors: never the text itself."""
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Source:
    """One way to keep private keys."""

    read: Callable[[str], tuple[Document, ...]]
    """The documents at a place, at least one. Raises KeyringError, which never shows what was read."""
    files: Callable[[str], tuple[Path, ...]]
    """What changes when the documents do. Empty where nothing can be looked at: such a key is read once."""
