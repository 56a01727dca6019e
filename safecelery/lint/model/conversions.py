"""Built-in conversions, containers and arithmetic; text that holds a literal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.finding import Because
from safecelery.lint.model.known import MOST, Known, to_val
from safecelery.lint.model.operators import truth
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import (
    NONE,
    Seq,
    Table,
    Val,
    unknown,
)
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["CONVERSIONS"]


def _convert(name: str, kind: Callable[[Any], Any]) -> Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        if not args:
            return Val(kind())  # type: ignore[call-arg]
        value = plain(args[0])
        if value is UNKNOWN or len(args) > 1 or isinstance(value, list | tuple | dict):
            return unknown(f"{name}({describe(args[0])})", args[0].env, args[0].because)
        try:
            return Val(kind(value), args[0].env, args[0].because)
        except (TypeError, ValueError, OverflowError):
            it.raise_if_caught("ValueError", "TypeError")
            return unknown(f"{name}({describe(args[0])})", args[0].env, args[0].because)

    return call


def _bool(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    decided = truth(args[0]) if args else False
    if decided is None:
        return unknown(f"bool({describe(args[0])})", args[0].env, args[0].because)
    return Val(decided, args[0].env if args else (), args[0].because if args else ())


_SWITCHES: Final = {
    **dict.fromkeys(("y", "yes", "t", "true", "on", "1"), True),
    **dict.fromkeys(("n", "no", "f", "false", "off", "0"), False),
}


def _strtobool(text: Any) -> Any:
    """Celery's, which gives back what is no text."""
    if not isinstance(text, str):
        return text
    if text.lower() not in _SWITCHES:
        raise ValueError(text)
    return _SWITCHES[text.lower()]


def _strtoint(text: Any) -> int:
    """The one of distutils, which gives 1 or 0."""
    if not isinstance(text, str):
        raise TypeError(text)
    return int(_strtobool(text))


def _sequence(kind: str) -> Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        if not args:
            return Val(Seq(kind, []))
        data = args[0].data
        if isinstance(data, Seq):
            return Val(Seq(kind, list(data.items), data.open), args[0].env, args[0].because)
        if isinstance(data, Table):
            return Val(Seq(kind, [Val(key) for key in data.items], data.open), args[0].env, args[0].because)
        if isinstance(data, str):
            return Val(Seq(kind, [Val(c) for c in data[:MOST]]), args[0].env, args[0].because)
        return unknown(describe(args[0]), args[0].env, args[0].because)

    return call


