"""What asks about objects or changes them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.finding import Because
from safecelery.lint.model.known import Known
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import (
    NONE,
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
    unknown,
)
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["INTROSPECTION"]


def _callable(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    data = args[0].data if args else None
    if isinstance(data, Function | Class | Bound | Native | Partial):
        return Val(True)
    if data is None or isinstance(data, bool | int | float | str | Seq | Table):
        return Val(False)
    return Val(True) if getattr(data, "stays_when_decorated", False) else unknown("callable()")


def _isinstance(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    if len(args) != 2:
        return unknown("isinstance()")
    kinds = args[1].data.items if isinstance(args[1].data, Seq) else [args[1]]
    answers = [_is_a(args[0], kind) for kind in kinds]
    if True in answers:
        return Val(True, args[0].env)
    return unknown("isinstance()") if None in answers else Val(False, args[0].env)


_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "builtins.str": lambda d: isinstance(d, str),
    "builtins.bool": lambda d: isinstance(d, bool),
    "builtins.int": lambda d: isinstance(d, int),
    "builtins.float": lambda d: isinstance(d, float),
    "builtins.dict": lambda d: isinstance(d, Table),
    "builtins.list": lambda d: isinstance(d, Seq) and d.kind == "l",
    "builtins.tuple": lambda d: isinstance(d, Seq) and d.kind == "t",
    "builtins.set": lambda d: isinstance(d, Seq) and d.kind == "s",
    "types.FunctionType": lambda d: isinstance(d, Function),
    "types.LambdaType": lambda d: isinstance(d, Function),
    "collections.abc.Callable": lambda d: isinstance(d, Function | Class | Bound | Partial | Native),
    "typing.Callable": lambda d: isinstance(d, Function | Class | Bound | Partial | Native),
    "collections.abc.Mapping": lambda d: isinstance(d, Table),
    "builtins.type": lambda d: isinstance(d, Class),
}


def _is_a(value: Val, kind: Val) -> bool | None:
    data = value.data
    if isinstance(data, Unknown):
        return None
    if isinstance(kind.data, Class):
        if isinstance(data, Instance):
            order = list(data.cls.mro())
            return True if kind.data in order else None if any(isinstance(b, Unknown) for b in order) else False
        return None if isinstance(data, ExtInstance | Ext) else False
    if isinstance(kind.data, Ext):
        test = _KINDS.get(kind.data.name)
        if test is not None:
            return None if isinstance(data, ExtInstance | Ext) else test(data)
        if isinstance(data, ExtInstance):
            return True if data.name == kind.data.name else None
        if data is None or isinstance(data, bool | int | float | str | Seq | Table | Function):
            return False
    return None


def _issubclass(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    if len(args) == 2 and isinstance(args[0].data, Class) and isinstance(args[1].data, Class | Ext):
        order = list(args[0].data.mro())
        if args[1].data in order:
            return Val(True)
        if not any(isinstance(base, Unknown | Ext) for base in order):
            return Val(False)
    return unknown("issubclass()")


def _getattr(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    from safecelery.lint.model import attributes

    name = plain(args[1]) if len(args) > 1 else UNKNOWN
    if not isinstance(name, str):
        return unknown("getattr()")
    found = attributes.read(it, args[0], name, at)
    if len(args) > 2 and (found.is_unknown or isinstance(found.data, Ext)):
        told = it.dialect.has(it, args[0], name)
        known = _has(it, args[0], name) if told is None else bool(told.data)
        if known is False:
            return args[2] if told is None else args[2].depending(told.env)
        if isinstance(args[0].data, Unknown) or known is None:
            return found if isinstance(found.data, Ext) else unknown(describe(found), found.env, found.because)
    return found


def _has(it: Interpreter, value: Val, name: str) -> bool | None:
    """Whether an object has an attribute."""
    data = value.data
    if isinstance(data, ModuleRef):
        if it.member(data.module, name) is not None or data.module.stars:
            return None if name not in data.module.names and data.module.unseen else True
        return False
    if isinstance(data, Function):
        return name in data.attributes or name.startswith("__")
    if isinstance(data, Instance | Class):
        cls = data.cls if isinstance(data, Instance) else data
        if isinstance(data, Instance) and name in data.attributes:
            return True
        for base in cls.mro():
            if isinstance(base, Class):
                if name in base.attributes:
                    return True
            elif isinstance(base, Unknown) or base.name != "builtins.object":
                return None
        return False
    if data is None or isinstance(data, bool | int | float | str):
        return hasattr(data, name)
    presence = getattr(data, "has", None)
    if presence is not None:
        answer: bool | None = presence(it, name)
        return answer
    return None


def _hasattr(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    name = plain(args[1]) if len(args) > 1 else UNKNOWN
    told = it.dialect.has(it, args[0], name) if isinstance(name, str) else None
    if told is not None:
        return told
    answer = _has(it, args[0], name) if isinstance(name, str) else None
    return unknown("hasattr()") if answer is None else Val(answer)


def _setattr(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    from safecelery.lint.model.statements import Executor

    name = plain(args[1]) if len(args) == 3 else UNKNOWN
    if isinstance(name, str):
        Executor(it)._set_attribute(args[0], name, args[2], at)
    elif args and isinstance(args[0].data, ModuleRef):
        args[0].data.module.hidden = f"setattr() at {at.file}:{at.line}"
    return NONE


def _dir(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """The names of an object, those of classes outside the tree left out."""
    names = _names_of(it, args[0]) if args else None
    return unknown("dir()") if names is None else Val(Seq("l", [Val(name) for name in sorted(names)]))


def _vars(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    from safecelery.lint.model import attributes

    return attributes.read(it, args[0], "__dict__", at) if len(args) == 1 else unknown("vars()")


def _getmembers(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``inspect.getmembers(object)``."""
    from safecelery.lint.model import attributes

    names = _names_of(it, args[0]) if len(args) == 1 else None
    if names is None:
        return unknown("inspect.getmembers()")
    pairs = [Seq("t", [Val(name), attributes.read(it, args[0], name, at)]) for name in sorted(names)]
    return Val(Seq("l", [Val(pair) for pair in pairs]))


