"""Dataclasses whose methods are written when they are first needed.

``dataclasses.dataclass`` compiles six functions and makes a second class for each class, half a millisecond, whether
anybody uses them or not. The linter has a hundred such classes; one run on a small file makes instances of a third of
them, and compares and shows next to none. What is deferred here is the standard library's own work: signatures, errors
and behaviour are its own, and to type checkers this is its decorator. Only what an instance needs from its first moment
is written here, for the library takes five times as long over it; a class whose fields ask for more is left to it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

__all__ = ["dataclass"]

_FIELDS: Final = "__dataclass_fields__"
_TO_BE_MADE: Final = ("__init__", "__setattr__", "__delattr__", "__replace__", "__match_args__", _FIELDS)
"""What an instance needs from the beginning (dataclasses.py, ``_process_class``)."""
_ORDER: Final = ("__lt__", "__le__", "__gt__", "__ge__")
_MORE: Final = ("InitVar", "KW_ONLY")
"""Annotations that make no field of a name."""
_OPTIONS: Final = frozenset({"frozen", "kw_only", "eq", "order"})


class _Deferred:
    """What is still to be written of one class, standing in its ``__dataclass_fields__`` until then."""

    __slots__ = ("_namespace", "_options", "cls")

    def __init__(self, cls: Any, options: dict[str, bool]) -> None:
        self._options = options
        self._namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        fields = _own_fields(self._namespace)
        kept = {name: value for name, value in self._namespace.items() if name not in fields}
        state = {"__slots__": fields, _FIELDS: self, "__getstate__": _getstate, "__setstate__": _setstate}
        self.cls = type(cls)(cls.__name__, cls.__bases__, {**self._stubs(), **kept, **state, "__init__": self._init()})
        """The class: slots for its fields, and stubs that write the rest when they are first called."""
        self.cls.__qualname__ = cls.__qualname__

    def __get__(self, instance: object, owner: object = None) -> Any:
        """As ``dataclasses.fields``, ``replace`` and ``is_dataclass`` look up ``__dataclass_fields__``."""
        self._make_ready()
        return self.cls.__dict__[_FIELDS]

    def _compared(self) -> tuple[str, ...]:
        """The methods that compare and show."""
        eq, frozen = self._options.get("eq", True), self._options.get("frozen", False)
        order = _ORDER if self._options.get("order", False) else ()
        return ("__repr__", *(["__eq__"] if eq else []), *(["__hash__"] if eq and frozen else []), *order)

    def _stubs(self) -> dict[str, Any]:
        stubs: dict[str, Any] = {name: self._later(name) for name in self._compared()}
        if self._options.get("eq", True) and not self._options.get("frozen", False):
            stubs["__hash__"] = None
        return stubs

    def _init(self) -> Any:
        def __init__(self_: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            if not self._write_init():
                self._make_ready()
            self.cls.__init__(self_, *args, **kwargs)

        return __init__

    def _write_init(self) -> bool:
        """Write ``__init__``, and what keeps a frozen instance as it is; False if the fields ask for more."""
        names = _own_fields(self._namespace)
        given = {name: self._namespace[name] for name in names if name in self._namespace}
        annotations = self._namespace.get("__annotations__", {})
        if "self" in names or any(word in annotations[name] for name in names for word in _MORE):
            return False
        cls, frozen, kw_only = self.cls, self._options.get("frozen", False), self._options.get("kw_only", False)
        written = [value for value in given.values() if isinstance(value, dataclasses.Field)]
        if not all(_is_plain(value, kw_only=kw_only) for value in written):
            return False
        init = _init_of(cls, names, given, frozen=frozen, kw_only=kw_only)
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        init.__annotations__ = {**{name: annotations[name] for name in names}, "return": None}
        if frozen:
            cls.__setattr__, cls.__delattr__ = _frozen(cls, frozenset(names))
        if "__match_args__" not in self._namespace:
            setattr(cls, "__match_args__", () if kw_only else names)  # noqa: B010 - typing knows it as a constant
        cls.__init__ = init
        return True

    def _later(self, name: str) -> Any:
        def stub(self_: Any, /, *args: Any) -> Any:
            self._write(self._compared())
            return getattr(self.cls, name)(self_, *args)

        return stub

    def _make_ready(self) -> None:
        """Write what instances need, and not yet what compares and shows them."""
        self._write(_TO_BE_MADE, repr=False, eq=False, order=False)

    def _write(self, names: tuple[str, ...], **less: bool) -> None:
        """Let the standard library write into a plain twin of the class, and take over what it wrote.

        A new twin each time: it changes the defaults of what it decorates, and two threads may come here at once.
        """
        cls = self.cls
        twin = type(cls)(cls.__name__, cls.__bases__, dict(self._namespace))
        twin.__qualname__ = cls.__qualname__
        written = vars(dataclasses.dataclass(**{**self._options, **less})(twin))
        for name in names:
            if name in written and name not in self._namespace:
                setattr(cls, name, written[name])


class _Factory:
    """Stands for a default that is made anew for each instance, as ``dataclasses._HAS_DEFAULT_FACTORY`` does."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY: Final = _Factory()


