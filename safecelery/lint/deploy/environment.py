"""The environment variables a deployment file gives to a process, as far as the file says them.

A value that cannot be known is a text that contains :data:`HOLE`; so ``redis://$HOST:6379`` keeps its scheme and port.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from safecelery.deferred import dataclass

__all__ = ["HOLE", "Environment", "interpolate", "known"]

HOLE: Final = "\x00"
"""Stands inside a text for a part that is not known. (A NUL can be in no argument and no variable of a process.)"""


def known(text: str) -> bool:
    """Nothing in the text is unknown."""
    return HOLE not in text


_PROGRAM = re.compile(r"\w*CELERY\w*_(?:BIN|CMD|EXE)|CELERY", re.IGNORECASE)


@dataclass(slots=True)
class Environment:
    """Variables by name."""

    values: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    """False: more variables may be set, by a file that is not at hand or by whoever starts the process."""
    taken: set[str] = field(default_factory=set)
    """Variables whose default was taken since somebody last cleared this, because nothing says their value."""
    origins: dict[str, frozenset[str]] = field(default_factory=dict)
    """Of a variable of the text: the variables whose defaults went into it."""

    def child(self, more: Mapping[str, str] | None = None) -> Environment:
        """A copy with more variables; what is taken there is its own."""
        return Environment({**self.values, **(more or {})}, self.complete)

    def look(self, name: str, default: str | None = None) -> str:
        """The value; else the default, noted as taken; else a hole."""
        value = self.values.get(name)
        if value is not None:
            self.taken |= self.origins.get(name, frozenset())
            return value
        if default is None:
            # CELERY_BIN and its like hold the path of the program in every example of a daemon.
            return "celery" if _PROGRAM.fullmatch(name) else HOLE
        self.taken.add(name)
        return default


_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-=?+])(?P<other>[^{}]*))?\})"
)


def interpolate(text: str, environment: Environment) -> str:
    """``$X``, ``${X}``, ``${X:-default}`` and ``$$`` as Compose replaces them (compose specification, Interpolation).

    A default may hold one variable of its own. What is not understood becomes a hole.
    """
    if "$" not in text:
        return text
    for _ in range(4):  # defaults inside defaults, innermost first
        inner = re.search(r"\$\{\w+:?-[^{}]*(\$\{[^{}]*\})", text)
        if inner is None:
            break
        text = text[: inner.start(1)] + interpolate(inner.group(1), environment) + text[inner.end(1) :]

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name = match["plain"] or match["name"]
        how = match["how"] or ""
        if how in ("-", ":-", "=", ":="):
            return environment.look(name, match["other"])
        if how in ("+", ":+"):
            return HOLE
        return environment.look(name)

    return _VARIABLE.sub(value, text)
