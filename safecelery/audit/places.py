"""Where a live task or setting is written: file and line, relative to the current directory."""

from __future__ import annotations

import inspect
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from celery import Celery

from safecelery.policy.facts import Place

__all__ = ["app_place", "relative", "setting_place", "task_place"]


def relative(path: str) -> str:
    """With slashes, and relative to the current directory if it is below it."""
    try:
        return Path(path).resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return Path(path).as_posix()


def task_place(task: Any) -> Place:
    """Of a decorated function its first line (decorators included), of a class the line of ``class``."""
    cls: Any = task if inspect.isclass(task) else type(task)
    decorated = cls.__dict__.get("_decorated_fun")
    try:
        if decorated is not None:
            code = inspect.unwrap(decorated.__func__).__code__
            return Place(relative(code.co_filename), code.co_firstlineno)
        return Place(relative(inspect.getsourcefile(cls) or "?"), inspect.getsourcelines(cls)[1])
    except (OSError, TypeError, AttributeError, ValueError):
        pass
    try:  # a class made at run time has no source, its function has
        code = inspect.unwrap(cls.run).__code__
        return Place(relative(code.co_filename), code.co_firstlineno)
    except (TypeError, AttributeError, ValueError):
        return Place(_module_file(cls.__module__) or cls.__module__)


def app_place(app: Celery, name: str) -> Place:
    """The line that binds the app in the module where it lives; ``name`` is what ``-A`` said."""
    module, _, attribute = name.partition(":")
    candidates = [module, f"{module}.celery", f"{module}.app", app.main or ""]
    modules = [sys.modules[key] for key in candidates if key in sys.modules]
    modules += [found for key, found in list(sys.modules.items()) if not key.startswith("celery") and _has(found, app)]
    for found in modules:
        file = getattr(found, "__file__", None)
        if not isinstance(file, str):
            continue
        names = [attribute] if attribute else [key for key, value in list(vars(found).items()) if value is app]
        for key in names:
            line = _line(file, rf"^\s*{re.escape(key)}\s*(?::[^=]*)?=(?!=)")
            if line:
                return Place(relative(file), line)
    for found in modules:
        if file := getattr(found, "__file__", None):
            return Place(relative(file))
    return Place(f"app {app.main or '__main__'}")


def setting_place(app: Celery, setting: str, otherwise: Place) -> Place:
    """The line that seems to state a setting, in the module the app was configured from or in the app's own file.

    A reader's aid, found by its spelling: ``otherwise`` where nothing looks like it.
    """
    prefix = app.conf.__dict__["prefix"] or ""
    names = {setting, setting.upper(), prefix + setting, (prefix + setting).upper(), f"CELERY_{setting.upper()}"}
    spelt = "|".join(map(re.escape, sorted(names)))
    pattern = rf"""(?<![\w.])(?:\w+\.)*(?:conf\[)?["']?(?:{spelt})["']?\]?\s*(?::[^=\n]*)?[=:](?!=)"""
    for file in (*_configuration_files(app), otherwise.file):
        if line := _line(str(Path.cwd() / file), pattern):
            return Place(file, line)
    return otherwise


def _configuration_files(app: Celery) -> list[str]:
    """The files of the modules and objects given to ``config_from_object``; Django's settings among them."""
    files = []
    for mapping in app.conf.maps[:-1]:
        target = getattr(mapping, "obj", None)
        module = getattr(target, "SETTINGS_MODULE", None) or getattr(target, "__module__", None)
        file = getattr(target, "__file__", None) or (_module_file(module) if isinstance(module, str) else None)
        if isinstance(file, str):
            files.append(relative(file))
    return files


def _module_file(name: str) -> str | None:
    file = getattr(sys.modules.get(name), "__file__", None)
    return relative(file) if isinstance(file, str) else None


def _has(module: object, app: Celery) -> bool:
    try:
        return any(value is app for value in list(vars(module).values()))
    except TypeError:
        return False


@lru_cache(maxsize=4096)
def _line(file: str, pattern: str) -> int:
    """The first line that matches, from 1; 0 if none does or the file cannot be read."""
    match = re.search(pattern, _text(file), re.MULTILINE)
    return _text(file).count("\n", 0, match.start() + len(match[0]) - len(match[0].lstrip())) + 1 if match else 0


@lru_cache(maxsize=64)
def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
