"""Patterns for paths, as people know them from .gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["matches", "matches_any"]


def matches(pattern: str, path: str) -> bool:
    """Whether a path, relative to the configuration's directory and with slashes, or a directory it is in, matches.

    ``*`` and ``?`` stay within one name, ``**`` crosses any number. A pattern without a slash (but for one at its end)
    is compared with every name of the path, one with a slash with the path from its start.
    """
    return _compiled(pattern).fullmatch(path.removeprefix("./")) is not None


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """Whether one of the patterns matches."""
    return any(matches(pattern, path) for pattern in patterns)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    body = pattern.removeprefix("./").rstrip("/")
    anchored = "/" in body
    text = "" if anchored else "(?:.*/)?"
    for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", body.removeprefix("/")):
        if part == "**/":
            text += "(?:.*/)?"
        elif part == "**":
            text += ".*"
        elif part == "*":
            text += "[^/]*"
        elif part == "?":
            text += "[^/]"
        elif len(part) > 2 and part[0] == "[":
            inside = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            text += f"[^/{inside[1:]}]" if inside[0] == "!" and len(inside) > 1 else f"[{inside}]"
        else:
            text += re.escape(part)
    try:
        return re.compile(text + "(?:/.*)?", re.DOTALL)
    except re.error:  # a range such as [z-a]: taken as it is written
        return re.compile(("" if anchored else "(?:.*/)?") + re.escape(body) + "(?:/.*)?", re.DOTALL)