def _names_of(it: Interpreter, value: Val) -> set[str] | None:
    data = value.data
    if isinstance(data, ModuleRef):
        it.run(data.module)
        return None if data.module.unseen or data.module.stars else set(data.module.names)
    if not isinstance(data, Instance | Class):
        return None
    names = set(data.attributes)
    for base in (data.cls if isinstance(data, Instance) else data).mro():
        if isinstance(base, Class):
            names |= set(base.attributes)
        elif isinstance(base, Unknown):
            return None
    return names


def _exec(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """Code that is not in the file may bind any name."""
    it.raise_if_caught("FileNotFoundError", "OSError", "IOError")  # a file of this machine, which need not be there
    module = it.modules.by_path(at.file)
    module.hidden = module.hidden or f"{at.what} at line {at.line}"
    return NONE


def _type(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    if len(args) == 1 and isinstance(args[0].data, Instance):
        return Val(args[0].data.cls)
    if len(args) == 3 and isinstance(args[1].data, Seq) and isinstance(args[2].data, Table):
        name = plain(args[0])
        owner = next((b.data.module for b in args[1].data.items if isinstance(b.data, Class)), None)
        owner = owner or it.modules.by_path(at.file)
        if isinstance(name, str):
            made = {k: v for k, v in args[2].data.items.items() if isinstance(k, str)}
            return Val(Class(name, owner, at.line, list(args[1].data.items), made, qualname=name))
    return unknown("type()")


INTROSPECTION: Final[Mapping[str, Known]] = {
    "builtins.callable": _callable,
    "builtins.isinstance": _isinstance,
    "builtins.issubclass": _issubclass,
    "builtins.getattr": _getattr,
    "builtins.hasattr": _hasattr,
    "builtins.setattr": _setattr,
    "builtins.dir": _dir,
    "builtins.vars": _vars,
    "builtins.exec": _exec,
    "inspect.getmembers": _getmembers,
    "dynaconf.DjangoDynaconf": _exec,
    "builtins.type": _type,
    "inspect.isfunction": _callable,
    "inspect.isclass": lambda it, args, kwargs, at: Val(bool(args) and isinstance(args[0].data, Class)),
}
"""Dotted name -> what a call of it does."""
