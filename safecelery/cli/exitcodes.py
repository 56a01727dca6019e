"""What the exit status of every ``safecelery`` command means."""

from __future__ import annotations

from typing import Final

__all__ = ["COULD_NOT", "INTERRUPTED", "NO", "OK"]

OK: Final = 0
"""Done, and the answer is yes."""
NO: Final = 1
"""Done, and the answer is no: a broker does not run, something forged ran."""
COULD_NOT: Final = 2
"""Not done: wrong usage, or something it needs cannot be used."""
INTERRUPTED: Final = 130
"""Stopped by Ctrl-C, after cleaning up: 128 + SIGINT, as shells report it."""
