"""Flask's ``app.config``: what ``from_object`` filled it with, wherever the program does that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes
from safecelery.lint.model.values import Class, Instance, ModuleRef, Table, Val, plain

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["CONFIG", "FlaskConfig", "is_flask_config"]

CONFIG = "flask.config"
"""The name under which the interpreter knows the object."""


def is_flask_config(expression: str) -> bool:
    """``self.config``, ``current_app.config``: an attribute of that name on something that cannot be followed."""
    return expression == CONFIG or expression.endswith(".config")


class FlaskConfig:
    """The configuration of the tree's Flask applications, taken as one."""

    def __init__(self) -> None:
        self.sources: list[Val] = []
        self.values: dict[str, Val] = {}

    def fill(self, it: Interpreter, method: str, args: list[Val], kwargs: dict[str, Val]) -> None:
        """``config.from_object(...)``, ``config.update(...)`` and their like."""
        source = args[0] if args else None
        if source is not None and isinstance(source.data, Table):
            self.values.update({str(key): value for key, value in source.data.items.items()})
        elif source is not None and method == "from_object":
            self.sources.append(source)
        self.values.update({key: value for key, value in kwargs.items() if key != "**"})

    def value(self, it: Interpreter, name: str, at: Because) -> Val | None:
        """A setting, None if nobody sets it where it can be seen."""
        if name in self.values:
            return self.values[name]
        for source in reversed(self.sources):
            found = self._of(it, source, name, at)
            if found is not None:
                return found.depending(source.env)
        return None

    def _of(self, it: Interpreter, source: Val, name: str, at: Because) -> Val | None:
        data = source.data
        text = plain(source)
        if isinstance(text, str):
            dotted = text.replace(":", ".")
            owner, _, last = dotted.rpartition(".")
            for importer in it.modules.all_modules():
                module = it.find(dotted, importer)
                if module is not None:
                    return it.member(module, name)
                module = it.find(owner, importer)
                inner = it.member(module, last) if module is not None else None
                return None if inner is None else self._of(it, inner, name, at)
        if isinstance(data, ModuleRef):
            return it.member(data.module, name)
        if isinstance(data, Instance):
            found = data.attributes.get(name)
            return found if found is not None else attributes.class_attribute(it, data.cls, name, source, at)
        if isinstance(data, Class):
            return attributes.class_attribute(it, data, name, None, at)
        return None
