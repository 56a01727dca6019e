"""Django's settings: which module they are, what a name in them is worth, and what ``include`` does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import NONE, Class, Ext, Unknown, Val, unknown

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["DjangoSettings"]

_GLOBAL_DEFAULTS: Final = {"TIME_ZONE": "America/Chicago", "USE_TZ": True, "DEBUG": False, "EMAIL_TIMEOUT": None}
"""django/conf/global_settings.py, the few that configuration code asks for."""


_SETTINGS: Final = re.compile("settings|conf")
_STAND_INS: Final = (
    "_example", "_sample", "_template", "_dist", "_common", "_base", "_default", "_defaults", "_docker",
    "_production", "_prod", "_local", "_dev",
)  # fmt: skip
"""Endings of the modules that a settings module which is not kept in the repository is made from, likeliest first."""


def _guesses(names: list[str]) -> Iterator[str]:
    """What may stand beside, above or below a settings module that is not there or holds nothing."""
    for ending in _STAND_INS:
        for name in names:
            yield f"{name}{ending}"
    for ending in _STAND_INS:
        for name in names:
            package = name.rpartition(".")[0]
            if _SETTINGS.search(package.rpartition(".")[2]):
                yield f"{package}.{ending[1:]}"
            yield f"{name}.{ending[1:]}"


class DjangoSettings:
    """The settings of the tree's Django project, found when they are first asked for."""

    def __init__(self) -> None:
        self.stated: str | None = None
        """The dotted name somebody gave on the command line or in the linter's configuration."""
        self.module: Module | None = None
        self.cls: Class | None = None
        self.env: tuple[str, ...] = ()
        self.because: tuple[Because, ...] = ()
        self.found = False
        self.assumed = ""
        """Which module was read instead of one that is not in the tree."""
        self.candidates: list[tuple[str, Because]] = []
        """Every settings module named in the tree, with the place that names it."""

    def find(self, it: Interpreter) -> Module | None:
        """The settings module, or None if the tree does not tell."""
        if self.found:
            return self.module
        self.found = True
        named = it.environ.get("DJANGO_SETTINGS_MODULE")
        dotted = self.stated or (plain(named) if named is not None else None)
        names = [dotted] if isinstance(dotted, str) else []
        names += [name for name, _ in self.candidates]
        importer = next(iter(it.modules.all_modules()), None)
        if importer is None:
            return None
        empty: Module | None = None
        for name in (*names, *_guesses(list(dict.fromkeys(names)))):
            found = it.find(name, importer)
            if found is not None and (found.body or found.unseen or found.record.unread):
                self.module = found
                self._note(names, name, "is not in the tree" if empty is None else "states no settings")
                self._configuration(it, found)
                return found
            empty = empty or found
        if empty is None and self.stated:
            self.assumed = f"settings: {self.stated} is not in the tree, so no settings were read"
        self.module = empty
        return empty

    def _note(self, names: list[str], name: str, why: str) -> None:
        """Say so if the module read is not the one that is meant."""
        if name not in names or (why == "states no settings" and not self.stated):
            self.assumed = f"{names[0]} {why}; {name} was read in its place"
            self.env = ("DJANGO_SETTINGS_MODULE",)
        elif self.stated and name != self.stated:
            self.assumed = f"settings: {self.stated} {why}; {name} was read in its place"

    def _configuration(self, it: Interpreter, module: Module) -> None:
        """django-configurations: the class that ``DJANGO_CONFIGURATION`` names."""
        name = plain(it.environ["DJANGO_CONFIGURATION"]) if "DJANGO_CONFIGURATION" in it.environ else None
        if isinstance(name, str):
            found = it.member(module, name)
            if found is not None and isinstance(found.data, Class):
                self.cls = found.data

    def attribute(self, it: Interpreter, name: str, at: Because) -> Val | None:
        """``settings.NAME``."""
        if name in ("configure", "_wrapped", "configured"):
            return Val(Ext(f"django.conf.settings.{name}"))
        module = self.find(it)
        if module is None:
            return unknown(f"settings.{name} (no settings module found)")
        found = self.value(it, name)
        if found is not None:
            return found
        if name in _GLOBAL_DEFAULTS:
            return Val(_GLOBAL_DEFAULTS[name])
        it.raise_if_caught("AttributeError")
        return unknown(f"settings.{name}")

    def value(self, it: Interpreter, name: str) -> Val | None:
        """A setting, None if it is not there."""
        module = self.find(it)
        if module is None:
            return None
        if self.cls is not None:
            return attributes.class_attribute(it, self.cls, name, None, Because(module.path, 0, name))
        it.run(module)
        found = module.names.get(name)
        return None if found is None else it.settle(found).depending(self.env)

    def has(self, it: Interpreter, name: str) -> Val | None:
        """Whether a setting is there; None if that cannot be told."""
        if self.find(it) is None:
            return None
        if self.value(it, name) is not None or name in _GLOBAL_DEFAULTS:
            return Val(True, self.env)
        return None if self.incomplete(it) is not None else Val(False, self.env)

    def names(self, it: Interpreter) -> Iterator[tuple[str, Val]]:
        """All settings."""
        module = self.find(it)
        if module is None:
            return
        if self.cls is not None:
            seen: set[str] = set()
            for base in self.cls.mro():
                if isinstance(base, Class):
                    for name in base.attributes:
                        if name.isupper() and name not in seen:
                            seen.add(name)
                            value = self.value(it, name)
                            if value is not None:
                                yield name, value
            return
        it.run(module)
        for name, value in list(module.names.items()):
            if name.isupper():
                yield name, it.settle(value).depending(self.env)

    def incomplete(self, it: Interpreter) -> Val | None:
        """Why there may be settings that cannot be seen."""
        module = self.find(it)
        if module is None:
            return unknown("the Django settings module")
        it.run(module)
        it.force(module)
        for star in module.stars:
            if not star.startswith("django."):
                return unknown(f"from {star} import *")
        if module.unseen:
            return unknown(module.unseen)
        if self.cls is not None:
            for base in self.cls.mro():
                if isinstance(base, Unknown):
                    return Val(base)
                if isinstance(base, Ext) and not base.name.startswith(("configurations.", "django.", "builtins.")):
                    return unknown(f"base class {base.name}, outside the tree")
        return None

    def call(self, it: Interpreter, name: str, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val | None:
        """A function of Django's that configuration uses."""
        if name.endswith(("gettext_lazy", "gettext")):
            return args[0] if args else NONE
        return None

    def include(self, it: Interpreter, name: str, args: list[Val], at: Because) -> Val:
        """django-split-settings: ``include("base.py", optional("local.py"))`` runs files in the same scope."""
        if name.endswith("optional"):
            return args[0] if args else NONE
        module: Module = it.modules.by_path(at.file)
        for argument in args:
            pattern = plain(argument)
            if not isinstance(pattern, str):
                module.stars.append(f"include({describe(argument)})")
                continue
            for included in it.modules.beside(module, pattern):
                if included is not module:
                    it.block(included.body, Frame(included, module.names))
        return NONE
