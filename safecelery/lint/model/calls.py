"""Calls: of functions of the tree, of classes, of things outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes, externals, fields
from safecelery.lint.model.merging import merge
from safecelery.lint.model.reading import describe
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import (
    NONE,
    Bound,
    Class,
    Ext,
    ExtInstance,
    Function,
    Instance,
    Native,
    Partial,
    Seq,
    Table,
    Unknown,
    Val,
    unknown,
)

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Caller"]


class Caller:
    """Carries out calls for an interpreter."""

    def __init__(self, it: Interpreter) -> None:
        self.it = it

    def call(self, function: Val, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        """The result of a call; unknown if it cannot be told."""
        self.it.spend()
        result = self._call(function, args, kwargs, at)
        if function.env and result is not None:
            result = result.depending(function.env)
        if result is None or result.is_unknown:
            through = _decorated(args, kwargs)
            if through is not None:
                return through
        return unknown(at.what) if result is None else result

    def _call(self, function: Val, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val | None:
        data = function.data
        if isinstance(data, Native):
            made: Val = data.call(self.it, args, kwargs, at)
            return made
        if isinstance(data, Function):
            return self.invoke(data, args, kwargs, None)
        if isinstance(data, Bound):
            return self.invoke(data.function, [data.this, *args], kwargs, data.this)
        if isinstance(data, Partial):
            return self.call(data.function, [*data.args, *args], {**data.kwargs, **kwargs}, at)
        done = self.it.dialect.call(self.it, function, args, kwargs, at)
        if done is not None:
            return done
        if isinstance(data, Class):
            return self.instantiate(data, args, kwargs, at)
        if isinstance(data, Ext):
            return self._external(data, args, kwargs, at)
        if isinstance(data, Instance):
            method = attributes.class_attribute(self.it, data.cls, "__call__", function, at)
            return None if method is None else self.call(method, args, kwargs, at)
        if isinstance(data, ExtInstance):
            return externals.call_instance(self.it, data, args, kwargs, at)
        if isinstance(data, Unknown):
            return unknown(data.why, function.env, function.because)
        return None

    def _external(self, data: Ext, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        known = externals.EXTERNALS.get(data.name)
        if known is not None:
            return known(self.it, args, kwargs, at)
        through = _decorated(args, kwargs)
        if through is not None and not data.name.startswith("builtins."):
            return through
        return Val(ExtInstance(data.name, args, kwargs))

    def instantiate(self, cls: Class, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        """An instance of a class of the tree, its ``__init__`` run."""
        if "metaclass" in cls.keywords and "Enum" in describe(cls.keywords["metaclass"]):
            return args[0] if args else NONE
        if any(isinstance(base, Ext) and base.name.startswith("enum.") for base in cls.mro()):
            return args[0] if len(args) == 1 else unknown(at.what)
        made = self.it.dialect.create(self.it, cls, args, kwargs, at)
        value = made if made is not None else Val(Instance(cls, args=args, kwargs=kwargs))
        init = attributes.class_attribute(self.it, cls, "__init__", value, at)
        if init is not None and isinstance(init.data, Bound):
            self.call(init, args, kwargs, at)
        elif made is None and isinstance(value.data, Instance):
            # Dataclasses, pydantic models, attrs: keywords become attributes.
            for name, given in kwargs.items():
                value.data.attributes[name] = given
            names = dict.fromkeys([*fields.names(cls), *(n for n in cls.attributes if not n.startswith("_"))])
            for name, given in zip(names, args, strict=False):
                value.data.attributes[name] = given
            for hook, handed in fields.HOOKS.items():
                after = attributes.class_attribute(self.it, cls, hook, value, at)
                if after is not None and isinstance(after.data, Bound):
                    self.call(after, [NONE] * handed, {}, at)
        return value

    def invoke(self, function: Function, args: list[Val], kwargs: dict[str, Val], this: Val | None) -> Val | None:
        """Run a function of the tree."""
        function.called = True
        if function.body is None and function.expression is None:
            return unknown(f"{function.name}()")
        frame = Frame(function.module, {}, function.closure)
        frame.method_of = function.owner
        frame.this = args[0] if function.owner is not None and args else this
        if not self._bind(function, args, kwargs, frame):
            return unknown(f"the arguments of {function.name}()")
        with self.it.deeper(function) as allowed:
            if not allowed:
                return unknown(f"{function.name}(), called too deep")
            if function.expression is not None:
                return self.it.evaluate(function.expression, frame)
            saved = self.it.condition, self.it.uncertain
            try:
                signal = self.it.block(function.body or [], frame)
            finally:
                self.it.condition, self.it.uncertain = saved
        if signal is not None and signal[0] == "raise":
            self.it.raise_if_caught(str(signal[1].data), env=signal[1].env)
            return unknown(f"{function.name}() raises")
        result = signal[1] if signal is not None and signal[0] == "ret" else NONE
        if set(frame.required) & set(result.env) and result.data in (None, ""):
            return unknown(f"environment variable {frame.required[0]}", result.env, result.because)
        if frame.returned is not None:
            result = merge([frame.returned, result], f"{function.name}()") or NONE
        return result

    def _bind(self, function: Function, args: list[Val], kwargs: dict[str, Val], frame: Frame) -> bool:
        names, positional, _, star, double = function.parameters
        names_in = frame.names
        opened = "**" in kwargs
        starred = any(isinstance(argument.data, Ext) and argument.data.name == "*" for argument in args)
        rest: dict[str, Val] = {}
        for key, value in kwargs.items():
            if key == "**":
                continue
            if key in names:
                names_in[key] = value
            else:
                rest[key] = value
        for name, value in zip(names[:positional], args, strict=False):
            names_in[name] = value
        if star:
            names_in[star] = Val(Seq("t", list(args[positional:]), starred))
        if double:
            names_in[double] = Val(Table(rest, opened))
        elif rest and not opened and not double:
            return False
        for name, default in zip(names, function.defaults, strict=True):
            if name not in names_in:
                if opened or starred:
                    names_in[name] = unknown(f"argument {name} of {function.name}()")
                else:
                    missing = unknown(f"argument {name} of {function.name}()")
                    names_in[name] = missing if default is None else self.it.settle(default)
        return True


def _decorated(args: list[Val], kwargs: dict[str, Val]) -> Val | None:
    """What a decorator that cannot be followed gets and, as nearly all do, gives back in the same role."""
    if len(args) == 1 and not kwargs:
        data = args[0].data
        if isinstance(data, Function) or getattr(data, "stays_when_decorated", False):
            return args[0]
    return None
