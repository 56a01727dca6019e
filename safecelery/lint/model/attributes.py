"""Reading attributes and items."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Final

from safecelery.deferred import dataclass
from safecelery.lint.finding import Because
from safecelery.lint.model import fields, methods, surroundings
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import (
    Bound,
    Class,
    Deferred,
    Ext,
    ExtInstance,
    Function,
    Instance,
    ModuleRef,
    Native,
    Partial,
    Pending,
    Seq,
    Table,
    Unknown,
    Val,
    unknown,
)
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["BUILTINS", "Super", "class_attribute", "is_enumeration", "item", "read", "superclass"]

BUILTINS: Final = frozenset(dir(builtins))
_PROPERTIES: Final = frozenset({"property", "cached_property", "classproperty", "setting", "lazy_property"})


@dataclass(frozen=True, slots=True, eq=False)
class Super:
    """``super()`` in a method."""

    cls: Class
    this: Val


def superclass(frame: Frame, args: list[Val]) -> Val:
    """What ``super()`` is in this frame."""
    current: Frame | None = frame
    while current is not None:
        if current.method_of is not None and current.this is not None:
            return Val(Super(current.method_of, current.this))
        current = current.parent
    return unknown("super()")


def read(it: Interpreter, owner: Val, name: str, at: Because, frame: Frame | None = None) -> Val:
    """``owner.name``."""
    found = it.dialect.attribute(it, owner, name, at)
    if found is None:
        found = _read(it, owner, name, at)
    if found is None:
        return unknown(at.what if len(at.what) < 60 else f"...{name}", owner.env, owner.because)
    return found.depending(owner.env) if owner.env else found


def _read(it: Interpreter, owner: Val, name: str, at: Because) -> Val | None:
    data = owner.data
    if isinstance(data, Ext):
        return surroundings.named(f"{data.name}.{name}")
    if isinstance(data, Pending | Deferred):
        return read(it, it.settle(owner), name, at)
    if isinstance(data, ModuleRef):
        if name == "__name__":
            return Val(data.module.name)
        if name == "__dict__":
            return Val(_names_of(it, data.module))
        found = it.member(data.module, name)
        if found is None:
            submodule = it.find(f"{data.module.name}.{name}", data.module)
            return Val(ModuleRef(submodule)) if submodule else None
        return found
    if isinstance(data, Instance):
        if name in data.attributes:
            return it.settle(data.attributes[name])
        if name == "__class__":
            return Val(data.cls)
        if name == "__dict__":
            return Val(Table(data.attributes))
        found = class_attribute(it, data.cls, name, owner, at)
        if found is not None:
            return fields.value(it, data.cls, name, found)
        found = fields.of_instance(it, owner, data, name)
        return found if found is not None else _asked(it, owner, data, "__getattr__", Val(name), at)
    if isinstance(data, Class):
        if name in ("__name__", "__qualname__"):
            return Val(data.name)
        if name == "__module__":
            return Val(data.module.name)
        if name == "__dict__":
            return Val(Table(data.attributes))
        return class_attribute(it, data, name, None, at)
    if isinstance(data, Super):
        return _super_attribute(it, data, name, at)
    if isinstance(data, Function):
        if name in ("__name__", "__qualname__"):
            return Val(data.name)
        if name == "__module__":
            return Val(data.module.name)
        if name == "__wrapped__" and data.wrapped is not None:
            return Val(data.wrapped)
        return data.attributes.get(name)
    if isinstance(data, ExtInstance):
        if name in data.attributes:
            return data.attributes[name]
        return methods.of_external(it, owner, data, name)
    if name == "value" and isinstance(data, str | int | float):
        return owner  # members of an enumeration are kept as their values
    if isinstance(data, str | Seq | Table | int | float):
        return methods.of_builtin(it, owner, name)
    if isinstance(data, Partial):
        return {"func": data.function}.get(name)
    return None


def _names_of(it: Interpreter, module: Module) -> Table:
    """A module's names, those left out that it imports: nobody configures with them."""
    it.run(module)
    own = {name: it.settle(value) for name, value in list(module.names.items()) if not isinstance(value.data, Pending)}
    return Table(dict(own), bool(module.stars or module.unseen))


def _asked(it: Interpreter, owner: Val, data: Instance, hook: str, key: Val, at: Because) -> Val | None:
    """What a class of the tree answers through ``__getattr__`` or ``__getitem__``."""
    method = class_attribute(it, data.cls, hook, owner, at)
    if method is None or not isinstance(method.data, Bound) or method.data.function.active:
        return None
    return it.call(method, [key], {}, at)


