"""Readers of the environment: what they return where the variable is not set, and that they would have read it.

``os.environ`` and ``os.getenv``, django-environ, python-decouple, environs, starlette. A variable without a default
stays unknown. A default that can be read makes the value known, with the variable's name in ``Val.env``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safecelery.lint.finding import Because
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import NONE, Ext, ExtInstance, Native, Seq, Val, unknown

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["ENVIRON", "FUNCTIONS", "READERS", "environ_item", "environ_method", "reader_method"]

_Known: TypeAlias = Callable[["Interpreter", list[Val], dict[str, Val], Because], Val]
_Reader: TypeAlias = Callable[["Interpreter", ExtInstance, list[Val], dict[str, Val], Because], Val]

ENVIRON: Final = frozenset({"os.environ", "environ.Env.ENVIRON", "environ.environ"})


def _name(args: list[Val], kwargs: dict[str, Val]) -> str | None:
    value = plain(args[0] if args else kwargs.get("key", kwargs.get("var", kwargs.get("name", kwargs.get("option")))))
    return value if isinstance(value, str) else None


def getenv(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``os.getenv(name, default=None)``."""
    name = _name(args, kwargs)
    default = args[1] if len(args) > 1 else kwargs.get("default", NONE)
    if name is None:
        if default.is_unknown:
            return unknown(at.what)
        return default.depending(("an environment variable",)).via(at)
    if name in it.environ:
        return it.environ[name].depending((name,))
    return default.via(Because(at.file, at.line, f"the default of {name}")).depending((name,))


def environ_item(it: Interpreter, key: Val, at: Because) -> Val:
    """``os.environ[name]``."""
    name = plain(key)
    if not isinstance(name, str):
        return unknown(at.what)
    if name in it.environ:
        return it.environ[name].depending((name,))
    it.raise_if_caught("KeyError", env=(name,))
    return unknown(f"environment variable {name}", (name,), (at,))


def environ_method(name: str) -> Val | None:
    """``os.environ.get`` and its like."""
    return Val(Native(f"os.environ.{name}", _ENVIRON_METHODS[name])) if name in _ENVIRON_METHODS else None


