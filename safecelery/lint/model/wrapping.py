"""Functions that stand for other functions, modules or values: functools, decorators, proxies, imports by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from safecelery.lint.finding import Because
from safecelery.lint.model.known import Known
from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import (
    NONE,
    Bound,
    Ext,
    ExtInstance,
    Function,
    Instance,
    ModuleRef,
    Native,
    Partial,
    Val,
    unknown,
)
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["WRAPPING"]


def _partial(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    return Val(Partial(args[0], tuple(args[1:]), kwargs)) if args else unknown("partial()")


def _wraps(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    def call(it: Interpreter, given: list[Val], named: dict[str, Val], at: Because) -> Val:
        if given and isinstance(given[0].data, Function) and args:
            _stand_for(given[0].data, args[0])
        return given[0] if given else NONE

    return Val(Native("functools.wraps()", call))


def _update_wrapper(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    if len(args) > 1 and isinstance(args[0].data, Function):
        _stand_for(args[0].data, args[1])
    return args[0] if args else NONE


def _stand_for(wrapper: Function, value: Val) -> None:
    data = value.data
    if isinstance(data, Bound):
        data = data.function
    data = getattr(data, "stands_for", data)
    if isinstance(data, Function) and data is not wrapper and data.origin is not wrapper:
        wrapper.wrapped = data
        wrapper.name = data.name


def _returns_wrapped(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``wrapt.decorator`` and ``decorator.decorator``: the result takes a function and gives its stand-in."""
    if len(args) > 1:
        return args[1] if isinstance(args[1].data, Function) else args[0]
    return Val(Native("decorator", lambda it, given, named, at: given[0] if given else NONE))


def _attach(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``venusian.attach(wrapped, callback)``: the callback runs when the package is scanned."""
    if len(args) > 1:
        it.call(args[1], [unknown("a scanner"), unknown("a name"), args[0]], {}, at)
    return unknown("venusian.attach()")


def _first(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    return args[0] if args else NONE


def _import_module(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    name = plain(args[0]) if args else UNKNOWN
    if not isinstance(name, str):
        return unknown("import_module()")
    for module in getattr(it.modules, "all_modules", list)():
        found = it.find(name, module)
        return Val(ModuleRef(found)) if found is not None else Val(Ext(name))
    return Val(Ext(name))


def _import_string(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    name = plain(args[0]) if args else UNKNOWN
    if not isinstance(name, str):
        return unknown("import_string()")
    dotted, _, last = name.replace(":", ".").rpartition(".")
    value = _import_module(it, [Val(dotted)], {}, at)
    if isinstance(value.data, ModuleRef):
        return it.member(value.data.module, last) or unknown(name)
    return Val(Ext(name))


def _proxy(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """A lazy proxy: what its function returns."""
    if not args or not isinstance(args[0].data, Function | Bound | Partial):
        return unknown("a proxy")
    return it.call(args[0], list(args[1:]), kwargs, at)


def _field(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``dataclasses.field``: the default that an instance gets."""
    if "default" in kwargs:
        return kwargs["default"]
    factory = kwargs.get("default_factory", kwargs.get("factory"))
    return unknown("a field without a default") if factory is None else it.call(factory, [], {}, at)


def _replace(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``dataclasses.replace(instance, name=value)``."""
    data = args[0].data if args else None
    if not isinstance(data, Instance) or "**" in kwargs:
        return unknown(at.what)
    made = Instance(data.cls, {**data.attributes, **kwargs}, data.state, data.args, data.kwargs)
    return Val(made, args[0].env, args[0].because)


def _namespace(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    if args or "**" in kwargs:
        return unknown(at.what)
    return Val(ExtInstance("types.SimpleNamespace", [], {}, dict(kwargs)))


WRAPPING: Final[Mapping[str, Known]] = {
    "dataclasses.field": _field,
    "attr.ib": _field,
    "attrs.field": _field,
    "dataclasses.replace": _replace,
    "attr.evolve": _replace,
    "attrs.evolve": _replace,
    "types.SimpleNamespace": _namespace,
    "builtins.property": _first,
    "builtins.staticmethod": _first,
    "builtins.classmethod": _first,
    "functools.partial": _partial,
    "functools.wraps": _wraps,
    "functools.update_wrapper": _update_wrapper,
    "six.wraps": _wraps,
    "django.utils.functional.wraps": _wraps,
    "wrapt.decorator": _returns_wrapped,
    "decorator.decorator": _returns_wrapped,
    "decorator.decorate": _first,
    "venusian.attach": _attach,
    "typing.cast": lambda it, args, kwargs, at: args[1] if len(args) > 1 else NONE,
    "importlib.import_module": _import_module,
    "django.utils.module_loading.import_string": _import_string,
    "werkzeug.utils.import_string": _import_string,
    "werkzeug.local.LocalProxy": _proxy,
    "celery.local.Proxy": _proxy,
    "django.utils.functional.SimpleLazyObject": _proxy,
    "lazy_object_proxy.Proxy": _proxy,
    "types.MappingProxyType": _first,
}
"""Dotted name -> what a call of it does."""
