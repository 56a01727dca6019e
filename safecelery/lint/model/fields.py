"""Fields of classes that a package fills in: dataclasses, attrs, pydantic, and pydantic's settings.

``limit: int = Field(default=30)`` is 30; in a class of settings it is what the variable ``LIMIT`` says, else 30. A
field without a default is whatever the instance was made with. ``asdict(x)`` and ``x.model_dump()`` are its fields by
name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safecelery.lint.finding import Because
from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import (
    Bound,
    Class,
    Ext,
    ExtInstance,
    Function,
    Instance,
    Native,
    Seq,
    Table,
    Unknown,
    Val,
    unknown,
)

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["HOOKS", "asdict", "dump", "names", "of_instance", "value"]

HOOKS: Final = {"__post_init__": 0, "__attrs_post_init__": 0, "model_post_init": 1}
"""What runs when the fields are filled in, and how many arguments each takes."""

_MAKERS: Final = frozenset(
    ["pydantic.Field", "pydantic.fields.Field", "dataclasses.field", "attr.ib", "attr.field", "attrs.field"]
)
_FIELD: Final = "annotation "
"""Before a name among a class's keywords: the body annotates it."""
_SETTINGS: Final = "BaseSettings"
_MODELS: Final = frozenset({"BaseModel", _SETTINGS})
_ELLIPSIS: Final = "a ellipsis"
"""What the reduced form makes of ``...``, which says that a field has no default (lint/ir/expressions.py)."""
_VALIDATORS: Final = frozenset({"validator", "field_validator", "root_validator", "model_validator"})
_HARMLESS: Final = frozenset({"mode", "exclude_none"})
"""Arguments of ``model_dump`` that leave names and values as they are, or that are followed here."""


def value(it: Interpreter, cls: Class, name: str, found: Val) -> Val:
    """What an attribute of the class, read as ``found``, is worth in an instance."""
    data = found.data
    if isinstance(data, Function | Bound | Class | Native) or name == "model_config":
        return found
    settings = _derives(cls, frozenset({_SETTINGS}))
    if isinstance(data, ExtInstance) and data.name in _MAKERS:
        found = _default(it, data, found) or unknown(
            f"environment variable {_variable(it, cls, name)}" if settings else f"{cls.name}.{name}", (), found.because
        )
    elif not settings:
        return found
    if found.data is None and _validates(cls):
        return unknown(f"{cls.name}.{name}, which a validator may set", found.env, found.because)
    return found.depending((_variable(it, cls, name),)) if settings else found


def _default(it: Interpreter, field: ExtInstance, found: Val) -> Val | None:
    given = field.kwargs.get("default", field.args[0] if field.args and field.name.startswith("pydantic") else None)
    if given is not None and not (isinstance(given.data, Unknown) and given.data.why == _ELLIPSIS):
        return given if given.because else Val(given.data, given.env, found.because)
    factory = field.kwargs.get("default_factory", field.kwargs.get("factory"))
    return None if factory is None else it.call(factory, [], {}, Because("", 0, "default_factory"))


def _derives(cls: Class, names: frozenset[str]) -> bool:
    return any(isinstance(base, Ext) and base.name.rpartition(".")[2] in names for base in cls.mro())


def _validates(cls: Class) -> bool:
    return any(
        isinstance(own.data, Function) and not _VALIDATORS.isdisjoint(own.data.decorators)
        for base in cls.mro()
        if isinstance(base, Class)
        for own in base.attributes.values()
    )


def _variable(it: Interpreter, cls: Class, name: str) -> str:
    """The variable that pydantic's settings read for a field."""
    for base in cls.mro():
        if not isinstance(base, Class):
            continue
        config = base.attributes.get("model_config", base.attributes.get("Config"))
        data = it.settle(config).data if config is not None else None
        stated = (
            data.kwargs if isinstance(data, ExtInstance) else data.items if isinstance(data, Table) else
            data.attributes if isinstance(data, Class) else {}
        ).get("env_prefix")  # fmt: skip
        prefix = plain(stated) if stated is not None else None
        if isinstance(prefix, str):
            return f"{prefix}{name}".upper()
    return name.upper()


def of_instance(it: Interpreter, owner: Val, data: Instance, name: str) -> Val | None:
    """``model_dump`` of a pydantic model; None if it is no such model."""
    if name not in ("model_dump", "dict") or not _derives(data.cls, _MODELS):
        return None

    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        if args or not _HARMLESS.issuperset(kwargs):
            return unknown(at.what)
        return dump(it, owner, without_none=plain(kwargs.get("exclude_none")) is True)

    return Val(Native(name, call))


def asdict(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``dataclasses.asdict(x)``, ``attrs.asdict(x)``."""
    if len(args) != 1 or kwargs or not isinstance(args[0].data, Instance):
        return unknown(at.what)
    return dump(it, args[0])


def dump(it: Interpreter, owner: Val, *, without_none: bool = False, depth: int = 0) -> Val:
    """The fields of an instance by name, those of instances in it likewise."""
    data = owner.data
    if isinstance(data, Seq) and depth < 8:
        items = [dump(it, item, without_none=without_none, depth=depth + 1) for item in data.items]
        return Val(Seq(data.kind, items, data.open), owner.env, owner.because)
    if not isinstance(data, Instance) or depth >= 8:
        return owner
    from safecelery.lint.model import attributes

    whole = Val(Table())
    closed = all(isinstance(base, Class) or _is_known_base(base) for base in data.cls.mro())
    for name in names(data.cls):
        found = attributes.read(it, owner, name, Because(data.cls.module.path, data.cls.line, name))
        if without_none and found.data is None:
            continue
        whole.data.items[name] = dump(it, found, without_none=without_none, depth=depth + 1)
    whole.data.open = not closed
    return whole


def _is_known_base(base: object) -> bool:
    return isinstance(base, Ext) and base.name.rpartition(".")[2] in (*_MODELS, "object", "ABC")


def names(cls: Class) -> list[str]:
    """The fields in the order in which they are taken: those of the bases first."""
    order = reversed([base for base in cls.mro() if isinstance(base, Class)])
    found = dict.fromkeys(key.removeprefix(_FIELD) for base in order for key in base.keywords if key.startswith(_FIELD))
    return [name for name in found if not name.startswith("_")]
