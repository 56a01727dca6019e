"""What a value is to somebody outside: plain data, a few words, the environment it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from safecelery.lint.model.values import (
    MOST_PARTS,
    Class,
    Env,
    Ext,
    ExtInstance,
    Function,
    Instance,
    Seq,
    Table,
    Unknown,
    Val,
    merge_env,
)
from safecelery.policy.facts import UNKNOWN

__all__ = ["describe", "env_of", "plain"]

_DEEPEST_WORDS: Final = 6
_DURATIONS: Final = frozenset({"datetime.timedelta", "django.utils.timezone.timedelta"})
_UNITS: Final[Mapping[str, float]] = {
    "weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1, "milliseconds": 1e-3,
    "microseconds": 1e-6,
}  # fmt: skip
_POSITIONAL: Final = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")


def plain(value: Val | None, depth: int = 0, left: list[int] | None = None) -> Any:
    """The Python value, :data:`UNKNOWN` if it or a part of it is not plain data or not known.

    ``left`` counts the parts that may still be looked at: a value that holds another many times is no more than one.
    """
    if value is None:
        return UNKNOWN
    data = value.data
    if data is None or isinstance(data, bool | int | float | str):
        return data
    if depth > 12:
        return UNKNOWN
    if isinstance(data, Seq | Table):
        if left is None:
            left = [MOST_PARTS]
        left[0] -= len(data.items)
        if data.open or left[0] < 0:
            return UNKNOWN
    if isinstance(data, Seq):
        items = []
        for item in data.items:
            found = plain(item, depth + 1, left)
            if found is UNKNOWN:
                return UNKNOWN
            items.append(found)
        return tuple(items) if data.kind == "t" else items
    if isinstance(data, Table):
        table = {}
        for key, item in data.items.items():
            table[key] = found = plain(item, depth + 1, left)
            if found is UNKNOWN:
                return UNKNOWN
        return table
    if isinstance(data, ExtInstance) and data.name in _DURATIONS:
        return _seconds(data, depth)
    return UNKNOWN


def _seconds(duration: ExtInstance, depth: int) -> Any:
    total = 0.0
    pairs = [*zip(_POSITIONAL, duration.args, strict=False), *duration.kwargs.items()]
    for unit, amount in pairs:
        number = plain(amount, depth + 1)
        if unit not in _UNITS or isinstance(number, bool) or not isinstance(number, int | float):
            return UNKNOWN
        try:
            total += number * _UNITS[unit]
        except OverflowError:
            return UNKNOWN
    return int(total) if total.is_integer() else total


def describe(value: Val) -> str:
    """A few words for a message: the value if it is short, the reason if it is unknown, else what it is."""
    data = value.data
    if isinstance(data, Unknown):
        return data.why
    if isinstance(data, Ext):
        return data.name.removeprefix("builtins.")
    if isinstance(data, ExtInstance):
        return f"{data.name.removeprefix('builtins.')}(...)"
    if isinstance(data, Class | Function):
        return data.name
    if isinstance(data, Instance):
        return f"a {data.cls.name}"
    known = plain(value)
    if known is UNKNOWN:
        return _blocking(value, 0)
    text = repr(known)
    return text if len(text) <= 60 else text[:57] + "..."


def _blocking(value: Val, depth: int) -> str:
    """The part of a container that cannot be told."""
    data = value.data
    parts = data.items if isinstance(data, Seq) else list(data.items.values()) if isinstance(data, Table) else []
    for part in parts:
        if plain(part) is UNKNOWN:
            if not isinstance(part.data, Seq | Table):
                return describe(part)
            if depth < _DEEPEST_WORDS:
                return _blocking(part, depth + 1)
    return "a part of a container" if isinstance(data, Seq | Table) else type(data).__name__.lower()


def env_of(value: Val, depth: int = 0, left: list[int] | None = None) -> Env:
    """The environment variables that the value or any part of it depends on."""
    env = value.env
    data = value.data
    left = [MOST_PARTS] if left is None else left
    left[0] -= 1
    if depth < 6 and left[0] > 0:
        parts: list[Val] = []
        if isinstance(data, Seq):
            parts = data.items
        elif isinstance(data, Table):
            parts = list(data.items.values())
        elif isinstance(data, ExtInstance):
            parts = [*data.args, *data.kwargs.values()]
        for part in parts[:200]:
            env = merge_env(env, env_of(part, depth + 1, left))
    return env
