"""Runs a reduced module the way Python would, on values that may be unknown; nothing of the module is executed.

Statements are taken in order, so what is assigned last counts, as at run time. Imports bind lazily: a module runs when
one of its names is first needed. Where a condition cannot be decided both branches run, and what differs becomes
unknown; where it depends on an environment variable, its default decides and the value says so.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes, calls, expressions, statements
from safecelery.lint.model.assigning import DISPLAYS
from safecelery.lint.model.bearing import MAKERS, Bearing
from safecelery.lint.model.control import MOST_STEPS, MOST_STEPS_OF_A_CALL
from safecelery.lint.model.merging import merge
from safecelery.lint.model.operators import truth
from safecelery.lint.model.protocols import Dialect, Modules, Raised
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import (
    Deferred,
    Ext,
    Function,
    ModuleRef,
    Pending,
    Unknown,
    Val,
    unknown,
)

__all__ = ["Interpreter"]

_MOST_STEPS_OF_A_MODULE: Final = 400_000
_MOST_ASKED: Final = 100_000
"""Looks at what may mean a name that changes; past that, everything is evaluated at once."""
_FOREIGN: Final = frozenset({"celery", "kombu", "django", "billiard", "flask", "redis"})
"""Top-level names that mean the installed package even if a file of the tree has that name."""


class Interpreter(Bearing):
    """One run over a tree."""

    def __init__(self, modules: Modules, dialect: Dialect) -> None:
        super().__init__()
        self.modules = modules
        self.dialect = dialect
        self.environ: dict[str, Val] = {}
        """What the program itself put into the environment."""
        self.following: set[tuple[int, str]] = set()
        """Imports being looked up, by module and name: one that leads back to itself means a submodule."""
        self.idle: set[Hashable] = set()
        """Calls from which nothing was learned, as ``logger = setup_logger()`` in each module: once is enough."""
        self.failures: list[tuple[str, int, str]] = []
        self.evaluate = expressions.Evaluator(self).evaluate
        self.block = statements.Executor(self).block
        self.call = calls.Caller(self).call

    # --- modules ------------------------------------------------------------------------------------------------

    def run(self, module: Module) -> None:
        """Run a module if it has not run yet."""
        if module.state != "new":
            return
        module.state = "running"
        module.names["__name__"] = Val(module.name)
        module.names["__file__"] = Val(module.path)
        saved = self.uncertain, self.condition, self.catching, self.depth
        self.uncertain, self.condition, self.catching, self.depth = 0, (), [], 0
        start, outer = self.steps, self.limit
        self.limit = start + (_MOST_STEPS_OF_A_MODULE if start < MOST_STEPS else 0)
        try:
            self.block(module.body, Frame(module, module.names))
            if module.record.unread and not module.hidden:
                module.hidden = module.record.unread
        except Raised:
            pass
        except RecursionError:
            long = self.steps > self.limit
            self.failures.append((module.path, 0, f"{'takes too long' if long else 'nested too deeply'} to be read"))
            module.hidden = module.hidden or "the rest of a module that could not be read"
        finally:
            self.limit = outer + self.steps - start
            self.uncertain, self.condition, self.catching, self.depth = saved
            module.state = "done"

    def find(self, dotted: str, importer: Module) -> Module | None:
        """The module of the tree with this dotted name, as seen from ``importer``; not run yet."""
        if not dotted or dotted.partition(".")[0] in _FOREIGN:
            return None
        file = self.modules.find_module(dotted, importer.record)
        return None if file is None else self.modules.module_of(file)

    def member(self, module: Module, name: str) -> Val | None:
        """A name of a module, running it first; a submodule counts. None if there is no such name."""
        self.run(module)
        found = module.names.get(name)
        if found is not None and not isinstance(found.data, Pending):
            return self.settle(found)
        key = (id(module), name)
        if found is not None and key not in self.following:
            self.following.add(key)
            try:
                return self.settle(found)
            finally:
                self.following.discard(key)
        submodule = self.find(f"{module.name}.{name}", module) if module.is_package else None
        if submodule is not None:
            return Val(ModuleRef(submodule))
        if "__getattr__" in module.names:
            return self.call(module.names["__getattr__"], [Val(name)], {}, Because(module.path, 0, name))
        for star in module.stars:
            return Val(Ext(f"{star}.{name}"))
        if module.state == "running":
            return unknown(f"{module.name}.{name} (circular import)")
        if module.unseen:
            return unknown(module.unseen)
        return None

    def settle(self, value: Val) -> Val:
        """The value, an import looked up and what was deferred evaluated."""
        for _ in range(16):
            data = value.data
            if isinstance(data, Pending):
                found = self.member(data.module, data.name)
                if found is None:
                    return unknown(f"{data.module.name}.{data.name}", value.env, value.because)
            elif isinstance(data, Deferred):
                found = self._evaluated(data)
            else:
                return value
            value = found.depending(value.env) if value.env else found
        return unknown("an import that leads to itself")

    def _evaluated(self, data: Deferred) -> Val:
        if data.value is None:
            if data.running:
                return unknown(f"{data.at.what}, which needs itself", (), (data.at,))
            data.running = True
            saved = self.uncertain, self.condition, self.catching
            self.uncertain, self.condition, self.catching = 0, (), []
            self.limit = max(self.limit, self.steps + MOST_STEPS_OF_A_CALL)
            try:
                value = self.evaluate(data.node, data.frame)
            except Raised as error:
                value = unknown(f"{data.at.what} ({error.name})")
            except RecursionError:
                value = unknown(f"{data.at.what}, which takes too long or nests too deeply", (), (data.at,))
            finally:
                self.uncertain, self.condition, self.catching = saved
                data.running = False
            value = self.settle(value)
            noted = data.noted and not isinstance(value.data, _NOT_NOTED)
            data.value = value.via(data.at) if noted else value
        return data.value

    def force(self, module: Module) -> None:
        """Evaluate what was deferred at the module's top level, where that may make an app or a task."""
        for value in module.deferred:
            data = value.data
            if not isinstance(data, Deferred) or data.value is not None or data.node[0] in DISPLAYS:
                continue
            root = self.peek(data.node, data.frame)
            if root is not None:
                if isinstance(root.data, Pending) and not root.data.module.relevant:
                    continue
                if isinstance(root.data, Ext) and root.data.name.partition(".")[0] not in MAKERS:
                    continue
            call = self.call_key(data.node, data.frame)
            if call in self.idle:
                continue
            before = self._learned() if call is not None else 0
            self.settle(value)
            if call is not None and self._learned() == before:
                self.idle.add(call)
        module.deferred.clear()

    def _learned(self) -> int:
        """More after something was made, configured or declared, or put into the environment."""
        return self.dialect.learned() + len(self.environ)

    # --- names --------------------------------------------------------------------------------------------------

    def lookup(self, name: str, frame: Frame) -> Val | None:
        """A name as the frame sees it, built-ins left out; None if nothing binds it."""
        current: Frame | None = frame
        while current is not None:
            found = current.names.get(name)
            if found is not None:
                return self.settle(found) if isinstance(found.data, Pending | Deferred) else found
            current = current.parent
        found = frame.module.names.get(name)
        if found is not None:
            return self.settle(found) if isinstance(found.data, Pending | Deferred) else found
        for star in frame.module.stars:
            return Val(Ext(f"{star}.{name}"))
        if frame.module.unseen and name not in attributes.BUILTINS:
            return unknown(frame.module.unseen)
        return None

    def bind(self, name: str, value: Val, frame: Frame, line: int) -> None:
        """Assign to a name, noting where."""
        if self.condition:
            value = value.depending(self.condition)
        if not isinstance(value.data, _NOT_NOTED):
            value = value.via(Because(frame.module.path, line, name))
        names = frame.names
        if name in frame.shared:
            names = self._home(name, frame)
        if name in names:
            self.settle_before(name, names, frame)
        names[name] = value

    def settle_before(self, name: str, names: dict[str, Val], frame: Frame) -> None:
        """A name gets another value or loses it: what was deferred means the names as they were."""
        module = frame.module
        if names is module.names:
            for value in module.deferred:
                self.settle(value)
            module.deferred.clear()
        elif frame.owner is None:
            return
        waiting, module.in_classes = module.in_classes, []
        module.asked += len(waiting)
        for value in waiting:  # hundreds in a module of models, few of which mean a name that changes
            data = value.data
            if module.asked > _MOST_ASKED or (isinstance(data, Deferred) and self.may_read(data, name)):
                self.settle(value)
            else:
                module.in_classes.append(value)

    def _home(self, name: str, frame: Frame) -> dict[str, Val]:
        current = frame.parent
        while current is not None:
            if name in current.names:
                return current.names
            current = current.parent
        return frame.module.names

    def at(self, frame: Frame, line: int, what: str) -> Because:
        """A place in the code being run."""
        return Because(frame.module.path, line, what)

    def truth(self, value: Val) -> bool | None:
        """Whether it counts as true; None if that is unknown."""
        return truth(value)

    def merge(self, values: Sequence[Val | None], why: str) -> Val | None:
        """What a name is worth after branches that left it at these values (None: unbound there)."""
        return merge(values, why)


_NOT_NOTED = (Ext, Function, ModuleRef, Pending, Deferred, Unknown)
