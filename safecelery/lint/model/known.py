"""What a table of known functions holds, and plain Python values as values of the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safecelery.lint.finding import Because
from safecelery.lint.model.values import (
    Seq,
    Table,
    Val,
    unknown,
)

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["MOST", "Known", "to_val"]

Known: TypeAlias = Callable[["Interpreter", list[Val], dict[str, Val], Because], Val]
"""What a call of a function outside the tree does."""
MOST: Final = 10_000
"""Elements that a computed container may have."""


def to_val(value: Any) -> Val:
    """A plain Python value as a :class:`Val`."""
    if value is None:
        return Val(None)
    if isinstance(value, list | tuple):
        return Val(Seq("t" if isinstance(value, tuple) else "l", [to_val(item) for item in value]))
    if isinstance(value, dict):
        return Val(Table({key: to_val(item) for key, item in value.items()}))
    if isinstance(value, bool | int | float | str):
        return Val(value)
    return unknown(f"a {type(value).__name__}")
