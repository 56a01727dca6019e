"""What is known of functions outside the tree: the environment, functools, the built-ins that configuration uses.

One visible table, :data:`EXTERNALS`, by dotted name. Everything else gives an opaque object of its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safecelery.lint.finding import Because
from safecelery.lint.model import environment
from safecelery.lint.model.operators import truth
from safecelery.lint.model.reading import describe, env_of, plain
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

__all__ = ["EXTERNALS", "call_instance"]

_Known: TypeAlias = Callable[["Interpreter", list[Val], dict[str, Val], Because], Val]
_MOST: Final = 10_000


def call_instance(
    it: Interpreter, data: ExtInstance, args: list[Val], kwargs: dict[str, Val], at: Because
) -> Val | None:
    """A call of what a call outside the tree returned: ``env = Env(); env("X")``."""
    known = environment.READERS.get(data.name)
    if known is not None:
        return known(it, data, args, kwargs, at)
    return None


# --- conversions --------------------------------------------------------------------------------------------------


def _convert(name: str, kind: Callable[[Any], Any]) -> _Known:
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


def _sequence(kind: str) -> _Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        if not args:
            return Val(Seq(kind, []))
        data = args[0].data
        if isinstance(data, Seq):
            return Val(Seq(kind, list(data.items), data.open), args[0].env, args[0].because)
        if isinstance(data, Table):
            return Val(Seq(kind, [Val(key) for key in data.items], data.open), args[0].env, args[0].because)
        if isinstance(data, str):
            return Val(Seq(kind, [Val(c) for c in data[:_MOST]]), args[0].env, args[0].because)
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


def _extreme(name: str, choose: Callable[[Any], Any]) -> _Known:
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


def _range(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    bounds = [plain(argument) for argument in args]
    if bounds and all(isinstance(bound, int) for bound in bounds) and len(bounds) <= 3:
        try:
            numbers = range(*bounds)
        except ValueError:
            return unknown("range()")
        if len(numbers) <= _MOST:
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


# --- introspection ------------------------------------------------------------------------------------------------


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


# --- functools and the like ---------------------------------------------------------------------------------------


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


def _proxy(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """A lazy proxy: what its function returns."""
    if not args or not isinstance(args[0].data, Function | Bound | Partial):
        return unknown("a proxy")
    return it.call(args[0], list(args[1:]), kwargs, at)


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


def to_val(value: Any) -> Val:
    """A plain Python value as a :class:`Val`."""
    if isinstance(value, list | tuple):
        return Val(Seq("t" if isinstance(value, tuple) else "l", [to_val(item) for item in value]))
    if isinstance(value, dict):
        return Val(Table({key: to_val(item) for key, item in value.items()}))
    if value is None or isinstance(value, bool | int | float | str):
        return Val(value)
    return unknown(f"a {type(value).__name__}")


def _json_loads(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    import json

    text = plain(args[0]) if args else UNKNOWN
    if isinstance(text, str):
        try:
            return to_val(json.loads(text)).depending(args[0].env)
        except (ValueError, RecursionError):
            it.raise_if_caught("ValueError", "JSONDecodeError")
    return unknown("json.loads()", args[0].env if args else ())


def _assumed(value: Any, env: str = "") -> _Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        return Val(value, (env,) if env else ())

    return call


def _opaque_kept(name: str) -> _Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        env = tuple(dict.fromkeys(e for v in (*args, *kwargs.values()) for e in env_of(v)))
        return Val(ExtInstance(name, args, kwargs), env)

    return call


EXTERNALS: Final[Mapping[str, _Known]] = {
    "builtins.int": _convert("int", int),
    "builtins.float": _convert("float", float),
    "builtins.str": _convert("str", str),
    "builtins.abs": _convert("abs", abs),
    "builtins.round": _convert("round", round),
    "builtins.bool": _bool,
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
    "dataclasses.field": _field,
    "attr.ib": _field,
    "attrs.field": _field,
    "dataclasses.replace": _replace,
    "attr.evolve": _replace,
    "attrs.evolve": _replace,
    "types.SimpleNamespace": _namespace,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.sorted": _sorted,
    "builtins.property": _first,
    "builtins.staticmethod": _first,
    "builtins.classmethod": _first,
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
    "copy.copy": _deepcopy,
    "copy.deepcopy": _deepcopy,
    "json.loads": _json_loads,
    "ast.literal_eval": _literal_eval,
    "importlib.import_module": _import_module,
    "django.utils.module_loading.import_string": _import_string,
    "werkzeug.utils.import_string": _import_string,
    "werkzeug.local.LocalProxy": _proxy,
    "celery.local.Proxy": _proxy,
    "django.utils.functional.SimpleLazyObject": _proxy,
    "lazy_object_proxy.Proxy": _proxy,
    "types.MappingProxyType": _first,
    "os.path.exists": _assumed(value=False, env="the file system"),
    "os.path.isfile": _assumed(value=False, env="the file system"),
    "os.path.isdir": _assumed(value=False, env="the file system"),
    "platform.system": _assumed("Linux"),
    "datetime.timedelta": _opaque_kept("datetime.timedelta"),
    **environment.FUNCTIONS,
}
"""Dotted name -> what a call of it does."""
