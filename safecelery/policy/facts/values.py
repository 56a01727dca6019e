"""How a fact is known: as written, not given at all, or not to be determined; and where it was stated."""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from safecelery.deferred import dataclass

__all__ = ["ABSENT", "UNKNOWN", "Absent", "Place", "Stated", "Tri", "Unknown"]


class Unknown(Enum):
    """The type of :data:`UNKNOWN`: the value exists but could not be determined."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        """Refused: an unknown value is neither true nor false. Raises TypeError."""
        raise TypeError("UNKNOWN is neither true nor false: compare with 'is UNKNOWN' first")

    def __repr__(self) -> str:
        return "UNKNOWN"


class Absent(Enum):
    """The type of :data:`ABSENT`: the option was not given."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        """Refused: ABSENT must not be mistaken for an explicit ``None`` or ``False``. Raises TypeError."""
        raise TypeError("ABSENT is neither true nor false: compare with 'is ABSENT' first")

    def __repr__(self) -> str:
        return "ABSENT"


UNKNOWN: Final = Unknown.UNKNOWN
ABSENT: Final = Absent.ABSENT

Tri: TypeAlias = bool | Unknown
"""True, False or UNKNOWN."""

Stated: TypeAlias = object
"""A value as somebody wrote it, of any type; UNKNOWN if unreadable. Durations are meant in seconds."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact was stated. ``line`` 0 means the file as a whole (or a place without lines)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file
