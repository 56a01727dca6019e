"""From arguments to files: every python file and every deployment candidate below them, nothing read.

Folders of other programs (environments, caches, repositories) are not entered, and symbolic links to folders are not
followed: what they lead to inside the tree is met anyway, what they lead to outside is not ours. A link to a file is
known under its name, so that an import through it is found, but it is not a second file to check.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from safecelery.lint.source.names import SKIPPED_ENDINGS, SKIPPED_FOLDERS, deployment_kind
from safecelery.lint.source.record import OtherFile, PythonFile

__all__ = ["Walk", "walk"]


class Walk:
    """What was found, in the order of the arguments and then of the paths."""

    __slots__ = ("links", "notes", "others", "problems", "python", "roots")

    def __init__(self) -> None:
        self.python: list[PythonFile] = []
        self.others: list[OtherFile] = []
        self.links: list[tuple[str, str]] = []
        """Python files that are links: their path, and the absolute path of what they lead to."""
        self.roots: list[str] = []
        """The absolute folders that were named, or that hold a named file."""
        self.problems: list[tuple[str, str]] = []
        """Absolute path and why it could not be looked at."""
        self.notes: list[str] = []


def walk(paths: Sequence[str], exclude: Sequence[str] = ()) -> Walk:
    """Look at every argument. A file that several arguments reach belongs to the first of them.

    ``exclude`` holds globs: one with a slash is matched against the path below the argument, any other against each
    name on the way. A named file is taken whatever it is called.
    """
    found = Walk()
    seen: set[str] = set()
    skip = _excluder(exclude)
    for argument in paths:
        absolute = os.path.abspath(argument) if "\0" not in argument else argument
        try:
            status = os.stat(absolute)
        except (OSError, ValueError) as error:
            found.problems.append((absolute, _why(error)))
            continue
        if stat.S_ISDIR(status.st_mode):
            _add(found.roots, absolute)
            _folder(found, seen, absolute, argument, skip)
        else:
            _add(found.roots, os.path.dirname(absolute))
            _named_file(found, seen, absolute, argument)
    return found


def _add(roots: list[str], root: str) -> None:
    if root not in roots:
        roots.append(root)


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _named_file(found: Walk, seen: set[str], absolute: str, argument: str) -> None:
    if absolute in seen:
        return
    seen.add(absolute)
    root, name = os.path.split(absolute)
    kind = None if name.endswith((".py", ".pyw")) else deployment_kind(name, os.path.basename(root))
    if kind is None:
        found.python.append(PythonFile(name, absolute, root, argument))
    else:
        found.others.append(OtherFile(name, absolute, root, argument, kind))


def _folder(found: Walk, seen: set[str], root: str, argument: str, skip: Callable[[str, str], bool] | None) -> None:
    python: list[PythonFile] = []
    others: list[OtherFile] = []
    outside = 0
    first_outside = ""
    pending = [(root, os.path.basename(root), "")]
    while pending:
        folder, name_of_folder, prefix = pending.pop()
        for entry in _entries(found, folder, name_of_folder, below=bool(prefix)):
            name = entry.name
            relative = prefix + name
            if skip is not None and skip(name, relative):
                continue
            is_python = name.endswith(".py")
            try:
                if entry.is_symlink():
                    target = os.path.realpath(entry.path)
                    if not (target + os.sep).startswith(os.path.realpath(root).rstrip(os.sep) + os.sep):
                        outside += 1
                        first_outside = first_outside or relative
                    elif is_python:
                        found.links.append(
                            (entry.path, os.path.join(root, os.path.relpath(target, os.path.realpath(root))))
                        )
                    continue
                if entry.is_dir():
                    if name[0] != "." and name not in SKIPPED_FOLDERS and not name.endswith(SKIPPED_ENDINGS):
                        pending.append((entry.path, name, relative + "/"))
                    continue
                if not entry.is_file():
                    continue
            except OSError as error:
                found.problems.append((entry.path, _why(error)))
                continue
            path = entry.path
            if is_python:
                if path not in seen:
                    seen.add(path)
                    python.append(PythonFile(relative, path, root, argument))
                continue
            kind = deployment_kind(name, name_of_folder)
            if kind is not None and path not in seen:
                seen.add(path)
                others.append(OtherFile(relative, path, root, argument, kind))
    python.sort(key=_by_path)
    others.sort(key=_by_path)
    found.python += python
    found.others += others
    if outside:
        found.notes.append(
            f"{argument}: {outside} link{'s that lead' if outside > 1 else ' that leads'} out of the tree"
            f" {'were' if outside > 1 else 'was'} not followed, {first_outside} for one"
        )


def _entries(found: Walk, folder: str, name: str, *, below: bool) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing if it is an environment or build output ``below`` what was named."""
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except OSError as error:
        found.problems.append((folder, f"cannot be listed: {_why(error)}"))
        return []
    if below:
        for entry in entries:
            if entry.name == "pyvenv.cfg":
                return []
        if name in ("build", "dist") and _is_build_output(entries):
            return []
    return entries


def _by_path(file: PythonFile | OtherFile) -> str:
    return file.path


def _is_build_output(entries: list[os.DirEntry[str]]) -> bool:
    """setuptools writes build/lib and build/bdist.*, and wheels and archives to dist."""
    return any(
        entry.name.startswith("bdist.") or entry.name == "lib" or entry.name.endswith((".whl", ".tar.gz"))
        for entry in entries
    )


def _excluder(globs: Sequence[str]) -> Callable[[str, str], bool] | None:
    if not globs:
        return None
    import re
    from fnmatch import translate

    names = [glob.rstrip("/") for glob in globs if "/" not in glob.rstrip("/")]
    paths = [glob.strip("/") for glob in globs if "/" in glob.rstrip("/")]
    by_name = re.compile("|".join(map(translate, names)) if names else r"(?!)")
    by_path = re.compile("|".join(map(translate, paths)) if paths else r"(?!)")

    def skip(name: str, relative: str) -> bool:
        return by_name.match(name) is not None or by_path.match(relative) is not None

    return skip
