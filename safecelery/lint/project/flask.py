"""Flask's ``app.config``: what ``from_object`` filled it with, wherever the program does that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import NONE, Class, Instance, ModuleRef, Table, Val, unknown

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["CONFIG", "FILES", "FlaskConfig", "is_flask_config"]

FILES = frozenset({"from_pyfile", "from_envvar", "from_file", "from_json"})
"""Methods that fill it from files that are not of the tree, or are read as the machine says."""
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
        self.unseen = ""
        """What may have filled it that cannot be read."""

    def learned(self) -> int:
        """How many things filled it."""
        return len(self.sources) + len(self.values) + bool(self.unseen)

    def fill(self, it: Interpreter, method: str, args: list[Val], kwargs: dict[str, Val]) -> None:
        """``config.from_object(...)``, ``config.update(...)`` and their like."""
        source = args[0] if args else None
        if it.uncertain:
            self.unseen = f"app.config.{method}(), which may not run"
        if method in FILES:
            if plain(kwargs.get("silent", args[1] if len(args) > 1 else NONE)) is not True:
                self.unseen = f"app.config.{method}({describe(source) if source is not None else ''})"
        elif source is not None and isinstance(source.data, Table):
            self.unseen = self.unseen or ("app.config.update()" if source.data.open else "")
            self.values.update({str(key): value for key, value in source.data.items.items()})
        elif source is not None and method == "from_object":
            self.sources.append(source)
        elif source is not None and method in ("update", "from_mapping"):
            self.unseen = f"app.config.{method}({describe(source)})"
        if method not in FILES:
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

    def all(self, it: Interpreter) -> dict[str, Val] | None:
        """Everything in it by name, later fillings over earlier ones; None if that cannot be told."""
        if self.unseen or not (self.sources or self.values):
            return None
        found: dict[str, Val] = {}
        for source in self.sources:
            owner = self._owner(it, source).data
            if isinstance(owner, ModuleRef):
                it.run(owner.module)
                if owner.module.unseen or owner.module.stars:
                    return None
                names = set(owner.module.names)
            elif isinstance(owner, Class | Instance):
                order = list((owner.cls if isinstance(owner, Instance) else owner).mro())
                if any(not isinstance(b, Class) and getattr(b, "name", "") != "builtins.object" for b in order):
                    return None
                names = {name for base in order if isinstance(base, Class) for name in base.attributes}
            else:
                return None
            for name in names:
                if name.isupper():
                    value = self._of(it, source, name, Because("", 0, name))
                    if value is not None:
                        found[name] = value.depending(source.env)
        return {**found, **self.values}

    def _owner(self, it: Interpreter, source: Val) -> Val:
        """What the text given to ``from_object`` names."""
        text = plain(source)
        if not isinstance(text, str):
            return source
        dotted = text.replace(":", ".")
        owner, _, last = dotted.rpartition(".")
        for importer in it.modules.all_modules():
            module = it.find(dotted, importer)
            if module is not None:
                return Val(ModuleRef(module))
            module = it.find(owner, importer)
            found = it.member(module, last) if module is not None else None
            return found if found is not None else unknown(text)
        return unknown(text)

    def _of(self, it: Interpreter, source: Val, name: str, at: Because) -> Val | None:
        data = self._owner(it, source).data
        if isinstance(data, ModuleRef):
            return it.member(data.module, name)
        if isinstance(data, Instance):
            found = data.attributes.get(name)
            return found if found is not None else attributes.class_attribute(it, data.cls, name, source, at)
        if isinstance(data, Class):
            return attributes.class_attribute(it, data, name, None, at)
        return None
