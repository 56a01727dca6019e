"""``try``: what raises for certain is caught as at run time."""

from __future__ import annotations

from safecelery.lint.ir import Node
from safecelery.lint.model.branching import assigned_in
from safecelery.lint.model.parts import Part, Signal
from safecelery.lint.model.reading import plain
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import Class, Env, Ext, Function, ModuleRef, Pending, Val, unknown

__all__ = ["Trying"]

_IMPORT_FAILS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_FAMILY = {
    "ImportError": {"ImportError", "ModuleNotFoundError"},
    "LookupError": {"KeyError", "IndexError"},
    "Exception": set(),
}


class Trying(Part):
    """Handlers of exceptions."""

    def trying(self, node: Node, frame: Frame) -> Signal:
        from safecelery.lint.model.protocols import Raised

        _, _, body, handlers, orelse, final = node
        caught = [self._caught(handler[0]) for handler in handlers]
        self.it.catching.append(frozenset().union(*caught))
        raised: str | None = None
        env: Env = ()
        signal: Signal = None
        try:
            signal = self.block(body, frame)
        except Raised as error:
            raised, env = error.name, error.env
        finally:
            self.it.catching.pop()
        if raised is None and signal is not None and signal[0] == "raise" and handlers:
            raised, env = str(plain(signal[1])), signal[1].env
            signal = None
        if raised is not None:
            for handler, names in zip(handlers, caught, strict=True):
                if raised in names or "Exception" in names or "BaseException" in names:
                    if handler[1]:
                        frame.names[handler[1]] = unknown(f"the {raised} caught")
                    with self.it.under(env):
                        signal = self.block(handler[2], frame)
                    break
            else:
                if final:
                    self.block(final, frame)
                if self.it.catching:
                    raise Raised(raised, env)
                return "raise", Val(raised, env)
        else:
            self._need_packages(node, caught, frame)
            if signal is None and orelse:
                signal = self.block(orelse, frame)
        if final:
            last = self.block(final, frame)
            signal = last or signal
        return signal

    def _need_packages(self, node: Node, caught: list[set[str]], frame: Frame) -> None:
        """What is assigned beside an import from outside, or where it fails, depends on what is installed."""
        if not any(names & _IMPORT_FAILS for names in caught):
            return
        packages = self._outside(node[2], frame)
        if not packages:
            return
        env = tuple(f"package {name}" for name in packages)
        for name in assigned_in([*node[2], *(statement for handler in node[3] for statement in handler[2])]):
            value = frame.names.get(name)
            if value is not None and not isinstance(value.data, Ext | Function | Class | ModuleRef | Pending):
                frame.names[name] = value.depending(env)

    def _outside(self, body: list[Node], frame: Frame) -> list[str]:
        """The packages outside the tree and the standard library that a block imports."""
        import sys

        found: list[str] = []
        for statement in body:
            dotted = [statement[3]] if statement[0] == "from" and not statement[2] else []
            if statement[0] == "imp":
                dotted = [name for name, _ in statement[2]]
            for name in dotted:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and self.it.find(top, frame.module) is None:
                    found.append(top)
        return found

    def _caught(self, types: Node | None) -> set[str]:
        if types is None:
            return {"BaseException"}
        names: set[str] = set()
        for node in types[2] if types[0] == "t" else [types]:
            last = node[3] if node[0] == "a" else node[2] if node[0] == "n" else ""
            names |= {last} | _FAMILY.get(last, set())
        return names
