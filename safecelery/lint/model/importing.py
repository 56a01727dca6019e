"""Imports, which bind and run nothing."""

from __future__ import annotations

from safecelery.lint.ir import Node
from safecelery.lint.model import surroundings
from safecelery.lint.model.parts import Part, Signal
from safecelery.lint.model.reading import plain
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import Ext, ModuleRef, Pending, Val, unknown
from safecelery.policy.facts import UNKNOWN

__all__ = ["Importing"]


class Importing(Part):
    """``import`` and ``from ... import``."""

    def _import(self, node: Node, frame: Frame) -> Signal:
        for dotted, name in node[2]:
            module = self.it.find(dotted, frame.module)
            if name is not None:
                value = Val(ModuleRef(module)) if module else Val(Ext(dotted))
                self._check_found(module, dotted, frame)
                self.it.bind(name, value, frame, node[1])
                continue
            top = dotted.partition(".")[0]
            first = self.it.find(top, frame.module)
            self.it.bind(top, Val(ModuleRef(first)) if first else Val(Ext(top)), frame, node[1])
        return None

    def _check_found(self, module: Module | None, dotted: str, frame: Frame) -> bool:
        """False if it must be a module of the tree and is not there; raises where that is caught."""
        if module is not None:
            return True
        top, _, rest = dotted.partition(".")
        if rest and self.it.find(top, frame.module) is not None:
            self.it.raise_if_caught("ImportError", "ModuleNotFoundError")
            return False
        return True

    def _from(self, node: Node, frame: Frame) -> Signal:
        _, line, level, dotted, names = node
        if level:
            package = frame.module.package
            for _ in range(level - 1):
                package = package.rpartition(".")[0]
            dotted = f"{package}.{dotted}" if package and dotted else package or dotted
        module = self.it.find(dotted, frame.module)
        if module is None:
            if level or not self._check_found(None, dotted, frame):
                self.it.raise_if_caught("ImportError", "ModuleNotFoundError")
                for name, alias in names:
                    if name != "*":
                        self.it.bind(alias or name, unknown(f"{dotted}.{name}"), frame, line)
                return None
            for name, alias in names:
                if name == "*":
                    if dotted not in frame.module.stars and not dotted.startswith("typing"):
                        frame.module.stars.append(dotted)
                else:
                    self.it.bind(alias or name, surroundings.named(f"{dotted}.{name}"), frame, line)
            return None
        for name, alias in names:
            if name == "*":
                self._star(module, frame, line)
            else:
                submodule = self.it.find(f"{module.name}.{name}", frame.module) if module.is_package else None
                if submodule is not None and module.state == "new" and not _binds(module, name):
                    self.it.bind(alias or name, Val(ModuleRef(submodule)), frame, line)
                else:
                    self.it.bind(alias or name, Val(Pending(module, name, self.it)), frame, line)
        return None

    def _star(self, module: Module, frame: Frame, line: int) -> None:
        self.it.run(module)
        listed = plain(module.names.get("__all__"))
        for name in listed if isinstance(listed, list | tuple) else list(module.names):
            if isinstance(name, str) and name in module.names and (listed is not UNKNOWN or not name.startswith("_")):
                value = module.names[name]
                frame.names[name] = value.depending(self.it.condition) if self.it.condition else value
        for star in module.stars:
            if star not in frame.module.stars:
                frame.module.stars.append(star)
        if module.unseen and not frame.module.hidden:
            frame.module.hidden = module.unseen


def _binds(module: Module, name: str) -> bool:
    """Does the package's own text bind that name, so that it may hide the submodule?"""
    for node in module.body:
        if node[0] in ("def", "class") and node[3] == name:
            return True
        if node[0] == "=" and any(target[0] == "n" and target[2] == name for target in node[2]):
            return True
        if node[0] == "from" and any((alias or imported) == name for imported, alias in node[4]):
            return True
    return False