def class_attribute(it: Interpreter, cls: Class, name: str, this: Val | None, at: Because) -> Val | None:
    """An attribute found through the classes; methods are bound to ``this``, properties are run."""
    for base in cls.mro():
        if isinstance(base, Class):
            found = base.attributes.get(name)
            if found is None:
                continue
            return _bind(it, it.settle(found), this, cls, at)
        if isinstance(base, Unknown):
            return None
        if base.name not in _PLAIN_BASES and this is None:
            return Val(Ext(f"{cls.dotted}.{name}"))
        if base.name not in _PLAIN_BASES:
            return None
    return None


_PLAIN_BASES: Final = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})


def _bind(it: Interpreter, found: Val, this: Val | None, cls: Class, at: Because) -> Val:
    data = found.data
    if not isinstance(data, Function):
        return found
    if "staticmethod" in data.decorators:
        return found
    if "classmethod" in data.decorators or data.name == "__init_subclass__":
        return Val(Bound(data, Val(cls)), found.env, found.because)
    if this is None:
        if any(decorator in ("classproperty",) for decorator in data.decorators):
            return it.call(Val(Bound(data, Val(cls))), [], {}, at)
        return found
    if any(decorator in _PROPERTIES for decorator in data.decorators):
        return it.call(Val(Bound(data, this)), [], {}, at)
    return Val(Bound(data, this), found.env, found.because)


def _super_attribute(it: Interpreter, data: Super, name: str, at: Because) -> Val | None:
    this = data.this.data
    cls = this if isinstance(this, Class) else getattr(this, "cls", None)
    order = list((cls or data.cls).mro())
    if data.cls in order:
        order = order[order.index(data.cls) + 1 :]
    for base in order:
        if isinstance(base, Class) and name in base.attributes:
            return _bind(it, it.settle(base.attributes[name]), data.this, base, at)
        if isinstance(base, Ext) and base.name not in _PLAIN_BASES:
            found = it.dialect.attribute(it, data.this, f"super {name}", at)
            return found if found is not None else Val(Ext(f"{base.name}.{name}"))
        if isinstance(base, Unknown):
            return None
    if name == "__init__":
        return Val(Native("object.__init__", lambda it, args, kwargs, at: Val(None)))
    return None


def is_enumeration(cls: Class) -> bool:
    """Members of the class are kept as their values."""
    return any(
        isinstance(base, Ext) and (base.name.startswith("enum.") or base.name.endswith("Choices")) for base in cls.mro()
    )


def _module_called(it: Interpreter, name: Any, at: Because) -> Val | None:
    """``sys.modules[name]``."""
    if not isinstance(name, str):
        return None
    for module in it.modules.all_modules():
        if module.name == name:
            return Val(ModuleRef(module))
    found = it.find(name, it.modules.by_path(at.file))
    return None if found is None else Val(ModuleRef(found))


def item(it: Interpreter, owner: Val, key: Val, at: Because) -> Val:
    """``owner[key]``."""
    found = it.dialect.item(it, owner, key, at)
    if found is None:
        found = _item(it, owner, key, at)
    if found is None:
        return unknown(at.what if len(at.what) < 60 else describe(owner), owner.env, owner.because)
    return found.depending(owner.env).depending(key.env)


def _item(it: Interpreter, owner: Val, key: Val, at: Because) -> Val | None:
    data: Any = owner.data
    if isinstance(data, Instance):
        return _asked(it, owner, data, "__getitem__", key, at)
    if isinstance(data, Class) and is_enumeration(data):
        member = plain(key)
        return class_attribute(it, data, member, None, at) if isinstance(member, str) else None
    if isinstance(data, Ext) and data.name == "sys.modules":
        return _module_called(it, plain(key), at)
    if isinstance(data, Class | Ext):  # Generic[...]: the class itself
        return owner
    if isinstance(data, Table):
        name = plain(key)
        try:
            if name is not UNKNOWN and name in data.items:
                return it.settle(data.items[name])
        except TypeError:
            return None
        if name is not UNKNOWN and not data.open:
            it.raise_if_caught("KeyError")
        return None
    if isinstance(data, Seq | str):
        index = key.data
        items = data if isinstance(data, str) else data.items
        if isinstance(data, Seq) and data.open:
            return None
        try:
            if isinstance(index, slice):
                if isinstance(data, str):
                    return Val(data[index])
                return Val(Seq(data.kind, data.items[index]))
            if isinstance(index, int):
                found = items[index]
                return Val(found) if isinstance(found, str) else found
        except (IndexError, ValueError):
            it.raise_if_caught("IndexError")
    return None
