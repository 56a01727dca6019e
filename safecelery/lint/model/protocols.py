"""What the interpreter asks of others: where modules come from, and what a framework gives a meaning to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from safecelery.lint.finding import Because
from safecelery.lint.model.scope import Module
from safecelery.lint.model.values import (
    Env,
    Val,
)

if TYPE_CHECKING:
    from safecelery.lint.model.values import Class

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Dialect", "Modules", "Raised"]


class Raised(Exception):
    """The interpreted code raised, and an enclosing ``try`` there catches it."""

    def __init__(self, name: str, env: Env = ()) -> None:
        super().__init__(name)
        self.name = name
        self.env = env
        """The environment variables without which it would not have raised."""


class Modules(Protocol):
    """Where the modules of the tree come from."""

    uses_init_subclass: bool
    """Some class of the tree acts when it is derived from."""

    def find_module(self, dotted: str, importer: Any) -> Any:
        """The file of a module of the tree, as the module with the record ``importer`` would get it, or None."""

    def module_of(self, file: Any) -> Module:
        """The module of a file; the same object each time."""
        ...

    def by_path(self, path: str) -> Module:
        """The module that is already known under the path findings print. Raises KeyError."""
        ...

    def all_modules(self) -> Iterator[Module]:
        """Every module met so far."""
        ...

    def beside(self, module: Module, pattern: str) -> list[Module]:
        """The modules whose file matches a glob relative to the folder of ``module``."""
        ...


class Dialect(Protocol):
    """What a framework gives a meaning to: Celery's classes, Django's settings. None means: not mine."""

    def call(self, it: Interpreter, function: Val, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val | None:
        """Carry out a call of something outside the tree, or of one of the dialect's own objects."""

    def create(self, it: Interpreter, cls: Class, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val | None:
        """Make an instance of a class of the tree that derives from something outside."""

    def attribute(self, it: Interpreter, value: Val, name: str, at: Because) -> Val | None:
        """Read an attribute."""

    def assign(self, it: Interpreter, value: Val, name: str, to: Val, at: Because) -> bool:
        """Set an attribute; False: not mine."""
        ...

    def item(self, it: Interpreter, value: Val, key: Val, at: Because) -> Val | None:
        """Read an item."""

    def assign_item(self, it: Interpreter, value: Val, key: Val, to: Val, at: Because) -> bool:
        """Set an item; False: not mine."""
        ...

    def has(self, it: Interpreter, value: Val, name: str) -> Val | None:
        """Whether something has an attribute, as true or false; None if that cannot be told."""

    def class_made(self, it: Interpreter, cls: Class) -> None:
        """A class statement has run."""

    def learned(self) -> int:
        """How much was learned so far; more after something was made, configured or declared."""
        ...