def _dict(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    table = Table()
    for argument in args:
        data = argument.data
        if isinstance(data, Table):
            table.items.update(data.items)
            table.open |= data.open
        elif isinstance(data, Seq) and all(isinstance(i.data, Seq) and len(i.data.items) == 2 for i in data.items):
            for pair in data.items:
                key = plain(pair.data.items[0])
                if isinstance(key, str | int | float | bool | tuple):
                    table.items[key] = pair.data.items[1]
                else:
                    table.open = True
            table.open |= data.open
        else:
            table.open = True
    table.open |= "**" in kwargs
    table.items.update({key: value for key, value in kwargs.items() if key != "**"})
    return Val(table)


def _len(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    data = args[0].data if args else None
    if isinstance(data, str):
        return Val(len(data), args[0].env)
    if isinstance(data, Seq | Table) and not data.open:
        return Val(len(data.items), args[0].env)
    return unknown("len()")


def _extreme(name: str, choose: Callable[[Any], Any]) -> Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        items = args
        if len(args) == 1 and isinstance(args[0].data, Seq) and not args[0].data.open:
            items = args[0].data.items
        values = [plain(item) for item in items]
        env = tuple(dict.fromkeys(e for item in items for e in item.env))
        if values and not kwargs and all(isinstance(v, int | float) for v in values):
            return Val(choose(values), env)
        return unknown(f"{name}(...)", env)

    return call


def _sum(values: Any) -> Any:
    return sum(values)


def _any(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    return _decided("any()", args, settles=True)


def _all(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    return _decided("all()", args, settles=False)


def _decided(name: str, args: list[Val], *, settles: bool) -> Val:
    data = args[0].data if args else None
    if not isinstance(data, Seq):
        return unknown(name)
    env = tuple(dict.fromkeys([*args[0].env, *(e for item in data.items for e in item.env)]))
    answers = [truth(item) for item in data.items]
    if settles in answers:
        return Val(settles, env)
    return unknown(name, env) if None in answers or data.open else Val(not settles, env)


def _range(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    bounds = [plain(argument) for argument in args]
    if bounds and all(isinstance(bound, int) for bound in bounds) and len(bounds) <= 3:
        try:
            numbers = range(*bounds)
        except ValueError:
            return unknown("range()")
        if len(numbers) <= MOST:
            return Val(Seq("l", [Val(number) for number in numbers]))
    return unknown("range()")


def _enumerate(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    if args and isinstance(args[0].data, Seq) and not args[0].data.open:
        return Val(Seq("l", [Val(Seq("t", [Val(n), item])) for n, item in enumerate(args[0].data.items)]))
    return unknown("enumerate()")


def _zip(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    if args and all(isinstance(a.data, Seq) and not a.data.open for a in args):
        return Val(Seq("l", [Val(Seq("t", list(row))) for row in zip(*(a.data.items for a in args), strict=False)]))
    return unknown("zip()")


def _sorted(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    value = plain(args[0]) if args else UNKNOWN
    if isinstance(value, list | tuple) and not kwargs and len({type(item) for item in value}) == 1:
        try:
            return Val(Seq("l", [Val(item) for item in sorted(value)]), args[0].env)
        except TypeError:
            pass
    if args and isinstance(args[0].data, Seq):
        return Val(Seq("l", list(args[0].data.items), args[0].data.open), args[0].env)
    return unknown("sorted()")


def _deepcopy(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    value = args[0] if args else NONE
    if isinstance(value.data, Table):
        return Val(
            Table({k: _deepcopy(it, [v], {}, at) for k, v in value.data.items.items()}, value.data.open), value.env
        )
    if isinstance(value.data, Seq):
        return Val(
            Seq(value.data.kind, [_deepcopy(it, [v], {}, at) for v in value.data.items], value.data.open), value.env
        )
    return value


def _literal_eval(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    import ast

    text = plain(args[0]) if args else UNKNOWN
    if isinstance(text, str) and len(text) < 4000:
        try:
            return to_val(ast.literal_eval(text)).depending(args[0].env)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            it.raise_if_caught("ValueError", "SyntaxError")
    elif isinstance(text, bool | int | float) or text is None:
        it.raise_if_caught("ValueError")
    return unknown("literal_eval()", args[0].env if args else ())


def _json_loads(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    import json

    text = plain(args[0]) if args else UNKNOWN
    if isinstance(text, str):
        try:
            return to_val(json.loads(text)).depending(args[0].env)
        except (ValueError, RecursionError):
            it.raise_if_caught("ValueError", "JSONDecodeError")
    return unknown("json.loads()", args[0].env if args else ())


CONVERSIONS: Final[Mapping[str, Known]] = {
    "builtins.int": _convert("int", int),
    "builtins.float": _convert("float", float),
    "builtins.str": _convert("str", str),
    "builtins.abs": _convert("abs", abs),
    "builtins.round": _convert("round", round),
    "builtins.bool": _bool,
    "celery.utils.serialization.strtobool": _convert("strtobool", _strtobool),
    "distutils.util.strtobool": _convert("strtobool", _strtoint),
    "setuptools._distutils.util.strtobool": _convert("strtobool", _strtoint),
    "builtins.list": _sequence("l"),
    "builtins.tuple": _sequence("t"),
    "builtins.set": _sequence("s"),
    "builtins.frozenset": _sequence("s"),
    "builtins.dict": _dict,
    "builtins.len": _len,
    "builtins.max": _extreme("max", max),
    "builtins.min": _extreme("min", min),
    "builtins.sum": _extreme("sum", _sum),
    "builtins.range": _range,
    "builtins.any": _any,
    "builtins.all": _all,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.sorted": _sorted,
    "copy.copy": _deepcopy,
    "copy.deepcopy": _deepcopy,
    "json.loads": _json_loads,
    "ast.literal_eval": _literal_eval,
}
"""Dotted name -> what a call of it does."""