def _setdefault(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    name = _name(args, kwargs)
    if name is not None and len(args) > 1 and not it.uncertain:
        it.environ.setdefault(name, args[1])
    return getenv(it, args, kwargs, at)


def _pop(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    return getenv(it, args, kwargs, at)


def _nothing(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """Whatever variables are set is not known beforehand: none, as for a variable that is asked for by name."""
    return Val(Seq("l", []), ("the environment",))


_ENVIRON_METHODS: Final[Mapping[str, _Known]] = {
    "get": getenv,
    "setdefault": _setdefault,
    "pop": _pop,
    "items": _nothing,
    "keys": _nothing,
    "values": _nothing,
}


# --- readers with types -------------------------------------------------------------------------------------------


def _typed(kind: str | None) -> _Reader:
    def call(it: Interpreter, env: ExtInstance, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        return _read(it, env, kind, args, kwargs, at)

    return call


def _read(
    it: Interpreter, env: ExtInstance, kind: str | None, args: list[Val], kwargs: dict[str, Val], at: Because
) -> Val:
    name = _name(args, kwargs)
    if name is None:
        return unknown(at.what)
    positional = _DEFAULT_POSITION.get(env.name, 1)
    default = kwargs.get("default", args[positional] if len(args) > positional else None)
    schema = env.kwargs.get(name)
    if default is None and schema is not None:
        default = _of_schema(schema)
    prefix = plain(env.attributes.get("prefix", NONE))
    if isinstance(prefix, str):
        name = prefix + name
    if name in it.environ:
        return unknown(f"environment variable {name}", (name,), it.environ[name].because)
    if default is None:
        it.raise_if_caught("ImproperlyConfigured", "UndefinedValueError", "EnvError", "KeyError", env=(name,))
        return unknown(f"environment variable {name}", (name,), (at,))
    cast = kwargs.get("cast")
    if cast is not None and env.name in _CASTING_DEFAULTS:
        default = _cast(it, cast, default, at)
    elif kind in _URLS and isinstance(default.data, str):
        default = Val(ExtInstance(f"environ.{kind}", [default], {}), default.env, default.because)
    return default.via(Because(at.file, at.line, f"the default of {name}")).depending((name,))


def _of_schema(schema: Val) -> Val | None:
    """django-environ's ``Env(NAME=(type, default))``."""
    data = schema.data
    if isinstance(data, Seq) and len(data.items) == 2:
        default: Val = data.items[1]
        return default.via(schema.because[0]) if schema.because else default
    return None


def _cast(it: Interpreter, cast: Val, default: Val, at: Because) -> Val:
    value = plain(default)
    if isinstance(cast.data, Ext) and cast.data.name == "builtins.bool" and isinstance(value, str):
        if value.lower() in ("true", "1", "yes", "on", "y", "t"):
            return Val(True, default.env, default.because)
        if value.lower() in ("false", "0", "no", "off", "n", "f", ""):
            return Val(False, default.env, default.because)
        return unknown(describe(default), default.env, default.because)
    if isinstance(cast.data, ExtInstance) and cast.data.name == "decouple.Csv":
        if isinstance(value, str):
            parts = [Val(part.strip()) for part in value.split(",") if part.strip()]
            return Val(Seq("l", parts), default.env, default.because)
        return default
    return it.call(cast, [default], {}, at)


_URLS: Final = frozenset({"db", "db_url", "cache", "cache_url", "email_url", "email", "search_url", "dj_db_url", "url"})
_DEFAULT_POSITION: Final[Mapping[str, int]] = {"environ.Env": 2, "environ.FileAwareEnv": 2}
"""Where the default stands among the positional arguments; django-environ has ``cast`` before it."""
_CASTING_DEFAULTS: Final = frozenset(
    {"decouple.config", "decouple.AutoConfig", "decouple.Config", "starlette.config.Config"}
)
_METHODS: Final = frozenset(
    [
        "str",
        "bool",
        "int",
        "float",
        "json",
        "list",
        "tuple",
        "dict",
        "url",
        "db",
        "db_url",
        "cache",
        "cache_url",
        "email",
        "email_url",
        "search_url",
        "path",
        "bytes",
        "decimal",
        "date",
        "datetime",
        "time",
        "timedelta",
        "uuid",
        "log_level",
        "enum",
        "unicode",
        "get_value",
        "dj_db_url",
        "dj_email_url",
    ]
)

READERS: Final[Mapping[str, _Reader]] = {
    name: _typed(None)
    for name in (
        "environ.Env", "environ.FileAwareEnv", "environs.Env", "environs.FileAwareEnv", "decouple.AutoConfig",
        "decouple.Config", "starlette.config.Config", "goodconf.GoodConf",
    )
}  # fmt: skip
"""Objects that are called with a variable's name: class -> what the call does."""


def reader_method(env: ExtInstance, name: str) -> Val | None:
    """``env.bool`` and its like."""
    if env.name not in READERS:
        return None
    if name in ("read_env", "smart_cast", "seal", "read_envfile"):
        return Val(Native(f"env.{name}", lambda it, args, kwargs, at: NONE))
    if name == "prefixed":
        return Val(Native("env.prefixed", lambda it, args, kwargs, at: Val(env)))
    if name not in _METHODS:
        return None
    # "get_value" takes cast before default, as the call itself does; the typed ones take the default second.
    direct = name == "get_value"

    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        if not direct and len(args) > 1 and "default" not in kwargs:
            kwargs = {**kwargs, "default": args[1]}
            args = args[:1]
        found = _read(it, env, name, args, kwargs, at)
        return _shaped(name, found)

    return Val(Native(f"env.{name}", call))


def _shaped(kind: str, value: Val) -> Val:
    if kind == "timedelta" and isinstance(value.data, int | float) and not isinstance(value.data, bool):
        return Val(ExtInstance("datetime.timedelta", [], {"seconds": Val(value.data)}), value.env, value.because)
    return value


def _decouple(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    return _read(it, ExtInstance("decouple.config", [], {}), None, args, kwargs, at)


FUNCTIONS: Final[Mapping[str, Any]] = {
    "os.getenv": getenv,
    "os.environ.get": getenv,
    "decouple.config": _decouple,
}
"""Functions that read a variable, by dotted name."""
