"""What entries of the trust store are made of: moments, and grants with their globs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from safecelery.errors import KeyringError

__all__ = ["glob_matches", "granted", "grants", "moment"]


def glob_matches(name: str, glob: str) -> bool:
    """``*`` is any text; every other character is itself. No regular expression: names come from messages, and
    one with several ``.*`` can be made to take minutes."""
    first, *rest = glob.split("*")
    if not rest:
        return name == glob
    *middle, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:  # the earliest place for each part leaves the most room for the others
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def granted(name: str, globs: tuple[str, ...]) -> bool:
    """Any of the globs matches."""
    return any(glob_matches(name, glob) for glob in globs)


def moment(entry: dict[str, Any], name: str, where: str) -> float:
    """Seconds since the epoch of that member. Raises KeyringError for anything but a moment with a time zone."""
    value = entry[name]
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise KeyringError(f"{where}: {name} must be a date and time with a time zone, as 2027-01-31T00:00:00Z")
    return value.timestamp()


def grants(entry: dict[str, Any], name: str, where: str) -> tuple[str, ...]:
    """The globs of that member (E6.5). Raises KeyringError for anything but a list of them."""
    value = entry[name]
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise KeyringError(f"{where}: {name} must be a list of names; '*' in a name stands for any text")
    if odd := next((item for item in value if set(item) & set("[]?{}")), None):
        raise KeyringError(f"{where}: {name}: {odd!r} would never match: only '*' stands for other text")
    return tuple(value)
