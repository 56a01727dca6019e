"""What the interpreter computes with: values that are known, or unknown for a reason, and where they came from.

A :class:`Val` wraps one value. Its ``data`` is a plain constant, a container of further ``Val``, an object of the
program (class, function, instance, module), something outside the tree (:class:`Ext`), or :class:`Unknown`.
``env`` names the environment variables whose defaults were taken on the way: such a value is "known with this default".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safecelery.deferred import dataclass
from safecelery.lint.finding import Because

if TYPE_CHECKING:
    from safecelery.lint.ir import Node
    from safecelery.lint.model.bearing import Bearing
    from safecelery.lint.model.scope import Frame, Module

__all__ = [
    "MOST_PARTS",
    "NONE",
    "Bound",
    "Class",
    "Deferred",
    "Env",
    "Ext",
    "ExtInstance",
    "Function",
    "Instance",
    "ModuleRef",
    "Native",
    "Partial",
    "Pending",
    "Seq",
    "Table",
    "Unknown",
    "Val",
    "merge_env",
    "unknown",
]

Env: TypeAlias = tuple[str, ...]
_LONGEST_CHAIN = 6
MOST_PARTS: Final = 20_000
"""Elements of one container; past what anybody writes."""


class Val:
    """A value, the environment variables it depends on, and the places it came through, nearest first."""

    __slots__ = ("because", "data", "env")

    def __init__(self, data: Any, env: Env = (), because: tuple[Because, ...] = ()) -> None:
        self.data = data
        self.env = env
        self.because = because

    def via(self, place: Because, env: Env = ()) -> Val:
        """The same value, having passed through one more place."""
        if self.because and self.because[0] == place and not env:
            return self
        return Val(self.data, merge_env(self.env, env), (place, *self.because[: _LONGEST_CHAIN - 1]))

    def depending(self, env: Env, because: tuple[Because, ...] = ()) -> Val:
        """The same value, known to depend on more of the environment."""
        if not env and not because:
            return self
        return Val(self.data, merge_env(self.env, env), (*self.because, *because)[:_LONGEST_CHAIN])

    @property
    def is_unknown(self) -> bool:
        """The value could not be determined."""
        return isinstance(self.data, Unknown)

    def __repr__(self) -> str:
        return f"Val({self.data!r}{', env=' + ','.join(self.env) if self.env else ''})"


def merge_env(first: Env, second: Env) -> Env:
    """Both, each name once."""
    if not second or first == second:
        return first
    return tuple(dict.fromkeys((*first, *second))) if first else second


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not determined; ``why`` is the expression that blocked, or a few words."""

    why: str


@dataclass(slots=True, eq=False)
class Seq:
    """A list, tuple or set; ``open``: it holds more than can be seen."""

    kind: str
    """"l", "t" or "s"."""
    items: list[Val]
    open: bool = False

    def take(self, items: list[Val], opened: bool) -> None:
        """Add elements; past what anybody writes, only that there are more."""
        room = MOST_PARTS - len(self.items)
        self.items += items[:room]
        self.open |= opened or len(items) > room


@dataclass(slots=True, eq=False)
class Table:
    """A dict with constant keys; ``open``: it holds more than can be seen."""

    items: dict[Any, Val] = field(default_factory=dict)
    open: bool = False


@dataclass(frozen=True, slots=True)
class Ext:
    """Something outside the tree, by its dotted name: ``requests.RequestException``."""

    name: str


@dataclass(slots=True, eq=False)
class ExtInstance:
    """What a call of something outside the tree returned."""

    name: str
    args: list[Val]
    kwargs: dict[str, Val]
    attributes: dict[str, Val] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Function:
    """A function or lambda of the tree, with the scopes it sees."""

    name: str
    module: Module
    line: int
    """Of its first decorator, as in ``co_firstlineno``."""
    def_line: int
    parameters: Node
    defaults: list[Val | None]
    body: Node | None
    closure: Frame | None
    owner: Class | None = None
    """The class whose body it stands in."""
    wrapped: Function | None = None
    """What ``functools.wraps`` says it stands for."""
    expression: Node | None = None
    """A lambda's body."""
    called: bool = False
    active: int = 0
    """How many calls of it are running."""
    decorators: tuple[str, ...] = ()
    """The last names of its decorators."""
    attributes: dict[str, Val] = field(default_factory=dict)

    @property
    def origin(self) -> Function:
        """The function that was written, under all its wrappers."""
        function = self
        for _ in range(8):
            if function.wrapped is None:
                break
            function = function.wrapped
        return function


@dataclass(slots=True, eq=False)
class Class:
    """A class of the tree."""

    name: str
    module: Module
    line: int
    bases: list[Val]
    attributes: dict[str, Val]
    keywords: dict[str, Val] = field(default_factory=dict)
    decorated: bool = False
    qualname: str = ""

    @property
    def dotted(self) -> str:
        """Its full name."""
        return f"{self.module.name}.{self.qualname or self.name}"

    def mro(self) -> Iterator[Class | Ext | Unknown]:
        """The classes in order of look-up: depth first, a class met twice counts where it stands last."""
        order: list[Class | Ext | Unknown] = []
        self._linearise(order, 0)
        last = {id(item) if isinstance(item, Class) else item: index for index, item in enumerate(order)}
        for index, item in enumerate(order):
            if last[id(item) if isinstance(item, Class) else item] == index:
                yield item

    def _linearise(self, order: list[Class | Ext | Unknown], depth: int) -> None:
        order.append(self)
        if depth > 20:
            return
        for base in self.bases:
            data = base.data
            if isinstance(data, Pending | Deferred):
                data = data.it.settle(base).data
            if isinstance(data, Class):
                data._linearise(order, depth + 1)
            elif isinstance(data, Ext | Unknown):
                order.append(data)
            elif isinstance(data, ExtInstance):
                order.append(Ext(data.name))
            else:
                order.append(Unknown(f"a base of {self.name}"))


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the tree. ``state`` is for those who give it a meaning of their own."""

    cls: Class
    attributes: dict[str, Val] = field(default_factory=dict)
    state: Any = None
    args: list[Val] = field(default_factory=list)
    kwargs: dict[str, Val] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module of the tree."""

    module: Module


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """An import that nobody has looked at yet: ``from module import name``."""

    module: Module
    name: str
    it: Bearing


ANY_NAME: Final = "*"
"""In :attr:`Deferred.names`: it may read any."""


@dataclass(slots=True, eq=False)
class Deferred:
    """An expression that nobody has needed yet."""

    node: Node
    frame: Frame
    at: Because
    it: Bearing
    noted: bool = True
    """A value from here came through this place, as it does through an assignment."""
    value: Val | None = None
    running: bool = False
    names: frozenset[str] | None = None
    """Those it may read, once somebody has asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A method with its object."""

    function: Function
    this: Val


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """``functools.partial(function, ...)``, or a decorator that has got its options but not yet its function."""

    function: Val
    args: tuple[Val, ...]
    kwargs: Mapping[str, Val]


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """A callable that the interpreter carries out itself; ``call(interpreter, args, kwargs, where)``."""

    name: str
    call: Any


NONE: Final = Val(None)


def unknown(why: str, env: Env = (), because: tuple[Because, ...] = ()) -> Val:
    """An unknown value. ``why`` names what blocked."""
    return Val(Unknown(why), env, because)
