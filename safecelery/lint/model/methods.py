"""Methods of built-in values: text, lists, dicts, durations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safecelery.lint.finding import Because
from safecelery.lint.model import surroundings
from safecelery.lint.model.environment import ENVIRON
from safecelery.lint.model.merging import merge
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import NONE, Ext, ExtInstance, Native, Seq, Table, Val, unknown
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["of_builtin", "of_external"]

_Method: TypeAlias = Callable[["Interpreter", Val, list[Val], dict[str, Val]], Val]

_TEXT: Final = frozenset(
    ["upper", "lower", "strip", "lstrip", "rstrip", "split", "rsplit", "startswith", "endswith", "replace", "format",
     "join", "title", "capitalize", "partition", "rpartition", "removeprefix", "removesuffix", "isdigit",
     "isnumeric", "isalpha", "casefold", "splitlines", "count", "find", "zfill"]
)  # fmt: skip
_LONGEST: Final = 100_000


def of_builtin(it: Interpreter, owner: Val, name: str) -> Val | None:
    """The method, ready to be called; None if it is not known."""
    data = owner.data
    if isinstance(data, str):
        return _native(name, owner, _text) if name in _TEXT else None
    if isinstance(data, Table):
        return _native(name, owner, _TABLE[name]) if name in _TABLE else None
    if isinstance(data, Seq):
        return _native(name, owner, _SEQ[name]) if name in _SEQ else None
    return None


def of_external(it: Interpreter, owner: Val, data: ExtInstance, name: str) -> Val | None:
    """An attribute of what a call outside the tree returned."""
    if data.name.endswith("timedelta") and name in ("total_seconds", "days", "seconds"):
        seconds = plain(owner)
        if not isinstance(seconds, int | float):
            return None
        if name == "total_seconds":
            return Val(Native("total_seconds", lambda it, args, kwargs, at: Val(float(seconds), owner.env)))
        return Val(int(seconds // 86400) if name == "days" else int(seconds % 86400))
    if name in _OF_PATHS and _is_path(data):
        return Val(Native(name, lambda it, args, kwargs, at: Val(False, surroundings.ABSENT_FILES)))
    return Val(Ext(f"{data.name}().{name}"), owner.env)


_OF_PATHS: Final = frozenset({"exists", "is_file", "is_dir"})


def _is_path(data: ExtInstance) -> bool:
    """A ``pathlib.Path``, or what ``/`` and its methods make of one."""
    for _ in range(12):
        if data.name.startswith("pathlib."):
            return True
        first = data.args[0].data if data.name == "operator.result" and data.args else None
        if not isinstance(first, ExtInstance):
            return isinstance(first, Ext) and first.name.startswith("pathlib.")
        data = first
    return False


def _native(name: str, owner: Val, method: _Method | Callable[..., Val]) -> Val:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        if method is _text:
            return _text(name, owner, args, kwargs)
        result: Val = method(it, owner, args, kwargs)
        return result

    return Val(Native(name, call))


def _text(name: str, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    values = [plain(argument) for argument in args]
    named = {key: plain(argument) for key, argument in kwargs.items()}
    env = tuple(dict.fromkeys(e for value in (owner, *args, *kwargs.values()) for e in value.env))
    unread = next((v for v in (*args, *kwargs.values()) if plain(v) is UNKNOWN), None)
    if unread is not None:
        return unknown(describe(unread), env, unread.because)
    if name == "format" and (
        len(owner.data) > 1000 or ":" in owner.data or "." in owner.data.partition("{")[2].partition("}")[0]
    ):
        return unknown("str.format", env)
    if name == "zfill":
        return unknown("str.zfill", env)
    try:
        result = getattr(owner.data, name)(*values, **named)
    except (TypeError, ValueError, LookupError, AttributeError):
        return unknown(f"{name}() of {describe(owner)}", env)
    if isinstance(result, str):
        return Val(result[:_LONGEST], env, owner.because)
    if isinstance(result, list | tuple):
        return Val(Seq("t" if isinstance(result, tuple) else "l", [Val(part) for part in result]), env, owner.because)
    return Val(result, env, owner.because)


# --- dicts --------------------------------------------------------------------------------------------------------


def _key(args: list[Val]) -> Any:
    key = plain(args[0]) if args else UNKNOWN
    return UNKNOWN if isinstance(key, list | dict) else key


def _get(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    key, table = _key(args), owner.data
    default = args[1] if len(args) > 1 else kwargs.get("default", NONE)
    if key is UNKNOWN:
        return unknown("a key of a dict", args[0].env if args else ())
    if key in table.items:
        found: Val = it.settle(table.items[key])
        return found
    return unknown(f"{key!r} of a dict") if table.open else default


def _pop(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    key = _key(args)
    if len(args) == 1 and key is not UNKNOWN and key not in owner.data.items and not owner.data.open:
        it.raise_if_caught("KeyError")
    found = _get(it, owner, args, kwargs)
    if not it.uncertain and key is not UNKNOWN:
        owner.data.items.pop(key, None)
    return found


def _setdefault(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    key = _key(args)
    default = args[1] if len(args) > 1 else NONE
    if key is UNKNOWN:
        owner.data.open = True
        return unknown("a key of a dict")
    if key in owner.data.items:
        found: Val = owner.data.items[key]
        return found
    if owner.data.open:
        return unknown(f"{key!r} of a dict")
    owner.data.items[key] = default.depending(it.condition)
    return default


def _update(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    table = owner.data
    sources = [argument.data for argument in args]
    for source in sources:
        if isinstance(source, Table):
            for key, value in source.items.items():
                _put(it, table, key, value)
            if source.open:
                hide(table, "a part of a dict")
        elif isinstance(source, Ext) and source.name in ENVIRON:
            _may_be_set(table)
        else:
            hide(table, describe(Val(source)))
    for key, value in kwargs.items():
        if key == "**":
            hide(table, describe(value))
        else:
            _put(it, table, key, value)
    return NONE


def hide(table: Table, why: str) -> None:
    """Something that cannot be seen has been put into the dict, over anything in it."""
    table.open = True
    for key, value in _replaceable(table):
        table.items[key] = unknown(why, value.env, value.because)


def _may_be_set(table: Table) -> None:
    """``globals().update(os.environ)``: what is there is the default of a variable of that name."""
    for key, value in _replaceable(table):
        table.items[key] = value.depending((str(key),))


def _replaceable(table: Table) -> list[tuple[Any, Val]]:
    """``globals().update(settings)`` leaves functions and imports as they are."""
    is_module = "__name__" in table.items and "__file__" in table.items
    return [(key, value) for key, value in table.items.items() if not is_module or str(key).isupper()]


def _put(it: Interpreter, table: Table, key: Any, value: Val) -> None:
    value = value.depending(it.condition)
    table.items[key] = (merge([table.items.get(key), value], "a condition") or value) if it.uncertain else value


def _keys(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    return Val(Seq("l", [Val(key) for key in owner.data.items], owner.data.open))


def _values(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    return Val(Seq("l", list(owner.data.items.values()), owner.data.open))


def _items(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    pairs = [Val(Seq("t", [Val(key), value])) for key, value in owner.data.items.items()]
    return Val(Seq("l", pairs, owner.data.open))


def _copy(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    data = owner.data
    if isinstance(data, Table):
        return Val(Table(dict(data.items), data.open), owner.env, owner.because)
    return Val(Seq(data.kind, list(data.items), data.open), owner.env, owner.because)


_TABLE: Final[dict[str, _Method]] = {
    "get": _get, "pop": _pop, "setdefault": _setdefault, "update": _update, "keys": _keys, "values": _values,
    "items": _items, "copy": _copy,
}  # fmt: skip

# --- lists and sets -----------------------------------------------------------------------------------------------


def _append(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    if it.uncertain or not args:
        owner.data.open = True
    else:
        owner.data.items.append(args[0].depending(it.condition))
    return NONE


def _insert(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    where = plain(args[0]) if len(args) == 2 else UNKNOWN
    if it.uncertain or not isinstance(where, int):
        owner.data.open = True
    else:
        owner.data.items.insert(where, args[1].depending(it.condition))
    return NONE


def _extend(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    for argument in args:
        if isinstance(argument.data, Seq) and not it.uncertain:
            owner.data.take(argument.data.items, argument.data.open)
        else:
            owner.data.open = True
    return NONE


def _remove(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    target = plain(args[0]) if args else UNKNOWN
    for index, element in enumerate(owner.data.items):
        if target is not UNKNOWN and plain(element) == target:
            if it.uncertain:
                owner.data.open = True
            else:
                del owner.data.items[index]
            break
    return NONE


def _index(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    target = plain(args[0]) if args else UNKNOWN
    for index, element in enumerate(owner.data.items):
        if target is not UNKNOWN and plain(element) == target:
            return Val(index)
    return unknown("index()")


def _union(it: Interpreter, owner: Val, args: list[Val], kwargs: dict[str, Val]) -> Val:
    joined = Seq(owner.data.kind, list(owner.data.items), owner.data.open)
    for argument in args:
        if isinstance(argument.data, Seq):
            joined.take(argument.data.items, argument.data.open)
        else:
            joined.open = True
    return Val(joined)


_SEQ: Final[dict[str, _Method]] = {
    "append": _append, "add": _append, "insert": _insert, "extend": _extend, "update": _extend, "remove": _remove,
    "discard": _remove, "index": _index, "copy": _copy, "union": _union,
}  # fmt: skip
