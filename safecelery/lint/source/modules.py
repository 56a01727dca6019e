"""Which file is module ``a.b.c``? Told from the list of files alone, without reading any.

Nobody says what is on ``sys.path`` when the linted program runs, so every folder that could be is considered: the
parent of each package, each folder of modules that is not itself a package, the argument, its ``src``. Of several
answers the one nearest to the importing file wins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from safecelery.lint.source.beside import Beside
from safecelery.lint.source.record import PythonFile

__all__ = ["ModuleIndex"]

_SOURCE_FOLDERS: Final = frozenset({"src", "lib"})
_INIT: Final = "__init__.py"
_PROJECT_FILES: Final = (".git", "pyproject.toml", "requirements.txt", "uv.lock", "Pipfile", "Dockerfile", "tox.ini")
"""One of them in an argument says that it is a project's folder, not a package."""


class ModuleIndex:
    """Built when the first question comes; each question then takes a few look-ups in dicts."""

    def __init__(
        self, files: Sequence[PythonFile], links: Mapping[str, str], roots: Sequence[str], beside: Beside
    ) -> None:
        self._beside = beside
        self._by_path = {file.absolute: file for file in files}
        for link, target in links.items():
            if target in self._by_path:
                self._by_path.setdefault(link, self._by_path[target])
        self._roots = roots
        self._packages = {os.path.dirname(path) for path in self._by_path if path.endswith(os.sep + _INIT)}
        self._packages -= {folder for folder in self._packages if self._is_project(folder)}
        for root in roots:
            self._packages_above(root)
        self._tops: dict[str, dict[str, str]] = {}
        """Folders by the top-level modules they hold, each with its separator."""
        seen: set[str] = set()
        for path, file in self._by_path.items():
            folder, name = os.path.split(path)
            if folder not in self._packages:
                self._add(name.removesuffix(".py"), folder)
            if folder not in seen:
                self._climb(folder, file.root, seen)
        self._found: dict[str, list[tuple[str, PythonFile]]] = {}

    def find(self, dotted: str, importer: PythonFile | None) -> PythonFile | None:
        """The file of a module; None if it is none of the tree's. ``importer`` says from where it is imported."""
        found = self._found.get(dotted)
        if found is None:
            found = self._found[dotted] = self._files_of(dotted)
        if len(found) < 2:  # nearly always
            return found[0][1] if found else None
        home = os.path.dirname(importer.absolute) if importer is not None else ""
        return min(found, key=lambda each: (-_common(each[0], home), len(each[0]), each[0]))[1]

    def names(self, file: PythonFile) -> tuple[str, ...]:
        """Dotted names under which a file may be imported, the likeliest first."""
        folder, name = os.path.split(file.absolute)
        parts = [] if name == _INIT else [name.removesuffix(".py")]
        while folder in self._packages and os.path.dirname(folder) != folder:
            folder, package = os.path.split(folder)
            parts.insert(0, package)
        found = [parts]
        while len(folder) > len(file.root):
            folder, above = os.path.split(folder)
            if above in _SOURCE_FOLDERS and len(folder) <= len(file.root):
                break
            found.append([above, *found[-1]])
        if len(parts) <= 1 and name != _INIT:  # outside packages: a namespace of the argument is likelier than a script
            found.reverse()
        return tuple(".".join(each) for each in found if each)

    def _is_project(self, folder: str) -> bool:
        """A folder that programs are started in, whatever ``__init__.py`` it holds: its modules are top-level ones."""
        if os.path.join(folder, "manage.py") in self._by_path or os.path.join(folder, "setup.py") in self._by_path:
            return True
        return folder in self._roots and any(self._beside.exists(os.path.join(folder, name)) for name in _PROJECT_FILES)

    def _packages_above(self, root: str) -> None:
        """An argument inside a package: the packages around it are not in the list of files."""
        while root in self._packages:
            root = os.path.dirname(root)
            if root in self._packages or not self._beside.exists(os.path.join(root, _INIT)):
                return
            self._packages.add(root)

    def _climb(self, folder: str, root: str, seen: set[str]) -> None:
        while folder not in seen:
            seen.add(folder)
            if len(folder) <= len(root) and folder not in self._packages:
                return
            parent, name = os.path.split(folder)
            if parent == folder:
                return
            if parent not in self._packages:
                self._add(name, parent)
            folder = parent

    def _add(self, top: str, folder: str) -> None:
        folders = self._tops.setdefault(top, {})
        if folder not in folders:
            folders[folder] = folder if folder.endswith(os.sep) else folder + os.sep

    def _files_of(self, dotted: str) -> list[tuple[str, PythonFile]]:
        """Every file that may be the module, with the folder that would have to be on ``sys.path``."""
        first, _, _ = dotted.partition(".")
        tail = dotted.replace(".", os.sep)
        found = []
        for folder, prefix in self._tops.get(first, {}).items():
            start = prefix + tail
            file = self._by_path.get(f"{start}{os.sep}{_INIT}") or self._by_path.get(start + ".py")
            if file is not None:
                found.append((folder, file))
        return found


@lru_cache(maxsize=4096)
def _common(folder: str, home: str) -> int:
    """How many folders two paths have in common from the top."""
    count = 0
    for one, other in zip(folder.split(os.sep), home.split(os.sep), strict=False):
        if one != other:
            break
        count += 1
    return count
