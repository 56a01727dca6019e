"""Which files are tests: by their own name, or by a folder of tests around them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from safecelery.lint.source.names import TEST_FOLDERS, is_test_name
from safecelery.lint.source.record import OtherFile, PythonFile

__all__ = ["mark_tests"]


def mark_tests(python: Sequence[PythonFile], others: Sequence[OtherFile]) -> None:
    """Set ``is_test``.

    A folder of tests is one called so (names.py) with a ``test_*.py`` or ``conftest.py`` at any depth in it. Nothing is
    a test whose argument names it: a file of tests, or a folder that is one of tests or lies in one.
    """
    folders = _test_folders(python)
    named: dict[str, bool] = {}
    inside: dict[str, bool] = {}
    every: list[PythonFile | OtherFile] = [*python, *others]
    for file in every:
        root = file.root
        exempt = named.get(file.argument)
        if exempt is None:
            argument = os.path.abspath(file.argument)
            exempt = argument in folders or is_test_name(os.path.basename(argument)) or _lies_in_tests(argument)
            named[file.argument] = exempt
        if exempt:
            continue
        folder, _, name = file.absolute.rpartition(os.sep)
        in_tests = inside.get(folder)
        if in_tests is None:
            in_tests = _lies_in(folder, root, folders, inside)
        file.is_test = in_tests or is_test_name(name)


def _test_folders(python: Iterable[PythonFile]) -> set[str]:
    """The folders with the name and the contents of tests, none above the arguments."""
    holding = set()
    for file in python:
        name = file.path.rpartition("/")[2]
        if (name.startswith("test_") and name.endswith(".py")) or name == "conftest.py":
            holding.add((os.path.dirname(file.absolute), file.root))
    found: set[str] = set()
    done: set[str] = set()
    for folder, root in holding:
        while folder not in done and len(folder) >= len(root):
            done.add(folder)
            if os.path.basename(folder) in TEST_FOLDERS:
                found.add(folder)
            folder = os.path.dirname(folder)
    return found


def _lies_in(folder: str, root: str, folders: set[str], known: dict[str, bool]) -> bool:
    """Whether a folder is, or lies in, one of ``folders`` at or below ``root``."""
    way: list[str] = []
    answer = False
    while len(folder) >= len(root):
        if folder in known:
            answer = known[folder]
            break
        way.append(folder)
        if folder in folders:
            answer = True
            break
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    for each in way:
        known[each] = answer
    return answer


def _lies_in_tests(path: str) -> bool:
    """Whether an argument lies in a folder of tests whose other files were not listed."""
    while True:
        parent, name = os.path.split(path)
        if parent == path:
            return False
        if name in TEST_FOLDERS:
            try:
                if any(entry == "conftest.py" or entry.startswith("test_") for entry in os.listdir(path)):
                    return True
            except OSError:  # a file of that name, or a folder that is not ours to list
                pass
        path = parent