def _is_plain(field: dataclasses.Field[Any], *, kw_only: bool) -> bool:
    """It says nothing of its parameter but the default; the library notes there what holds for the class."""
    return field.init and field.kw_only in (dataclasses.MISSING, kw_only)


def _init_of(cls: Any, names: tuple[str, ...], given: dict[str, Any], *, frozen: bool, kw_only: bool) -> Any:
    """``__init__`` of a class with these fields and defaults."""
    space: dict[str, Any] = {"_factory": _FACTORY}
    parameters = ["self", *(["*"] if kw_only and names else [])]
    body = []
    for name in names:
        value: Any = given.get(name, dataclasses.MISSING)
        made: Any = dataclasses.MISSING
        if isinstance(value, dataclasses.Field):
            value, made = value.default, value.default_factory
        if made is not dataclasses.MISSING:
            space[f"_made_{name}"] = made
            parameters.append(f"{name}=_factory")
            body.append(f" if {name} is _factory: {name} = _made_{name}()")
        elif value is not dataclasses.MISSING:
            space[f"_given_{name}"] = value
            parameters.append(f"{name}=_given_{name}")
        else:
            parameters.append(name)
        if frozen:  # past the __setattr__ that refuses, and faster than object's, which looks the slot up
            space[f"_set_{name}"] = vars(cls)[name].__set__
        body.append(f" _set_{name}(self, {name})" if frozen else f" self.{name} = {name}")
    body.append(" self.__post_init__()" if hasattr(cls, "__post_init__") else " return None")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(body), space)  # noqa: S102 - as the library does
    return space["__init__"]


def _frozen(cls: Any, names: frozenset[str]) -> tuple[Any, Any]:
    """``__setattr__`` and ``__delattr__``, which let a subclass have attributes of its own."""

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return __setattr__, __delattr__


def _own_fields(namespace: dict[str, Any]) -> tuple[str, ...]:
    """The annotated names that are no ``ClassVar``; annotations are text (``from __future__ import annotations``)."""
    annotations = namespace.get("__annotations__", {})
    return tuple(name for name, said in annotations.items() if not said.startswith("ClassVar"))


def _getstate(self: Any) -> list[Any]:
    """For pickle and copy: the values of the fields; a frozen instance takes none by assignment."""
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, slots: bool, **options: bool) -> Any:
        """``@dataclasses.dataclass(slots=True, ...)``, deferred; with ``frozen``, ``kw_only``, ``eq`` and ``order``.

        For classes that inherit no fields, whose annotations are text, and which call no ``super()`` without arguments.

        Raises:
            TypeError: an option that is none of these, no slots, or inherited fields.
        """
        if not slots or not options.keys() <= _OPTIONS:
            raise TypeError(f"a deferred dataclass takes slots=True and {', '.join(sorted(_OPTIONS))}")

        def decorate(cls: Any) -> Any:
            if any(_FIELDS in vars(base) for base in cls.__mro__[1:]):
                raise TypeError(f"{cls.__qualname__} inherits fields: use dataclasses.dataclass")
            return _Deferred(cls, options).cls

        return decorate
