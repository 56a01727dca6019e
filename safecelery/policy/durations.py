"""Lengths of time as people write them."""

from __future__ import annotations

import re

__all__ = ["in_words", "seconds"]

_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"([0-9]{1,9})([smhdw])")


def seconds(text: str) -> int:
    """``90s``, ``2h``, ``7d``, ``1d12h``.

    Raises:
        ValueError: it is no duration; the text says what would be.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration: numbers with s, m, h, d or w, such as 2h, 7d or 1d12h")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def in_words(length: float) -> str:
    """What :func:`seconds` reads, rounded to two units: ``7d``, ``1d12h``, ``0s``."""
    rest, parts = round(length), list[str]()
    for unit, size in _UNITS.items():
        if unit != "w" and rest >= size and len(parts) < 2:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return "".join(parts) or "0s"
