"""Whether to colour what is printed: the choice of the command line, then of the environment, then of the stream."""

from __future__ import annotations

import os
from typing import IO, Any, Final

__all__ = ["COLOUR_CHOICES", "wants_colour"]

COLOUR_CHOICES: Final = ("auto", "always", "never")


def wants_colour(choice: str, stream: IO[Any]) -> bool:
    """``always`` and ``never`` as said; ``auto`` is a terminal, unless NO_COLOR, FORCE_COLOR or TERM=dumb decide.

    NO_COLOR counts when it is not empty (https://no-color.org), and wins over FORCE_COLOR (https://force-color.org).
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
