"""What an expression has to do with Celery, told from what it starts from, without evaluating it.

A module is run only when a value of it is needed. Half of the calls in a project's views and migrations need values of
modules that have nothing to do with Celery, and would have them read for nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.model.control import Control
from safecelery.lint.model.externals import EXTERNALS
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import ANY_NAME, Deferred, Ext, ExtInstance, ModuleRef, Pending, Val

if TYPE_CHECKING:
    from safecelery.lint.ir import Node

__all__ = ["MAKERS", "Bearing"]

MAKERS: Final = frozenset(
    {"celery", "safecelery", "functools", "werkzeug", "builtins", "tenant_schemas_celery", "venusian", "dynaconf"}
)
"""Packages outside the tree whose functions give apps, tasks or decorators."""
_ACTING: Final = (
    MAKERS
    | {name.partition(".")[0] for name in EXTERNALS}
    | {"django", "environ", "environs", "flask", "importlib", "quart", "split_settings", "starlette", "sys"}
)
"""Packages outside the tree whose functions do something here: they give such things, or fill a configuration."""
_OF_THE_MODULE: Final = frozenset({"__name__", "__file__"})
"""What differs from module to module, and decides nothing: loggers are called so."""
_MOST_NAMES: Final = 5
"""Names for a name for a name."""


class Bearing(Control):
    """Answers about expressions that nobody has evaluated yet."""

    def find(self, dotted: str, importer: Module) -> Module | None:
        """The module of the tree with this dotted name."""
        raise NotImplementedError

    def settle(self, value: Val) -> Val:
        """The value, an import looked up and what was deferred evaluated."""
        raise NotImplementedError

    def peek(self, node: Node, frame: Frame) -> Val | None:
        """What an expression names, without running another module for it; None if that takes evaluation."""
        if node[0] == "n":
            current: Frame | None = frame
            while current is not None:
                if node[2] in current.names:
                    return current.names[node[2]]
                current = current.parent
            return frame.module.names.get(node[2])
        if node[0] == "a":
            owner = self.peek(node[2], frame)
            if owner is None:
                return None
            if isinstance(owner.data, ModuleRef):
                package = owner.data.module
                if package.is_package and not package.relevant:  # but one of its modules may be
                    submodule = self.find(f"{package.name}.{node[3]}", package)
                    if submodule is not None:
                        return Val(ModuleRef(submodule))
                return Val(Pending(package, node[3], self))
            if isinstance(owner.data, Ext):
                return Val(Ext(f"{owner.data.name}.{node[3]}"))
            if isinstance(owner.data, Pending) and not owner.data.module.relevant:
                return owner
        if node[0] in ("c", "x"):
            return self.peek(node[2], frame)
        return None

    def is_irrelevant(self, node: Node, frame: Frame) -> bool:
        """The expression starts from a module that has nothing to do with Celery."""
        found = self.peek(node, frame)
        return found is not None and isinstance(found.data, Pending) and not found.data.module.relevant

    def is_outside(self, node: Node, frame: Frame) -> bool:
        """The expression starts from a package outside the tree that knows no apps and no tasks, or from what a call of
        such a package returned.
        """
        root = self._root(node, frame)
        data = root.data if root is not None else None
        if not isinstance(data, Ext | ExtInstance):
            return False
        return data.name.partition(".")[0] not in _ACTING and "elery" not in data.name

    def _root(self, node: Node, frame: Frame) -> Val | None:
        """What the expression starts from, as far as that is known without evaluating anything."""
        for _ in range(_MOST_NAMES):
            found = self.peek(node, frame)
            while found is None and node[0] in ("a", "c", "x"):
                node = node[2]
                found = self.peek(node, frame)
            waiting = found.data if found is not None else None
            if not isinstance(waiting, Deferred):
                return found
            if waiting.value is not None:
                return waiting.value
            node, frame = waiting.node, waiting.frame
        return None

    def acts(self, part: Any, frame: Frame) -> bool:
        """Evaluating the expression, or one of this list of them, may do more than give a value.

        A call does, unless it is of something outside and none of its arguments does.
        """
        if type(part) is not list or not part:
            return False
        if part[0] == "c" and len(part) == 5 and type(part[1]) is int:
            outside = self.is_outside(part, frame)
            return not outside or any(self.acts(inner, frame) for inner in part)
        return (part[0] == "w" and len(part) == 4) or any(self.acts(inner, frame) for inner in part)

    def may_read(self, waiting: Deferred, name: str) -> bool:
        """Evaluating it may read this name where it stands: it holds the name, or runs code that may."""
        if waiting.names is None:
            acts = self.acts(waiting.node, waiting.frame)
            waiting.names = frozenset({ANY_NAME} if acts else _names_in(waiting.node))
        return name in waiting.names or ANY_NAME in waiting.names

    def call_key(self, node: Node, frame: Frame) -> Hashable | None:
        """The same for two calls of an imported function with the same constants; None for everything else."""
        if node[0] != "c" or node[2][0] != "n":
            return None
        function = self.peek(node[2], frame)
        if function is None or not isinstance(function.data, Pending):
            return None
        given = [(None, argument) for argument in node[3]] + [(name, value) for name, value in node[4]]
        if not all(value[0] == "k" or (value[0] == "n" and value[2] in _OF_THE_MODULE) for _, value in given):
            return None
        return function.data.module.path, function.data.name, tuple((name, repr(value[2])) for name, value in given)


def _names_in(part: Any) -> Iterator[str]:
    """Every name in a part of the reduced form."""
    if type(part) is list:
        if len(part) == 3 and part[0] == "n":
            yield part[2]
        else:
            for inner in part:
                yield from _names_in(inner)
