"""The files around an argument that its own files import: the rest of their package.

Whoever names single files, as pre-commit does, names a task module without the app it belongs to. What surrounds it is
not checked, but imports lead there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from safecelery.lint.source.record import PythonFile
from safecelery.lint.source.walk import walk

__all__ = ["context_of"]

_DEEPEST = 30


def context_of(paths: Sequence[str], chosen: Sequence[PythonFile], exclude: Sequence[str]) -> list[PythonFile]:
    """Python files of the packages that the arguments lie in, and of the folders of named files, without the chosen."""
    folders: list[str] = []
    found: list[PythonFile] = []
    for path in paths:
        if "\0" in path:
            continue
        absolute = os.path.abspath(path)
        folder = absolute if os.path.isdir(absolute) else os.path.dirname(absolute)
        top = _top_of_package(folder)
        if top is not None and top != absolute:
            if top not in folders:
                folders.append(top)
        elif folder != absolute and top is None:
            found += _beside(folder)
    if folders:
        found += walk(folders, exclude).python
    seen = {file.absolute for file in chosen}
    return [file for file in found if not (file.absolute in seen or seen.add(file.absolute))]  # type: ignore[func-returns-value]


def _top_of_package(folder: str) -> str | None:
    """The outermost folder of the package that a folder is or belongs to; None outside packages."""
    top = None
    for _ in range(_DEEPEST):
        if not os.path.exists(os.path.join(folder, "__init__.py")):
            break
        top, folder = folder, os.path.dirname(folder)
    return top


def _beside(folder: str) -> list[PythonFile]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [PythonFile(name, os.path.join(folder, name), folder, folder) for name in names if name.endswith(".py")]
