"""What truth, comparisons and operators mean on values that may be unknown."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Final

from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import (
    Bound,
    Class,
    Ext,
    ExtInstance,
    Function,
    Instance,
    ModuleRef,
    Native,
    Partial,
    Seq,
    Table,
    Unknown,
    Val,
    merge_env,
    unknown,
)
from safecelery.policy.facts import UNKNOWN

__all__ = ["LONGEST", "WORDS", "binary", "compare", "truth"]

LONGEST: Final = 100_000
"""Characters or items a computed value may have."""
_ASSUMED: Final[dict[str, bool]] = {"typing.TYPE_CHECKING": False, "typing_extensions.TYPE_CHECKING": False}
WORDS: Final = {
    "Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Is": "is", "IsNot": "is not",
    "In": "in", "NotIn": "not in",
}  # fmt: skip
_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge,
}  # fmt: skip
_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv,
    "FloorDiv": operator.floordiv, "Mod": operator.mod, "BitOr": operator.or_, "BitAnd": operator.and_,
    "BitXor": operator.xor, "LShift": operator.lshift, "RShift": operator.rshift, "Pow": operator.pow,
}  # fmt: skip
_VERSIONS: Final = frozenset({"sys.version_info", "django.VERSION", "celery.VERSION", "celery.version_info_t"})
_SIGNS: Final = {
    "Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "LShift": "<<",
    "RShift": ">>", "BitOr": "|", "BitAnd": "&", "BitXor": "^", "MatMult": "@",
}  # fmt: skip
_FILLED: Final = re.compile(r"%[^a-zA-Z%]*(?:\*|\d{4})")
"""A width or precision that is given apart, or of thousands of characters."""


def truth(value: Val) -> bool | None:
    """Whether it counts as true; None if that is unknown."""
    data = value.data
    if data is None or isinstance(data, bool | int | float | str):
        return bool(data)
    if isinstance(data, Seq):
        return True if data.items else None if data.open else False
    if isinstance(data, Table):
        return True if data.items else None if data.open else False
    if isinstance(data, Function | Class | ModuleRef | Bound | Native | Partial):
        return True
    if isinstance(data, Ext):
        return _ASSUMED.get(data.name)
    if isinstance(data, ExtInstance | Unknown | Instance):
        return None
    return True


def compare(name: str, left: Val, right: Val) -> bool | None:
    """One comparison; None if unknown."""
    if isinstance(left.data, Ext) and left.data.name in _VERSIONS:
        return name in ("Gt", "GtE", "NotEq")  # whoever asks means an older version
    if name in ("Is", "IsNot"):
        same = _same(left, right)
        return None if same is None else same is (name == "Is")
    if name in ("In", "NotIn"):
        inside = _inside(left, right)
        return None if inside is None else inside is (name == "In")
    first, second = plain(left), plain(right)
    if first is UNKNOWN or second is UNKNOWN:
        if name in ("Eq", "NotEq"):
            same = _same(left, right)
            if same is not None and (left.data is None or right.data is None or same):
                return same is (name == "Eq")
        return None
    try:
        return bool(_ORDER[name](first, second))
    except (TypeError, ValueError, KeyError):
        return None


def _same(left: Val, right: Val) -> bool | None:
    for one, other in ((left, right), (right, left)):
        if one.data is None or isinstance(one.data, bool):
            if isinstance(other.data, Unknown | Ext | ExtInstance):
                return None if not isinstance(other.data, Ext) else False
            return one.data is other.data
    if isinstance(left.data, Ext) and isinstance(right.data, Ext):
        return left.data == right.data
    if isinstance(left.data, Class | Function | Instance) and isinstance(right.data, Class | Function | Instance):
        return left.data is right.data
    return None


def _inside(item: Val, container: Val) -> bool | None:
    data, key = container.data, plain(item)
    if isinstance(data, str) and isinstance(key, str):
        return key in data
    if key is UNKNOWN:
        return None
    if isinstance(data, Table):
        try:
            return True if key in data.items else None if data.open else False
        except TypeError:
            return None
    if isinstance(data, Seq):
        known = [plain(element) for element in data.items]
        if any(element is not UNKNOWN and element == key and type(element) is type(key) for element in known):
            return True
        return None if data.open or UNKNOWN in known else False
    return None


def binary(name: str, left: Val, right: Val) -> Val:
    """A binary operation."""
    env = merge_env(left.env, right.env)
    because = left.because or right.because
    one, other = left.data, right.data
    if isinstance(one, Seq) and isinstance(other, Seq) and name in ("Add", "BitOr"):
        joined = Seq(one.kind, list(one.items), one.open)
        joined.take(other.items, other.open)
        return Val(joined, env, because)
    if isinstance(one, Seq) and name == "Add":
        return Val(Seq(one.kind, list(one.items), True), env, because)
    if isinstance(one, Table) and isinstance(other, Table) and name == "BitOr":
        return Val(Table({**one.items, **other.items}, one.open or other.open), env, because)
    first, second = plain(left), plain(right)
    if first is not UNKNOWN and second is not UNKNOWN and _small(name, first, second):
        if isinstance(one, ExtInstance) or isinstance(other, ExtInstance):  # durations, in seconds
            if not isinstance(first, int | float) or not isinstance(second, int | float):
                return unknown(_operation(left, name, right), env, because)
            if name in ("Add", "Sub", "Mult"):
                total = _ARITHMETIC[name](first, second)
                return Val(ExtInstance("datetime.timedelta", [], {"seconds": Val(total)}), env, because)
        try:
            result = _ARITHMETIC[name](first, second)
        except (TypeError, ValueError, ArithmeticError, KeyError):
            return unknown(_operation(left, name, right), env, because)
        if isinstance(result, bool | int | float | str):
            return Val(result, env, because)
    if isinstance(one, ExtInstance | Ext | Instance) and not isinstance(other, Unknown):
        return Val(ExtInstance("operator.result", [left, right], {}), env, because)
    blocker = left if first is UNKNOWN else right
    return unknown(describe(blocker), env, blocker.because)


def _operation(left: Val, name: str, right: Val) -> str:
    """The operation as somebody would write it."""
    return f"{describe(left)} {_SIGNS.get(name, name)} {describe(right)}"


def _small(name: str, first: Any, second: Any) -> bool:
    """The operation cannot take long or fill the memory."""
    if name in ("Pow", "LShift"):
        return (
            isinstance(first, int | float)
            and isinstance(second, int | float)
            and abs(second) <= 64
            and abs(first) < 1e9
        )
    if name == "Mult":
        for text, count in ((first, second), (second, first)):
            if isinstance(text, str | list | tuple):
                return isinstance(text, str) and isinstance(count, int) and len(text) * count < LONGEST
        return all(not isinstance(number, int) or number.bit_length() < 4096 for number in (first, second))
    if name == "Mod" and isinstance(first, str):
        return len(first) < 1000 and _FILLED.search(first) is None and len(repr(second)) < LONGEST // 100
    return not isinstance(first, str) or not isinstance(second, str) or len(first) + len(second) < LONGEST
