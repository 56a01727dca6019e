"""What is left of a value after branches of which one was taken."""

from __future__ import annotations

from collections.abc import Sequence

from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import (
    Class,
    Deferred,
    Ext,
    Function,
    ModuleRef,
    Pending,
    Seq,
    Table,
    Unknown,
    Val,
    unknown,
)
from safecelery.policy.facts import UNKNOWN

__all__ = ["merge"]


def merge(values: Sequence[Val | None], why: str) -> Val | None:
    """What is left after branches: the value they share, else unknown; of functions and classes the first."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    first = there[0]
    if len(there) == len(values) and all(value is first or value.data is first.data for value in there):
        return first
    for value in there:
        if isinstance(value.data, Function | Class | Ext | ModuleRef | Pending | Deferred):
            return value
    if len(there) == len(values):
        known = [plain(value) for value in there]
        if known[0] is not UNKNOWN and all(type(item) is type(known[0]) and item == known[0] for item in known[1:]):
            return first
        if all(isinstance(value.data, Table) for value in there):
            return _merged_tables(there, why)
    elif len(there) == 1 and not isinstance(first.data, bool | int | float | str | Seq | Table | type(None) | Unknown):
        return first
    env = tuple(dict.fromkeys(name for value in there for name in value.env))
    return unknown(why, env, there[-1].because)


def _merged_tables(values: list[Val], why: str) -> Val:
    result = Table()
    for key in dict.fromkeys(key for value in values for key in value.data.items):
        merged = merge([value.data.items.get(key) for value in values], why)
        if merged is not None:
            result.items[key] = merged
    result.open = any(value.data.open for value in values)
    return Val(result, values[0].env, values[0].because)
