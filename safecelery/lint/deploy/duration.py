"""Durations as deployment files write them, in seconds."""

from __future__ import annotations

import math
import re

from safecelery.policy.facts import UNKNOWN, Stated

__all__ = ["seconds"]

_UNITS = {
    **dict.fromkeys(("us", "usec", "µs"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604_800.0),
}
_PART = re.compile(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*([a-zµ]*)")


def seconds(text: str) -> Stated:
    """``1m30s`` (Compose), ``5min 20s`` and ``infinity`` (systemd.time(7)), ``90``. UNKNOWN for anything else."""
    text = text.strip()
    if text == "infinity":
        return math.inf
    total, at = 0.0, 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or match.group(2) not in _UNITS:
            return UNKNOWN
        total += float(match.group(1)) * _UNITS[match.group(2)]
        at = match.end()
    if not text:
        return UNKNOWN
    return int(total) if total.is_integer() else total
